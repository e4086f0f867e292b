// SPDX-License-Identifier: Apache-2.0
// People bring their patterns from PCRE. Each construct that RE2 lacks has a way around it, said here.
#include <fmt/format.h>

#include "syntax.h"

namespace correlator::pattern {
namespace {

struct Construct {
  std::string_view start;  // how the token begins
  std::string_view name;
  std::string_view hint;
};

constexpr std::string_view kCompare =
    "capture both places under two names and compare them in a condition, e.g. where = \"a == b\"";
constexpr std::string_view kNesting =
    "write the nesting out to the depth you need, e.g. \\((?:[^()]|\\([^()]*\\))*\\)";

constexpr Construct kGroups[] = {
    {"(?=", "lookahead",
     "match the text that follows as part of the pattern and put what you need into (?<name>…)"},
    {"(?!", "negative lookahead",
     "match the wider text into (?<name>…) and exclude the rest with a condition, e.g. where = \"name != "
     "'x'\""},
    {"(?<=", "lookbehind",
     "write the text before as part of the pattern and capture the rest: before(?<name>…)"},
    {"(?<!", "negative lookbehind",
     "capture the text before as well, (?<name>…), and exclude it with a condition, e.g. where = \"name != "
     "'x'\""},
    {"(?>", "atomic group", "write (?:…): RE2 never backtracks, an atomic group gains nothing"},
    {"(?(", "conditional group", "write both cases as an alternation: (?:a|b)"},
    {"(?|", "branch reset group",
     "name the groups of each branch and join them with ??, e.g. let.x = \"a ?? b\""},
    {"(?#", "comment group",
     "put the comment into a line of its own that begins with #, outside the pattern"},
    {"(?'", "quoted group name", "write (?<name>…)"},
    {"(?P=", "backreference", kCompare},
    {"(?P>", "recursion", kNesting},
    {"(?R", "recursion", kNesting},
    {"(?&", "recursion", kNesting},
    {"(?+", "recursion", kNesting},
};

constexpr Construct kEscapes[] = {
    {"\\K", "\\K", "capture what stands behind it instead: before(?<name>…)"},
    {"\\G", "\\G", "a pattern is tried once on each line: begin it with ^ if it has to start there"},
    {"\\Z", "\\Z", "write \\z, or $"},
    {"\\h", "\\h", "write [ \\t]"},
    {"\\H", "\\H", "write [^ \\t]"},
    {"\\R", "\\R", "write \\r?\\n; a line never contains its own line break"},
    {"\\N", "\\N", "write . without the flag s"},
    {"\\X", "\\X", "write . ; text is matched byte by byte"},
    {"\\e", "\\e", "write \\x1b"},
    {"\\c", "\\c", "write the control character as \\x and two hex digits"},
    {"\\u", "\\u", "write the bytes of the character itself, or \\x and two hex digits for one byte"},
    {"\\g", "backreference", kCompare},
    {"\\k", "backreference", kCompare},
};

template <std::size_t N>
const Construct* find(const Construct (&table)[N], std::string_view text) {
  for (const Construct& construct : table) {
    if (text.starts_with(construct.start)) return &construct;
  }
  return nullptr;
}

Unsupported describe(std::size_t begin, std::string_view text, std::string_view name, std::string_view hint) {
  const bool same = text == name;
  return {begin, text.size(),
          same ? fmt::format("RE2 has no {}", name) : fmt::format("RE2 has no {}: {}", name, text),
          std::string(hint)};
}

std::optional<Unsupported> in_escape(std::size_t begin, std::string_view text) {
  if (text.size() >= 2 && text[1] >= '1' && text[1] <= '9')
    return describe(begin, text, "backreference", kCompare);
  if (const Construct* found = find(kEscapes, text)) return describe(begin, text, found->name, found->hint);
  return std::nullopt;
}

std::optional<Unsupported> in_group(std::size_t begin, std::string_view text) {
  if (const Construct* found = find(kGroups, text)) return describe(begin, text, found->name, found->hint);
  if (!text.starts_with("(?") || text.starts_with("(?P<") || text.starts_with("(?<")) return std::nullopt;
  if (text.size() > 2 && text[2] >= '0' && text[2] <= '9')
    return describe(begin, text, "recursion", kNesting);
  if (text.find('x') != std::string_view::npos) {
    return describe(begin, text, "flag x (free spacing)",
                    "write the pattern without blanks and comments in it");
  }
  return std::nullopt;
}

}  // namespace

std::optional<Unsupported> find_unsupported(std::string_view pattern) {
  const std::vector<Token> tokens = tokenise(pattern);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    const Token& token = tokens[i];
    const std::string_view text = pattern.substr(token.begin, token.end - token.begin);
    std::optional<Unsupported> found;
    if (token.kind == TokenKind::escape) found = in_escape(token.begin, text);
    if (token.kind == TokenKind::open || token.kind == TokenKind::flags) found = in_group(token.begin, text);
    if (token.kind == TokenKind::repeat && i + 1 < tokens.size()) {
      const bool possessive = tokens[i + 1].kind == TokenKind::repeat && pattern[tokens[i + 1].begin] == '+';
      if (possessive) {
        const std::string hint =
            fmt::format("write {}: RE2 never backtracks, a possessive repetition gains nothing", text);
        found = describe(token.begin, pattern.substr(token.begin, text.size() + 1), "possessive repetition",
                         hint);
      }
      const bool verb = token.end - token.begin == 1 && pattern[token.begin] == '*' && i > 0 &&
                        tokens[i - 1].kind == TokenKind::open && tokens[i + 1].kind == TokenKind::literal;
      if (verb)
        found = describe(token.begin - 1, "(*", "verb", "leave it out; write \\(\\* for the two characters");
    }
    if (found) return found;
  }
  return std::nullopt;
}

}  // namespace correlator::pattern
