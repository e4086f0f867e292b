// SPDX-License-Identifier: Apache-2.0
#include "lexer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace correlator::expr {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name_part(char c) {
  return is_name_start(c) || is_digit(c);
}
bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

struct Foreign {
  std::string_view text;
  std::string_view hint;
};

// Longer ones first.
constexpr Foreign kForeign[] = {
    {"===", "write =="}, {"!==", "write !="},
    {"&&", "write and"}, {"||", "write or"},
    {"=~", "write ~"},   {"!~", "write not x ~ 'pattern'"},
    {"<>", "write !="},  {"**", "there are no powers; 1 << n is 2 to the n"},
    {"=", "write =="},   {"!", "write not"},
};

constexpr std::string_view kOperators[] = {"==", "!=", "<=", ">=", "<<", ">>", "??", "<", ">",
                                           "~",  "|",  "^",  "&",  "+",  "-",  "*",  "/", "%",
                                           "?",  ":",  "(",  ")",  "[",  "]",  ",",  ".", "}"};

}  // namespace

Diagnostic error_at(std::string_view code, std::uint32_t offset, std::uint32_t length, std::string message,
                    std::string hint) {
  Diagnostic d = make_error(code, std::move(message), std::move(hint));
  d.place.column = offset + 1;
  d.caret_length = std::max<std::uint32_t>(length, 1);
  return d;
}

Token Lexer::token(TokenKind kind, std::uint32_t start) const {
  return {kind, start, at_ - start, text_.substr(start, at_ - start), {}};
}

Token Lexer::fail(std::string_view code, std::uint32_t start, std::uint32_t length, std::string message,
                  std::string hint) {
  error_ = error_at(code, start, length, std::move(message), std::move(hint));
  return token(TokenKind::bad, start);
}

Token Lexer::next(bool raw) {
  while (at_ < text_.size() && is_blank(text_[at_])) ++at_;
  if (at_ >= text_.size()) return token(TokenKind::end, at_);
  const char c = text_[at_];
  if (is_digit(c)) return number();
  if (c == '\'' || c == '"') return quoted(raw);
  if (is_name_start(c)) return name();
  return symbol();
}

Token Lexer::number() {
  const std::uint32_t start = at_;
  while (is_name_part(peek())) ++at_;
  const std::string_view word = text_.substr(start, at_ - start);
  Token literal = token(TokenKind::literal, start);
  const bool hex = word.starts_with("0x") || word.starts_with("0X");
  const bool digits = std::all_of(word.begin(), word.end(), is_digit);
  if (const auto n = hex ? parse_hex(word) : parse_uint(word)) {
    literal.value = *n;
  } else if (digits || (hex && word.size() > 18)) {
    return fail("E107", start, at_ - start, fmt::format("{} is too large", word),
                "integers end at 18446744073709551615 (0xffffffffffffffff)");
  } else if (hex) {
    return fail("E107", start, at_ - start, fmt::format("{} is not a hexadecimal number", word),
                "hexadecimal digits are 0-9 a-f");
  } else if (const auto duration = parse_duration(word)) {
    literal.value = *duration;
  } else {
    return fail(
        "E107", start, at_ - start, fmt::format("{} is neither a number nor a duration", word),
        "a duration is written 90s, 24h or 1h30m (units w d h m s ms us, the largest first); text stands "
        "in quotes");
  }
  if (peek() == '.' && is_digit(peek(1))) {
    return fail("E107", start, at_ - start + 1, "there are no fractions",
                "write 1500ms for 1.5 s, or x * 3 / 2 for 1.5 x");
  }
  return literal;
}

Token Lexer::quoted(bool raw) {
  const std::uint32_t start = at_;
  const char quote = text_[at_++];
  std::string out;
  while (at_ < text_.size() && text_[at_] != quote) {
    if (text_[at_] != '\\') {
      out += text_[at_++];
    } else if (raw) {
      // A pattern's "\'" means "'", so that both bytes can go to the pattern as they are.
      out += text_[at_++];
      if (at_ < text_.size()) out += text_[at_++];
    } else if (!escape(out)) {
      return token(TokenKind::bad, start);
    }
  }
  if (at_ >= text_.size()) {
    return fail("E107", start, 1, "the text that begins here does not end",
                fmt::format("put a {} behind it; inside the text write \\{}", quote, quote));
  }
  ++at_;
  Token literal = token(TokenKind::literal, start);
  literal.value = std::move(out);
  return literal;
}

bool Lexer::escape(std::string& out) {
  const std::uint32_t start = at_++;
  const char c = peek();
  ++at_;
  switch (c) {
    case '\\':
    case '\'':
    case '"':
      out += c;
      return true;
    case 'n':
      out += '\n';
      return true;
    case 't':
      out += '\t';
      return true;
    case 'x':
      if (const auto byte = parse_hex(text_.substr(std::min<std::size_t>(at_, text_.size()), 2));
          byte && is_name_part(peek(1))) {
        out += static_cast<char>(*byte);
        at_ += 2;
        return true;
      }
      fail("E107", start, 2, "\\x needs two hexadecimal digits",
           "write \\x0a, or \\\\x for a backslash and an x");
      return false;
    default:
      break;
  }
  at_ = static_cast<std::uint32_t>(std::min<std::size_t>(at_, text_.size()));
  const std::string shown(text_.substr(start, at_ - start));
  fail("E107", start, at_ - start, fmt::format("{} is no escape", shown),
       fmt::format(
           "write \\{} for a backslash; the escapes are \\\\ \\' \\\" \\n \\t \\xNN (a pattern directly "
           "behind ~ needs none)",
           shown));
  return false;
}

Token Lexer::name() {
  const std::uint32_t start = at_;
  while (is_name_part(peek())) ++at_;
  while (peek() == '.' && is_name_start(peek(1))) {
    ++at_;
    while (is_name_part(peek())) ++at_;
  }
  return token(TokenKind::name, start);
}

Token Lexer::symbol() {
  const std::uint32_t start = at_;
  const std::string_view rest = text_.substr(at_);
  const auto begins = [&](std::string_view op) { return rest.starts_with(op); };
  for (const Foreign& foreign : kForeign) {
    const bool ours = foreign.text.size() <= 1 && (begins("==") || begins("!="));
    if (begins(foreign.text) && !ours) {
      return fail("E106", start, static_cast<std::uint32_t>(foreign.text.size()),
                  fmt::format("{} is not an operator here", foreign.text), std::string(foreign.hint));
    }
  }
  for (const std::string_view op : kOperators) {
    if (begins(op)) {
      at_ += static_cast<std::uint32_t>(op.size());
      return token(TokenKind::op, start);
    }
  }
  std::string hint = "text stands in quotes: 'text'";
  if (begins("{") || begins("$")) hint = "inside an expression a name stands alone: write name, not ${name}";
  if (begins("\\")) hint = "a backslash stands only inside quotes";
  return fail("E101", start, 1, fmt::format("{} has no meaning here", printable(rest.substr(0, 1))),
              std::move(hint));
}

}  // namespace correlator::expr
