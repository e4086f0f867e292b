// SPDX-License-Identifier: Apache-2.0
#include "variables.h"

#include <algorithm>
#include <cctype>

namespace correlator::engine {
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

void ShellWriter::literal(char c) {
  out_ += c;
  if (escaped_) {
    escaped_ = false;
  } else if (inside_ == Inside::single) {
    if (c == '\'') inside_ = Inside::nothing;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    inside_ = inside_ == Inside::twice ? Inside::nothing : Inside::twice;
  } else if (c == '\'' && inside_ == Inside::nothing) {
    inside_ = Inside::single;
  }
}

void ShellWriter::value(std::string_view text, bool one_word) {
  escaped_ = false;  // a \ in front quotes the first character of what follows, which is fine for it
  if (inside_ == Inside::twice) {
    for (const char c : text) {
      if (c == '"' || c == '\\' || c == '$' || c == '`') out_ += '\\';
      out_ += c;
    }
    return;
  }
  bool quoted = inside_ == Inside::single;
  const bool was = quoted;
  if (one_word && text.empty() && !quoted) out_ += "''";
  for (const char c : text) {
    const bool plain = word(c) || std::string_view("-+./:=@%,").find(c) != std::string_view::npos;
    const bool separates = (c == ' ' || c == '\t') && !one_word;
    if (c == '\'') {
      out_ += quoted ? "'\\''" : "\\'";
    } else if (!was && (plain || separates) && !(quoted && !separates)) {
      if (quoted) out_ += '\'';
      quoted = false;
      out_ += c;
    } else {
      if (!quoted) out_ += '\'';
      quoted = true;
      out_ += c;
    }
  }
  if (quoted && !was) out_ += '\'';
}

void CodeWriter::literal(char c) {
  out_ += c;
  if (escaped_) escaped_ = false;
  else if (c == '\\') escaped_ = true;
  else if (c == '\'' && !twice_) single_ = !single_;
  else if (c == '"' && !single_) twice_ = !twice_;
}

void CodeWriter::value(std::string_view text, bool) {
  const std::string name = "$main::SEC::_value[" + std::to_string(values_.size()) + "]";
  values_.emplace_back(text);
  escaped_ = false;
  out_ += single_ ? "'." + name + ".'" : name;
}

}  // namespace correlator::engine
