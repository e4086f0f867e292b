// SPDX-License-Identifier: Apache-2.0
// Byte-wise scanning of a string_view from its front. Everything here is inline: it runs once for each line.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace correlator::syslog {

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
inline bool is_upper(char c) {
  return c >= 'A' && c <= 'Z';
}
inline bool is_lower(char c) {
  return c >= 'a' && c <= 'z';
}
inline bool is_alnum(char c) {
  return is_digit(c) || is_upper(c) || is_lower(c);
}

inline bool take(std::string_view& text, char c) {
  if (text.empty() || text[0] != c) return false;
  text.remove_prefix(1);
  return true;
}

inline bool take(std::string_view& text, std::string_view word) {
  if (!text.starts_with(word)) return false;
  text.remove_prefix(word.size());
  return true;
}

inline void skip_blanks(std::string_view& text) {
  while (!text.empty() && text[0] == ' ') text.remove_prefix(1);
}

// The length of a binary field in journal export: 8 bytes, of which there must be as many.
inline std::uint64_t little_endian(std::string_view eight) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | static_cast<unsigned char>(eight[i]);
  return value;
}

// 1 to `longest` digits (at most 18).
inline std::optional<std::uint64_t> take_number(std::string_view& text, std::size_t longest) {
  std::uint64_t value = 0;
  std::size_t n = 0;
  for (; n < text.size() && n < longest && is_digit(text[n]); ++n) {
    value = value * 10 + static_cast<std::uint64_t>(text[n] - '0');
  }
  if (n == 0) return std::nullopt;
  text.remove_prefix(n);
  return value;
}

// A pid or the like: up to 10 digits that fit.
inline std::optional<std::uint32_t> take_id(std::string_view& text) {
  std::string_view rest = text;
  const auto value = take_number(rest, 10);
  if (!value || *value > 0xffffffffu || (!rest.empty() && is_digit(rest[0]))) return std::nullopt;
  text = rest;
  return static_cast<std::uint32_t>(*value);
}

inline std::optional<std::uint32_t> whole_id(std::string_view text) {
  const auto value = take_id(text);
  return text.empty() ? value : std::nullopt;
}

// Up to the first blank; the blank stays.
inline std::string_view first_word(std::string_view text) {
  return text.substr(0, text.find(' '));
}

}  // namespace correlator::syslog
