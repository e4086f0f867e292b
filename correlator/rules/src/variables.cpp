// SPDX-License-Identifier: Apache-2.0
#include "rules/variables.h"

#include <algorithm>
#include <cctype>

namespace correlator::rules {
namespace {

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool word(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

std::size_t digits(std::string_view text) {
  return static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), digit) - text.begin());
}

// Letters, digits, _ and !, and no digit in front unless all are digits.
bool is_field(std::string_view name) {
  if (name.empty()) return false;
  if (digits(name) == name.size()) return true;
  return (letter(name.front()) || name.front() == '_') && std::all_of(name.begin(), name.end(), [](char c) { return word(c) || c == '!'; });
}

}  // namespace

MatchVariable match_variable(std::string_view behind) {
  if (behind.empty()) return {};
  if (digit(behind.front())) {
    const std::size_t n = digits(behind);
    return {{}, behind.substr(0, n), n};
  }
  const std::size_t open = behind.front() == '{' ? 0 : 1;
  if (open == 1 && behind.front() != '+' && behind.front() != ':') return {};
  if (behind.size() <= open || behind[open] != '{') return {};
  const std::size_t end = behind.find('}', open);
  if (end == std::string_view::npos) return {};
  const std::string_view inside = behind.substr(open + 1, end - open - 1);
  if (open == 0) return digits(inside) == inside.size() && !inside.empty() ? MatchVariable{{}, inside, end + 1} : MatchVariable{};
  if (behind.front() == '+') return is_field(inside) ? MatchVariable{{}, inside, end + 1} : MatchVariable{};
  const std::size_t colon = inside.find(':');
  if (colon == std::string_view::npos || !is_field(inside.substr(colon + 1)) || colon == 0 || !letter(inside.front())) return {};
  return {inside.substr(0, colon), inside.substr(colon + 1), end + 1};
}

ListVariable list_variable(std::string_view behind) {
  const bool braces = !behind.empty() && behind.front() == '{';
  std::string_view inside = behind;
  if (braces) {
    const std::size_t end = behind.find('}');
    if (end == std::string_view::npos) return {};
    inside = behind.substr(1, end - 1);
  }
  std::size_t n = !inside.empty() && inside.front() == '.' ? 1 : 0;
  if (n >= inside.size() || !letter(inside[n])) return {};
  while (n < inside.size() && word(inside[n])) ++n;
  if (braces && n != inside.size()) return {};
  return {inside.substr(0, n), braces ? n + 2 : n};
}

}  // namespace correlator::rules
