// SPDX-License-Identifier: Apache-2.0
// What Perl and PCRE2 spell otherwise.
#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "perl_regex.h"

namespace correlator::rules::sec {
namespace {

class Spelling {
 public:
  explicit Spelling(std::string_view perl) : in_(perl) {}

  Rewritten run() {
    while (at_ < in_.size() && obstacle_.empty()) {
      if (in_[at_] == '\\') escape(false);
      else if (in_[at_] == '[') bracket();
      else if (rest().starts_with("(?#")) copy(std::min(in_.find(')', at_), in_.size() - 1) + 1 - at_);
      else if (rest().starts_with("(?")) flags();
      else if (in_[at_] == '{') count();
      else copy();
    }
    return {std::move(out_), std::move(obstacle_)};
  }

 private:
  std::string_view rest() const { return in_.substr(at_); }
  void copy(std::size_t n = 1) {
    n = std::min(n, in_.size() - at_);
    out_ += in_.substr(at_, n);
    at_ += n;
  }

  // True if it was a class of characters.
  bool escape(bool in_brackets) {
    if (at_ + 1 == in_.size()) {
      copy();
      return false;
    }
    const char c = in_[at_ + 1];
    if (rest().starts_with("\\N{U+")) {
      const std::size_t end = in_.find('}', at_);
      if (end != std::string_view::npos) {
        out_ += "\\x{" + std::string(in_.substr(at_ + 5, end - at_ - 5)) + "}";
        at_ = end + 1;
        return false;
      }
    }
    if (c == 'C' && !in_brackets) obstacle_ = "\\C, which Perl has no more";
    // Letters that mean nothing behind a \ are themselves for Perl, those that quote and change case too: they are done before that.
    if (std::string_view("EFIJLMOQTUYijlmquy").find(c) != std::string_view::npos) ++at_;
    else copy();
    const bool is_property = c == 'p' || c == 'P';
    copy();
    if (is_property) copy(rest().starts_with("{") ? std::min(in_.find('}', at_), in_.size() - 1) + 1 - at_ : 1);
    return is_property || std::string_view("dDwWsShHvVR").find(c) != std::string_view::npos;
  }

  // A - beside a class is a - and no range.
  void bracket() {
    copy();
    if (rest().starts_with("^")) copy();
    if (rest().starts_with("]")) copy();
    for (bool behind_class = false; at_ < in_.size() && in_[at_] != ']';) {
      const std::size_t end = rest().starts_with("[:") ? in_.find(":]", at_) : std::string_view::npos;
      if (end != std::string_view::npos) {
        copy(end + 2 - at_);
        behind_class = true;
      } else if (in_[at_] == '\\') {
        behind_class = escape(true);
      } else if (in_[at_] == '-' && (behind_class || class_follows())) {
        out_ += '\\';
        copy();
        behind_class = false;
      } else {
        copy();
        behind_class = false;
      }
    }
    copy();
  }

  bool class_follows() const {
    const std::string_view next = in_.substr(at_ + 1);
    return next.starts_with("[:") || (next.size() > 1 && next.front() == '\\' && std::string_view("dDwWsShHvVpP").find(next[1]) != std::string_view::npos);
  }

  // (?a) and its like say which letters there are; for bytes these are those there are anyway. (?p) only keeps copies.
  void flags() {
    std::size_t n = 2;
    while (at_ + n < in_.size() && (std::isalpha(static_cast<unsigned char>(in_[at_ + n])) || in_[at_ + n] == '-' || in_[at_ + n] == '^')) ++n;
    if (n == 2 || at_ + n >= in_.size() || (in_[at_ + n] != ')' && in_[at_ + n] != ':')) return copy(2);
    for (const char c : in_.substr(at_, n)) {
      if (std::string_view("adlp").find(c) == std::string_view::npos) out_ += c;
    }
    at_ += n;
  }

  // x{2,1} is something that never matches.
  void count() {
    const std::size_t end = std::min(in_.find('}', at_), in_.size() - 1);
    const std::string_view inside = in_.substr(at_ + 1, end - at_ - 1);
    const std::size_t comma = inside.find(',');
    const auto least = parse_uint(inside.substr(0, comma));
    const auto most = comma == std::string_view::npos ? std::nullopt : parse_uint(inside.substr(comma + 1));
    if (!least || !most || *least <= *most) return copy();
    out_ += "{0}(?!)";
    at_ = end + 1;
  }

  std::string_view in_;
  std::size_t at_ = 0;
  std::string out_, obstacle_;
};

}  // namespace

Rewritten to_pcre2(std::string_view perl) { return Spelling(perl).run(); }

}  // namespace correlator::rules::sec
