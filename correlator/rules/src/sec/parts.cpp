// SPDX-License-Identifier: Apache-2.0
#include "parts.h"

#include <algorithm>
#include <cctype>

namespace correlator::rules::sec {
namespace {

bool blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }
bool escaped(std::string_view text, std::size_t at) { return at > 0 && text[at - 1] == '\\'; }

}  // namespace

void Reading::error(const Field& field, std::size_t offset, std::size_t length, std::string message, std::string hint) {
  failed = true;
  said.push_back(about(file, field, offset, length, std::move(message), std::move(hint)));
}

void Reading::warn(const Field& field, std::size_t offset, std::size_t length, std::string message, std::string hint) {
  said.push_back(about(file, field, offset, length, std::move(message), std::move(hint)));
  said.back().gravity = Gravity::warning;
}

std::optional<Code> Reading::code(const Field& field, std::size_t offset, std::string_view source) {
  Diagnostic wrong;
  if (options.code == nullptr) {
    wrong = make_error("E084", "this needs Perl, which this program was built without",
                       "write the test with match variables and context names, or build with libperl-dev installed");
  } else {
    auto number = options.code->compile(std::string(source));
    if (number) return Code{std::string(source), *number};
    wrong = number.error();
  }
  failed = true;
  Diagnostic d = about(file, field, offset, source.size(), wrong.message, wrong.hint);
  d.code = wrong.code;
  said.push_back(std::move(d));
  return std::nullopt;
}

Slice Slice::trimmed() const {
  std::size_t from = 0, to = text.size();
  while (from < to && blank(text[from])) ++from;
  while (to > from && blank(text[to - 1])) --to;
  return part(from, to - from);
}

Slice Slice::take_word() {
  std::size_t end = 0;
  while (end < text.size() && !blank(text[end])) ++end;
  const Slice word = part(0, end);
  *this = part(end).trimmed();
  return word;
}

Slice inside_parentheses(Slice text) {
  const Slice bare = text.trimmed();
  if (bare.text.size() < 2 || bare.text.front() != '(' || bare.text.back() != ')' || escaped(bare.text, bare.text.size() - 1)) return text;
  return bare.part(1, bare.text.size() - 2).trimmed();
}

std::string unwrapped(std::string_view text) {
  std::string out;
  const std::string_view inside = inside_parentheses({text, 0}).text;
  for (std::size_t i = 0; i < inside.size(); ++i) {
    if (inside[i] == '\\' && i + 1 < inside.size() && (inside[i + 1] == '(' || inside[i + 1] == ')')) continue;
    out += inside[i];
  }
  return out;
}

std::size_t find_outside(std::string_view text, std::string_view wanted) {
  std::size_t depth = 0, found = std::string_view::npos;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(' && !escaped(text, i)) ++depth;
    else if (text[i] == ')' && !escaped(text, i) && depth-- == 0) return kUnbalanced;
    else if (depth == 0 && found == std::string_view::npos && !wanted.empty() && text.substr(i).starts_with(wanted)) found = i;
  }
  return depth == 0 ? found : kUnbalanced;
}

std::vector<Slice> split_outside(Slice text, std::string_view separator) {
  std::vector<Slice> out;
  for (;;) {
    const std::size_t at = find_outside(text.text, separator);
    if (at >= kUnbalanced) break;
    out.push_back(text.part(0, at));
    text = text.part(at + separator.size());
  }
  out.push_back(text);
  return out;
}

std::size_t closing(std::string_view text) {
  std::size_t depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (escaped(text, i)) continue;
    if (text[i] == '(') ++depth;
    if (text[i] == ')' && --depth == 0) return i;
  }
  return std::string_view::npos;
}

bool has_parenthesis(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if ((text[i] == '(' || text[i] == ')') && !escaped(text, i)) return true;
  }
  return false;
}

bool is_name(std::string_view text) {
  return !text.empty() && std::isalpha(static_cast<unsigned char>(text[0])) &&
         std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) || c == '_'; });
}

bool is_blank(std::string_view text) { return std::all_of(text.begin(), text.end(), blank); }

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

std::uint64_t number_of(std::string_view digits) {
  std::uint64_t out = 0;
  for (const char c : digits) out = std::min<std::uint64_t>(out * 10 + static_cast<std::uint64_t>(c - '0'), kLargestNumber);
  return out;
}

}  // namespace correlator::rules::sec
