// SPDX-License-Identifier: Apache-2.0
#include "syntax.h"

#include <algorithm>

namespace correlator::pattern {
namespace {

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_alpha(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

class Tokeniser {
 public:
  explicit Tokeniser(std::string_view pattern) : text_(pattern) {}

  std::vector<Token> run() {
    while (at_ < text_.size()) {
      const std::size_t begin = at_;
      const TokenKind kind = next();
      tokens_.push_back({kind, begin, at_});
    }
    return std::move(tokens_);
  }

 private:
  char peek(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }
  bool has(std::size_t count) const { return at_ + count <= text_.size(); }
  void skip_past(std::string_view stop) {
    const std::size_t found = text_.find(stop, at_);
    at_ = found == std::string_view::npos ? text_.size() : found + stop.size();
  }

  TokenKind next() {
    switch (text_[at_]) {
      case '\\':
        return escape();
      case '[':
        return klass();
      case '(':
        return open();
      case ')':
        ++at_;
        return TokenKind::close;
      case '|':
        ++at_;
        return TokenKind::bar;
      case '^':
      case '$':
        ++at_;
        return TokenKind::assertion;
      case '*':
      case '+':
      case '?':
        ++at_;
        return lazy();
      case '{':
        if (const std::size_t length = counted_repeat(); length > 0) {
          at_ += length;
          return lazy();
        }
        break;
      default:
        break;
    }
    ++at_;
    return TokenKind::literal;
  }

  TokenKind lazy() {
    if (has(1) && peek() == '?') ++at_;
    return TokenKind::repeat;
  }

  // Length of {n} {n,} {n,m} at the current place, 0 if the brace is a plain character.
  std::size_t counted_repeat() const {
    std::size_t i = 1;
    if (!is_digit(peek(i))) return 0;
    while (is_digit(peek(i))) ++i;
    if (peek(i) == ',') ++i;
    while (is_digit(peek(i))) ++i;
    return peek(i) == '}' ? i + 1 : 0;
  }

  TokenKind escape() {
    if (!has(2)) {
      ++at_;
      return TokenKind::escape;
    }
    const char c = peek(1);
    at_ += 2;
    if (c == 'Q') {
      skip_past("\\E");
      return TokenKind::quoted;
    }
    if (c == 'A' || c == 'z' || c == 'b' || c == 'B') return TokenKind::assertion;
    if (c == 'x' || c == 'p' || c == 'P' || c == 'g' || c == 'k' || c == 'u') braces(c);
    if (c >= '1' && c <= '9') {
      while (has(1) && is_digit(peek())) ++at_;
    }
    return TokenKind::escape;
  }

  // What follows \x \p \g \k \u.
  void braces(char c) {
    if (has(1) && peek() == '{') {
      skip_past("}");
    } else if (c == 'k' && has(1) && peek() == '<') {
      skip_past(">");
    } else if (c == 'p' || c == 'P' || c == 'g') {
      if (has(1)) ++at_;
    } else if (c == 'x') {
      for (int i = 0; i < 2 && has(1) &&
                      std::string_view("0123456789abcdefABCDEF").find(peek()) != std::string_view::npos;
           ++i) {
        ++at_;
      }
    }
  }

  TokenKind klass() {
    ++at_;
    if (has(1) && peek() == '^') ++at_;
    bool first = true;  // a ] in the first place is a member
    while (has(1)) {
      const char c = peek();
      if (c == ']' && !first) {
        ++at_;
        return TokenKind::klass;
      }
      first = false;
      if (c == '\\') {
        at_ += has(2) ? 2 : 1;
      } else if (c == '[' && peek(1) == ':' && text_.find(":]", at_ + 2) != std::string_view::npos) {
        skip_past(":]");
      } else {
        ++at_;
      }
    }
    return TokenKind::klass;
  }

  TokenKind open() {
    ++at_;
    if (!has(1) || peek() != '?') return TokenKind::open;
    ++at_;
    if (peek() == 'P' && peek(1) == '<') {
      skip_past(">");
    } else if (peek() == '<' && peek(1) != '=' && peek(1) != '!') {
      skip_past(">");
    } else if (is_alpha(peek()) || peek() == '-' || peek() == ':') {
      while (has(1) && (is_alpha(peek()) || peek() == '-')) ++at_;
      if (peek() == ')' && has(1)) {
        ++at_;
        return TokenKind::flags;
      }
      if (has(1)) ++at_;  // the colon, or what RE2 will refuse
    } else if (peek() == '<' && has(2)) {
      at_ += 2;
    } else if (has(1)) {
      ++at_;
    }
    return TokenKind::open;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<Token> tokens_;
};

std::string_view slice(std::string_view pattern, const Token& token) {
  return pattern.substr(token.begin, token.end - token.begin);
}

// Whether some escape may be a byte in octal.
bool has_octal(std::string_view pattern) {
  for (std::size_t i = 0; i + 1 < pattern.size(); ++i) {
    if (pattern[i] == '\\' && is_digit(pattern[i + 1])) return true;
  }
  return false;
}

// What must follow so that more can be appended: \E for a quotation that is still open.
std::string_view closing(std::string_view pattern) {
  const std::vector<Token> tokens = tokenise(pattern);
  const bool open = !tokens.empty() && tokens.back().kind == TokenKind::quoted &&
                    !pattern.substr(tokens.back().begin + 2).ends_with("\\E");
  return open ? "\\E" : "";
}

}  // namespace

std::vector<Token> tokenise(std::string_view pattern) {
  return Tokeniser(pattern).run();
}

std::string with_re2_names(std::string_view pattern) {
  std::string out;
  out.reserve(pattern.size() + 8);
  for (const Token& token : tokenise(pattern)) {
    const std::string_view text = slice(pattern, token);
    const bool named = token.kind == TokenKind::open && text.size() > 3 && text.starts_with("(?<") &&
                       text[3] != '=' && text[3] != '!';
    if (named) {
      out += "(?P<";
      out += text.substr(3);
    } else {
      out += text;
    }
  }
  return out;
}

std::string with_safe_prefix(std::string_view pattern) {
  const auto high = [](char c) { return static_cast<unsigned char>(c) >= 0x80; };
  const bool may_be_high = std::any_of(pattern.begin(), pattern.end(), high) ||
                           pattern.find("\\x") != std::string_view::npos || has_octal(pattern);
  if (!may_be_high || pattern.find('|') == std::string_view::npos) return std::string(pattern);
  std::size_t depth = 0;
  for (const Token& token : tokenise(pattern)) {
    depth += token.kind == TokenKind::open;
    // Wrapped in a group, a)|(b would become valid.
    if (token.kind == TokenKind::close && depth-- == 0) return std::string(pattern);
  }
  return depth > 0 ? std::string(pattern)
                   : "(?:)(?:" + std::string(pattern) + std::string(closing(pattern)) + ")";
}

std::string without_assertions(std::string_view pattern) {
  std::string out;
  out.reserve(pattern.size() + 8);
  for (const Token& token : tokenise(pattern)) {
    if (token.kind == TokenKind::assertion) {
      out += "(?:)";
    } else {
      out += slice(pattern, token);
    }
  }
  return out;
}

}  // namespace correlator::pattern
