// SPDX-License-Identifier: Apache-2.0
#include "perl_regex.h"

#include <cctype>

namespace correlator::rules::sec {
namespace {

// What Perl's classes mean on bytes; \s of RE2 lacks the vertical tab.
constexpr std::string_view kSpace = "\\x09-\\x0d\\x20";
constexpr std::string_view kNoSpace = "\\x00-\\x08\\x0e-\\x1f\\x21-\\xff";
constexpr std::string_view kBlank = "\\x09\\x20\\xa0";
constexpr std::string_view kNoBlank = "\\x00-\\x08\\x0a-\\x1f\\x21-\\x9f\\xa1-\\xff";
constexpr std::string_view kBreak = "\\x0a-\\x0d\\x85";
constexpr std::string_view kNoBreak = "\\x00-\\x09\\x0e-\\x84\\x86-\\xff";

class Rewriter {
 public:
  Rewriter(std::string_view perl, std::uint32_t lines) : in_(perl), lines_(lines) {}

  Rewritten run() {
    while (at_ < in_.size() && obstacle_.empty()) element();
    if (folds_ && high_) stop("case folding beside bytes above ASCII");
    return {std::move(out_), std::move(obstacle_)};
  }

 private:
  char now() const { return in_[at_]; }
  char ahead(std::size_t n = 1) const { return at_ + n < in_.size() ? in_[at_ + n] : '\0'; }
  bool last() const { return at_ + 1 == in_.size(); }
  void stop(std::string_view why) {
    if (obstacle_.empty()) obstacle_ = why;
  }
  void copy(std::size_t n = 1) {
    out_ += in_.substr(at_, n);
    at_ += n;
  }

  void element() {
    const char c = now();
    if (static_cast<unsigned char>(c) >= 0x80) high_ = true;
    if (c == '\\') return escape();
    if (c == '[') return bracket();
    if (c == '(' && ahead() == '?') return group();
    if (c == '$') return dollar();
    if (c == '^' && multiline_ && lines_ > 1) return stop("^ in the middle of several lines");
    if (c == '*' || c == '+' || c == '?' || c == '{') return quantifier();
    copy();
  }

  void escape() {
    if (last()) return copy();
    const char c = ahead();
    if (static_cast<unsigned char>(c) >= 0x80) high_ = true;
    if (simple_class(c, false)) return;
    if (c >= '1' && c <= '9') return stop("a reference back to a group");
    switch (c) {
      case 'Z': return end_anchor("\\z");
      case 'K': case 'G': case 'X': case 'k': case 'g': case 'p': case 'P': case 'c': case 'o': case 'C': case '0': case 'u':
        return stop(std::string("\\") + c);
      case 'R': out_ += "(?:\\r\\n|[\\x0a-\\x0d\\x85])"; at_ += 2; return;
      case 'N':
        if (ahead(2) == '{') return stop("\\N{}");
        out_ += "[^\\n]";
        at_ += 2;
        return;
      case 'e': out_ += "\\x1b"; at_ += 2; return;
      case 'b': case 'B':
        if (ahead(2) == '{') return stop("\\b{}");
        return copy(2);
      case 'A': case 'z': case 'd': case 'D': case 'w': case 'W': case 't': case 'n': case 'r': case 'f': case 'a': return copy(2);
      case 'x': return hex();
      default: break;
    }
    if (std::isalpha(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80) ++at_;  // Perl takes it as it is
    else copy();
    copy();
  }

  // \x4 and \x are fine for Perl.
  void hex() {
    if (ahead(2) == '{') return copy(2);
    std::size_t n = 0;
    std::string digits;
    while (n < 2 && std::isxdigit(static_cast<unsigned char>(ahead(2 + n)))) digits += ahead(2 + n++);
    out_ += "\\x" + std::string(2 - n, '0') + digits;
    at_ += 2 + n;
  }

  bool simple_class(char c, bool inside) {
    std::string_view set;
    switch (c) {
      case 's': set = kSpace; break;
      case 'S': set = kNoSpace; break;
      case 'h': set = kBlank; break;
      case 'H': set = kNoBlank; break;
      case 'v': set = kBreak; break;
      case 'V': set = kNoBreak; break;
      default: return false;
    }
    if (!inside) out_ += '[';
    out_ += set;
    if (!inside) out_ += ']';
    at_ += 2;
    return true;
  }

  void bracket() {
    copy();
    if (at_ < in_.size() && now() == '^') copy();
    if (at_ < in_.size() && now() == ']') {
      out_ += '\\';
      copy();
    }
    for (bool behind_class = false; at_ < in_.size() && now() != ']';) {
      if (static_cast<unsigned char>(now()) >= 0x80) high_ = true;
      if (now() == '[' && ahead() == ':') {
        const std::size_t end = in_.find(":]", at_);
        if (end != std::string_view::npos) {
          copy(end + 2 - at_);
          behind_class = true;
          continue;
        }
      }
      const bool is_class = now() == '\\' && std::string_view("sShHvVdDwW").find(ahead()) != std::string_view::npos;
      if (now() == '[' || (now() == '-' && behind_class)) {  // a - behind a class is a - and no range
        out_ += '\\';
        copy();
      } else if (now() == '\\' && !last()) {
        inside_escape();
      } else {
        copy();
      }
      behind_class = is_class;
      if (!obstacle_.empty()) return;
    }
    if (at_ < in_.size()) copy();
  }

  void inside_escape() {
    const char c = ahead();
    if (simple_class(c, true)) return;
    switch (c) {
      case 'b': out_ += "\\x08"; at_ += 2; return;
      case 'e': out_ += "\\x1b"; at_ += 2; return;
      case 'N': case 'p': case 'P': case 'c': case 'o': case '0': return stop(std::string("\\") + c + " in brackets");
      case 'd': case 'D': case 'w': case 'W': case 't': case 'n': case 'r': case 'f': case 'a': return copy(2);
      case 'x': return hex();
      default: break;
    }
    if (c >= '1' && c <= '9') return stop("an octal number in brackets");
    if (std::isalpha(static_cast<unsigned char>(c)) || c == '_' || static_cast<unsigned char>(c) >= 0x80) ++at_;
    else copy();
    copy();
  }

  void group() {
    const char c = ahead(2);
    switch (c) {
      case '#': {
        const std::size_t end = in_.find(')', at_);
        at_ = end == std::string_view::npos ? in_.size() : end + 1;
        return;
      }
      case '=': case '!': return stop("looking ahead");
      case '>': return stop("an atomic group");
      case '|': return stop("numbering groups anew in each alternative");
      case '(': return stop("a condition");
      case '^': return stop("(?^");
      case '\'': {
        const std::size_t end = in_.find('\'', at_ + 3);
        if (end == std::string_view::npos) return stop("(?'");
        out_ += "(?P<" + std::string(in_.substr(at_ + 3, end - at_ - 3)) + ">";
        at_ = end + 1;
        return;
      }
      case '<':
        if (ahead(3) == '=' || ahead(3) == '!') return stop("looking behind");
        return copy(3);
      case 'P': return ahead(3) == '<' ? copy(4) : stop("(?P");
      case ':': return copy(3);
      default: return flags();
    }
  }

  void flags() {
    std::size_t n = 2;
    for (bool on = true; at_ + n < in_.size() && ahead(n) != ')' && ahead(n) != ':'; ++n) {
      const char c = ahead(n);
      if (c == '-') on = false;
      else if (c == 'i') folds_ = folds_ || on;
      else if (c == 'm') multiline_ = multiline_ || on;
      else if (c != 's') return stop(std::string("(?") + c);
    }
    copy(n + 1);
  }

  void dollar() {
    if (multiline_) return copy();
    end_anchor("$");
  }

  // $ and \Z also match before a last newline, which only a text of several lines can have.
  void end_anchor(std::string_view plain) {
    const std::size_t length = plain == "$" ? 1 : 2;
    if (lines_ == 1) {
      out_ += "\\z";
    } else if (at_ + length == in_.size()) {
      out_ += "(?:\\n?\\z)";
    } else {
      stop("$ in the middle of a pattern over several lines");
    }
    at_ += length;
  }

  void quantifier() {
    const std::size_t begin = at_;
    if (now() == '{') {
      std::size_t n = 1;
      while (std::isdigit(static_cast<unsigned char>(ahead(n))) || ahead(n) == ',') ++n;
      if (ahead(n) != '}' || n == 1 || in_.substr(at_, n + 1) == "{,}") {
        out_ += '\\';
        return copy();  // a brace and no more
      }
      if (ahead() == ',') {
        out_ += "{0";
        ++at_;
        copy(n);
      } else {
        copy(n + 1);
      }
    } else {
      copy();
    }
    if (begin == at_ || at_ >= in_.size()) return;
    if (now() == '+') return stop("a possessive quantifier");
    if (now() == '?') copy();
  }

  std::string_view in_;
  std::uint32_t lines_;
  std::size_t at_ = 0;
  std::string out_, obstacle_;
  bool folds_ = false, high_ = false, multiline_ = false;
};

}  // namespace

Rewritten to_re2(std::string_view perl, std::uint32_t lines) { return Rewriter(perl, lines).run(); }

}  // namespace correlator::rules::sec
