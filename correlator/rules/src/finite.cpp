// SPDX-License-Identifier: Apache-2.0
// What can be said about an expression from its text alone: the names in it, the conditions it asks for, the
// texts it can give.
#include <algorithm>

#include "base/text.h"
#include "context.h"
#include "scope.h"

namespace correlator::rules {
namespace {

bool is_name_start(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}
bool is_name(char c) {
  return is_name_start(c) || (c >= '0' && c <= '9') || c == '.';
}

// The end of the quoted text that begins at `at`.
std::size_t quote_end(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (std::size_t i = at + 1; i < text.size(); ++i) {
    if (text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      return i;
    }
  }
  return text.size();
}

// Calls `visit(position, depth)` for each byte outside of quotes; depth counts open brackets.
template <class Visit>
void scan(std::string_view text, Visit visit) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '\'' || c == '"') {
      i = quote_end(text, i);
      continue;
    }
    if (c == ')' || c == ']') --depth;
    if (!visit(i, depth)) return;
    if (c == '(' || c == '[') ++depth;
  }
}

std::string_view without_brackets(std::string_view text) {
  text = trim(text);
  while (text.size() >= 2 && text.front() == '(') {
    std::size_t closes = std::string_view::npos;
    scan(text, [&](std::size_t i, int depth) {
      if (text[i] == ')' && depth == 0) closes = i;
      return closes == std::string_view::npos;
    });
    if (closes != text.size() - 1) break;
    text = trim(text.substr(1, text.size() - 2));
  }
  return text;
}

// Where `c ? a : b` splits at its top: the question mark and its colon.
std::optional<std::pair<std::size_t, std::size_t>> ternary(std::string_view text) {
  std::size_t question = std::string_view::npos, colon = std::string_view::npos;
  int nested = 0;
  scan(text, [&](std::size_t i, int depth) {
    if (depth != 0) return true;
    if (text[i] == '?') {
      const bool is_default = (i + 1 < text.size() && text[i + 1] == '?') || (i > 0 && text[i - 1] == '?');
      if (is_default) return true;
      if (question == std::string_view::npos) {
        question = i;
      } else {
        ++nested;
      }
    } else if (text[i] == ':' && question != std::string_view::npos) {
      if (nested == 0) {
        colon = i;
        return false;
      }
      --nested;
    }
    return true;
  });
  if (colon == std::string_view::npos) return std::nullopt;
  return std::pair(question, colon);
}

std::size_t default_operator(std::string_view text) {
  std::size_t at = std::string_view::npos;
  scan(text, [&](std::size_t i, int depth) {
    if (depth == 0 && text[i] == '?' && i + 1 < text.size() && text[i + 1] == '?') at = i;
    return at == std::string_view::npos;
  });
  return at;
}

using Texts = std::optional<std::vector<std::string>>;

Texts joined(Texts a, const Texts& b) {
  if (!a || !b) return std::nullopt;
  a->insert(a->end(), b->begin(), b->end());
  return a;
}

Texts texts_of(std::string_view text, const LetTexts& lets, const Context& context, int depth) {
  if (depth > 20) return std::nullopt;
  text = without_brackets(text);
  if (text.empty()) return std::nullopt;
  if (const auto split = ternary(text)) {
    return joined(
        texts_of(text.substr(split->first + 1, split->second - split->first - 1), lets, context, depth + 1),
        texts_of(text.substr(split->second + 1), lets, context, depth + 1));
  }
  if (const std::size_t at = default_operator(text); at != std::string_view::npos) {
    return joined(texts_of(text.substr(0, at), lets, context, depth + 1),
                  texts_of(text.substr(at + 2), lets, context, depth + 1));
  }
  if (text.front() == '\'' || text.front() == '"') {
    if (quote_end(text, 0) != text.size() - 1 || text.find('\\') != std::string_view::npos)
      return std::nullopt;
    return std::vector<std::string>{std::string(text.substr(1, text.size() - 2))};
  }
  const auto end =
      static_cast<std::size_t>(std::find_if_not(text.begin(), text.end(), is_name) - text.begin());
  const std::string_view name = text.substr(0, end);
  if (end == text.size()) {
    const auto let = lets.find(name);
    return let == lets.end() ? std::nullopt : texts_of(let->second, lets, context, depth + 1);
  }
  const auto map = context.maps.find(name);
  if (map == context.maps.end() || text[end] != '(' || text.back() != ')') return std::nullopt;
  std::size_t closes = 0;
  scan(text, [&](std::size_t i, int level) {
    if (text[i] == ')' && level == 0) closes = i;
    return closes == 0;
  });
  if (closes != text.size() - 1) return std::nullopt;
  std::vector<std::string> out;
  const MapDef& def = context.set.maps[map->second];
  for (const auto& [key, value] : def.entries) out.push_back(expr::to_text(value));
  if (def.otherwise) out.push_back(expr::to_text(*def.otherwise));
  return out;
}

}  // namespace

std::vector<std::string> identifiers(std::string_view expression) {
  std::vector<std::string> out;
  std::size_t next = 0;
  scan(expression, [&](std::size_t i, int) {
    if (i < next || !is_name_start(expression[i])) return true;
    if (i > 0 && is_name(expression[i - 1])) return true;
    std::size_t end = i;
    while (end < expression.size() && is_name(expression[end])) ++end;
    next = end;
    std::string name(expression.substr(i, end - i));
    constexpr std::string_view kWords[] = {"and", "or", "not", "in", "true", "false", "none"};
    const bool word = std::find(std::begin(kWords), std::end(kWords), name) != std::end(kWords);
    if (word || (end < expression.size() && expression[end] == '(')) return true;  // a function
    if (i > 0 && expression[i - 1] == '.') return true;                            // a column
    if (std::find(out.begin(), out.end(), name) == out.end()) out.push_back(std::move(name));
    return true;
  });
  return out;
}

std::vector<std::string> asked_for(std::string_view condition) {
  condition = without_brackets(condition);
  std::vector<std::string> out;
  std::size_t begin = 0;
  bool loose = false;  // an `or` or `? :` at the top: nothing must be true
  std::vector<std::string_view> parts;
  scan(condition, [&](std::size_t i, int depth) {
    if (depth != 0) return true;
    const std::string_view rest = condition.substr(i);
    const bool starts = i == 0 || !is_name(condition[i - 1]);
    if (starts && rest.starts_with("or") && (rest.size() == 2 || !is_name(rest[2]))) loose = true;
    if (starts && rest.starts_with("and") && (rest.size() == 3 || !is_name(rest[3]))) {
      parts.push_back(condition.substr(begin, i - begin));
      begin = i + 3;
    }
    return true;
  });
  parts.push_back(condition.substr(begin));
  if (loose || ternary(condition)) return out;
  for (std::string_view part : parts) {
    part = without_brackets(part);
    if (parts.size() > 1) {
      for (std::string& name : asked_for(part)) out.push_back(std::move(name));
      continue;
    }
    if (!part.starts_with("has(") || !part.ends_with(")")) continue;
    const std::string_view name = trim(part.substr(4, part.size() - 5));
    if (!name.empty() && std::all_of(name.begin(), name.end(), is_name)) out.emplace_back(name);
  }
  return out;
}

Texts possible_texts(std::string_view expression, const LetTexts& lets, const Context& context) {
  return texts_of(expression, lets, context, 0);
}

Texts possible_template_texts(std::string_view text, const LetTexts& lets, const Context& context) {
  const std::size_t open = text.find("${");
  if (open == std::string_view::npos) return std::vector<std::string>{std::string(text)};
  std::size_t close = std::string_view::npos;
  const std::string_view behind = text.substr(open + 2);
  scan(behind, [&](std::size_t i, int) {
    if (behind[i] == '}') close = i;
    return close == std::string_view::npos;
  });
  if (close == std::string_view::npos) return std::nullopt;
  const Texts middle = possible_texts(behind.substr(0, close), lets, context);
  const Texts tail = possible_template_texts(behind.substr(close + 1), lets, context);
  if (!middle || !tail || middle->size() * tail->size() > 10'000) return std::nullopt;
  std::vector<std::string> out;
  for (const std::string& m : *middle) {
    for (const std::string& t : *tail) out.push_back(std::string(text.substr(0, open)) + m + t);
  }
  return out;
}

}  // namespace correlator::rules
