// SPDX-License-Identifier: Apache-2.0
// Source text to tokens. Knows the operators of other languages only to say what to write instead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "expr/value.h"

namespace correlator::expr {

enum class TokenKind { end, literal, name, op, bad };

struct Token {
  TokenKind kind = TokenKind::end;
  std::uint32_t offset = 0;  // of the first byte
  std::uint32_t length = 0;
  std::string_view text;  // the bytes as written
  Value value;            // of a literal
};

class Lexer {
 public:
  // Reads `text` from `start` on; offsets count from the beginning of `text`.
  Lexer(std::string_view text, std::uint32_t start) : text_(text), at_(start) {}

  // With `raw`, a text literal keeps its backslashes: it is a pattern, whose escapes are the pattern's own.
  // TokenKind::bad means that error() says why.
  Token next(bool raw = false);
  const Diagnostic& error() const { return error_; }

 private:
  Token number();
  Token quoted(bool raw);
  Token name();
  Token symbol();
  bool escape(std::string& out);
  Token token(TokenKind kind, std::uint32_t start) const;
  Token fail(std::string_view code, std::uint32_t start, std::uint32_t length, std::string message,
             std::string hint);
  char peek(std::uint32_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  std::string_view text_;
  std::uint32_t at_;
  Diagnostic error_;
};

// An error at a byte offset of the source text.
Diagnostic error_at(std::string_view code, std::uint32_t offset, std::uint32_t length, std::string message,
                    std::string hint);

}  // namespace correlator::expr
