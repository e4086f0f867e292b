// SPDX-License-Identifier: Apache-2.0
// Snippets of Perl that only look at their parameters: sub { $_[0]->{"user"} eq "root" && $_[1] > 3 }.
#include "field_test.h"

#include <array>
#include <cctype>
#include <optional>

namespace correlator::rules::sec {
namespace {

using Kind = FieldTest::Kind;

struct Operator {
  std::string_view text;
  int binds;  // the higher the tighter
  Kind kind;
};
// Longer spellings stand before shorter ones that they begin with.
constexpr std::array<Operator, 24> kOperators{{{"||", 2, Kind::either}, {"&&", 3, Kind::both}, {"or", 0, Kind::either}, {"and", 1, Kind::both},
                                               {"==", 4, Kind::equal}, {"!=", 4, Kind::unequal}, {"eq", 4, Kind::same}, {"ne", 4, Kind::differs},
                                               {"=~", 8, Kind::matches}, {"!~", 8, Kind::matches_not}, {"<=", 5, Kind::at_most}, {">=", 5, Kind::at_least},
                                               {"le", 5, Kind::negation}, {"ge", 5, Kind::negation}, {"lt", 5, Kind::before}, {"gt", 5, Kind::after},
                                               {"<", 5, Kind::less}, {">", 5, Kind::more}, {"+", 6, Kind::plus}, {"-", 6, Kind::minus},
                                               {".", 6, Kind::joined}, {"*", 7, Kind::times}, {"/", 7, Kind::over}, {"x", 9, Kind::text}}};

class Translator {
 public:
  explicit Translator(std::string_view text) : text_(text) {}

  std::optional<FieldTest> run() {
    if (!word("sub") || !sign("{")) return std::nullopt;
    word("return");
    auto test = expression(0);
    sign(";");
    if (!test || !sign("}")) return std::nullopt;
    blanks();
    return at_ == text_.size() ? test : std::nullopt;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool sign(std::string_view wanted) {
    blanks();
    if (!text_.substr(at_).starts_with(wanted)) return false;
    at_ += wanted.size();
    return true;
  }
  static bool part_of_word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }
  bool word(std::string_view wanted) {
    const std::size_t before = at_;
    if (sign(wanted) && (at_ == text_.size() || !part_of_word(text_[at_]))) return true;
    at_ = before;
    return false;
  }
  char now() const { return at_ < text_.size() ? text_[at_] : '\0'; }

  static FieldTest joined(Kind kind, FieldTest left, FieldTest right) {
    FieldTest out;
    out.kind = kind;
    out.parts.push_back(std::move(left));
    out.parts.push_back(std::move(right));
    return out;
  }

  const Operator* next_operator(int least) {
    blanks();
    for (const Operator& op : kOperators) {
      const std::string_view rest = text_.substr(at_);
      if (!rest.starts_with(op.text) || op.kind == Kind::text) continue;
      const bool letters = std::isalpha(static_cast<unsigned char>(op.text.front())) != 0;
      if (letters && rest.size() > op.text.size() && part_of_word(rest[op.text.size()])) continue;
      return op.binds >= least && op.kind != Kind::negation ? &op : nullptr;
    }
    return nullptr;
  }

  std::optional<FieldTest> expression(int least) {
    auto left = word("not") ? negated(expression(2)) : unary();
    while (left) {
      const Operator* op = next_operator(least);
      if (op == nullptr) return left;
      at_ += op->text.size();
      if (op->kind == Kind::matches || op->kind == Kind::matches_not) {
        left = matching(op->kind, *std::move(left));
        continue;
      }
      auto right = expression(op->binds + 1);
      if (!right) return std::nullopt;
      left = joined(op->kind, *std::move(left), *std::move(right));
    }
    return std::nullopt;
  }

  static std::optional<FieldTest> negated(std::optional<FieldTest> part) {
    if (!part) return std::nullopt;
    FieldTest out;
    out.kind = Kind::negation;
    out.parts.push_back(*std::move(part));
    return out;
  }

  std::optional<FieldTest> unary() {
    blanks();
    if (now() == '!' && !text_.substr(at_).starts_with("!~")) {
      ++at_;
      return negated(unary());
    }
    if (now() == '-') {
      ++at_;
      auto part = unary();
      FieldTest zero;
      zero.kind = Kind::number;
      zero.value = "0";
      return part ? std::optional(joined(Kind::minus, std::move(zero), *std::move(part))) : std::nullopt;
    }
    return primary();
  }

  std::optional<FieldTest> primary() {
    if (sign("(")) {
      auto inside = expression(0);
      return inside && sign(")") ? std::move(inside) : std::nullopt;
    }
    for (const auto& [name, kind] : {std::pair{"exists", Kind::exists}, std::pair{"defined", Kind::defined}, std::pair{"index", Kind::index},
                                     std::pair{"length", Kind::length}, std::pair{"lc", Kind::lower}, std::pair{"uc", Kind::upper}}) {
      if (word(name)) return function(kind);
    }
    blanks();
    if (now() == '$') return parameter();
    if (now() == '"' || now() == '\'') return text_literal();
    return number();
  }

  std::optional<FieldTest> function(Kind kind) {
    const bool braces = sign("(");
    if (!braces && kind == Kind::index) return std::nullopt;
    FieldTest out;
    out.kind = kind;
    auto first = braces ? expression(0) : primary();
    if (!first) return std::nullopt;
    if (kind == Kind::exists) {
      if (first->kind != Kind::field) return std::nullopt;
      out.index = first->index;
      out.value = first->value;
    }
    if (kind == Kind::defined && first->kind != Kind::field && first->kind != Kind::parameter) return std::nullopt;
    out.parts.push_back(*std::move(first));
    if (kind == Kind::index) {
      if (!sign(",")) return std::nullopt;
      auto second = expression(0);
      if (!second) return std::nullopt;
      out.parts.push_back(*std::move(second));
    }
    return !braces || sign(")") ? std::optional(std::move(out)) : std::nullopt;
  }

  // $_[0], $_[0]->{name}, $_[0]{"name"}
  std::optional<FieldTest> parameter() {
    if (!sign("$_[")) return std::nullopt;
    std::size_t n = 0, digits = 0;
    for (; std::isdigit(static_cast<unsigned char>(now())) && digits < 4; ++digits) n = n * 10 + static_cast<std::size_t>(text_[at_++] - '0');
    if (digits == 0 || !sign("]")) return std::nullopt;
    FieldTest out;
    out.kind = Kind::parameter;
    out.index = n;
    const bool arrow = sign("->");
    if (!sign("{")) return arrow ? std::nullopt : std::optional(std::move(out));
    blanks();
    out.kind = Kind::field;
    if (now() == '"' || now() == '\'') {
      auto name = text_literal();
      if (!name) return std::nullopt;
      out.value = name->value;
    } else {
      while (part_of_word(now())) out.value += text_[at_++];
    }
    if (out.value.empty() || !sign("}")) return std::nullopt;
    return out;
  }

  std::optional<FieldTest> text_literal() {
    const char quote = text_[at_++];
    FieldTest out;
    for (; at_ < text_.size() && text_[at_] != quote; ++at_) {
      char c = text_[at_];
      if (quote == '"' && (c == '$' || c == '@')) return std::nullopt;
      if (c == '\\') {
        if (++at_ == text_.size()) return std::nullopt;
        c = text_[at_];
        const bool plain = c == '\\' || c == quote || (quote == '"' && !std::isalnum(static_cast<unsigned char>(c)));
        if (!plain && quote == '"') return std::nullopt;
        if (!plain) out.value += '\\';
      }
      out.value += c;
    }
    if (at_ == text_.size()) return std::nullopt;
    ++at_;
    return out;
  }

  std::optional<FieldTest> number() {
    FieldTest out;
    out.kind = Kind::number;
    while (std::isdigit(static_cast<unsigned char>(now())) || (now() == '.' && !out.value.empty() && out.value.find('.') == std::string::npos)) out.value += text_[at_++];
    const bool octal = out.value.size() > 1 && out.value.front() == '0' && out.value[1] != '.';
    if (out.value.empty() || octal || part_of_word(now())) return std::nullopt;
    return out;
  }

  // =~ /regex/i
  std::optional<FieldTest> matching(Kind kind, FieldTest left) {
    blanks();
    char end = '/';
    if (now() == 'm') {
      end = at_ + 1 < text_.size() ? text_[++at_] : '\0';
      if (end == '{') end = '}';
      if (end == '(') end = ')';
    }
    if (now() != '/' && end == '/') return std::nullopt;
    ++at_;
    std::string regex;
    for (; at_ < text_.size() && text_[at_] != end; ++at_) {
      if (text_[at_] == '$' && at_ + 1 < text_.size() && text_[at_ + 1] != end && text_[at_ + 1] != ')' && text_[at_ + 1] != '|') return std::nullopt;
      if (text_[at_] == '@') return std::nullopt;
      if (text_[at_] == '\\' && at_ + 1 < text_.size()) {
        if (text_[at_ + 1] != end) regex += '\\';
        ++at_;
      }
      regex += text_[at_];
    }
    if (at_ == text_.size()) return std::nullopt;
    ++at_;
    std::string flags;
    while (std::isalpha(static_cast<unsigned char>(now()))) flags += text_[at_++];
    if (flags.find_first_not_of("ism") != std::string::npos) return std::nullopt;
    auto compiled = TextPattern::compile(flags.empty() ? regex : "(?" + flags + ")" + regex, 2);
    if (!compiled) return std::nullopt;
    FieldTest out;
    out.kind = kind;
    out.pattern = *std::move(compiled);
    out.parts.push_back(std::move(left));
    return out;
  }

  std::string_view text_;
  std::size_t at_ = 0;
};

}  // namespace

std::shared_ptr<const FieldTest> translate(const std::string& perl) {
  auto test = Translator(perl).run();
  return test ? std::make_shared<const FieldTest>(*std::move(test)) : nullptr;
}

}  // namespace correlator::rules::sec
