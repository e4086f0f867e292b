// SPDX-License-Identifier: Apache-2.0
// Names of files by pattern, as Perl's glob() finds them: words at blanks, quotes around blanks, braces, and an order without case.
#include <glob.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <utility>

#include "base/text.h"
#include "program.h"

namespace correlator::sec {
namespace {

bool blank(char c) { return std::isspace(static_cast<unsigned char>(c)) != 0; }

// Quotes only keep blanks together; what they hold is a pattern still. One that is not closed is text.
std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < text.size();) {
    if (blank(text[i])) {
      ++i;
      continue;
    }
    std::string word;
    for (; i < text.size() && !blank(text[i]); ++i) {
      const char c = text[i];
      const std::size_t end = c == '"' || c == '\'' ? text.find(c, i + 1) : std::string_view::npos;
      if (end != std::string_view::npos) {
        word += text.substr(i + 1, end - i - 1);
        i = end;
        continue;
      }
      word += c;
      if (c == '\\' && i + 1 < text.size()) word += text[++i];
    }
    out.push_back(std::move(word));
  }
  return out;
}

// Where a { and its } stand; {} is text.
std::optional<std::pair<std::size_t, std::size_t>> braces_in(std::string_view word) {
  for (std::size_t open = 0; open < word.size(); ++open) {
    if (word[open] == '\\') {
      ++open;
      continue;
    }
    if (word[open] != '{' || word.substr(open).starts_with("{}")) continue;
    int depth = 0;
    for (std::size_t i = open; i < word.size(); ++i) {
      if (word[i] == '\\') ++i;
      else if (word[i] == '{') ++depth;
      else if (word[i] == '}' && --depth == 0) return std::pair{open, i};
    }
    return std::nullopt;
  }
  return std::nullopt;
}

void expand_braces(const std::string& word, std::vector<std::string>& out) {
  const auto braces = braces_in(word);
  if (!braces) {
    out.push_back(word);
    return;
  }
  const auto [open, close] = *braces;
  int depth = 0;
  std::size_t from = open + 1;
  for (std::size_t i = from; i <= close; ++i) {
    if (word[i] == '\\') ++i;
    else if (word[i] == '{') ++depth;
    else if ((word[i] == ',' && depth == 0) || i == close) {
      expand_braces(word.substr(0, open) + word.substr(from, i - from) + word.substr(close + 1), out);
      from = i + 1;
    } else if (word[i] == '}') --depth;
  }
}

// In a class only ! negates.
std::string with_plain_carets(const std::string& word) {
  std::string out;
  for (std::size_t i = 0; i < word.size(); ++i) {
    out += word[i];
    if (word[i] == '\\' && i + 1 < word.size()) out += word[++i];
    else if (word[i] == '[' && i + 1 < word.size() && word[i + 1] == '^') out += '\\';
  }
  return out;
}

}  // namespace

std::vector<std::string> expand_glob(const std::string& pattern) {
  std::vector<std::string> out;
  for (const std::string& word : words_of(pattern)) {
    std::vector<std::string> plain;
    expand_braces(word, plain);
    for (const std::string& one : plain) {
      glob_t found{};
      std::vector<std::pair<std::string, std::string>> names;  // without case, the name
      if (::glob(with_plain_carets(one).c_str(), GLOB_TILDE | GLOB_NOMAGIC | GLOB_NOSORT, nullptr, &found) == 0) {
        for (std::size_t i = 0; i < found.gl_pathc; ++i) names.emplace_back(lower(found.gl_pathv[i]), found.gl_pathv[i]);
      }
      ::globfree(&found);
      std::sort(names.begin(), names.end());
      for (auto& [folded, name] : names) out.push_back(std::move(name));
    }
  }
  return out;
}

}  // namespace correlator::sec
