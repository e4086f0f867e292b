// SPDX-License-Identifier: Apache-2.0
#include "regex_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "regex_impl.h"
#include "syntax.h"

namespace correlator::pattern {
namespace {

struct Problem {
  std::string code = "E110";
  std::size_t begin = 0;
  std::size_t length = 1;
  std::string message;
  std::string hint;
};

// The ( that stays open, or the ) that closes nothing.
Problem unbalanced(std::string_view pattern) {
  std::vector<Token> open;
  for (const Token& token : tokenise(pattern)) {
    if (token.kind == TokenKind::open) open.push_back(token);
    if (token.kind != TokenKind::close) continue;
    if (open.empty())
      return {"E110", token.begin, 1, "a ) without its (", "write \\) for the character itself"};
    open.pop_back();
  }
  Problem out{"E110", 0, 1, "a ( that is never closed",
              "close it with ), or write \\( for the character itself"};
  if (!open.empty()) {
    out.begin = open.back().begin;
    out.length = open.back().end - open.back().begin;
  }
  return out;
}

std::optional<Problem> bad_name(std::string_view pattern) {
  std::set<std::string_view> seen;
  for (const Token& token : tokenise(pattern)) {
    const std::string_view text = pattern.substr(token.begin, token.end - token.begin);
    if (token.kind != TokenKind::open || !(text.starts_with("(?<") || text.starts_with("(?P<"))) continue;
    std::string_view name = text.substr(text.find('<') + 1);
    Problem out{"E110", token.begin, text.size(), {}, {}};
    if (!name.ends_with('>')) {
      out.message = "a group name that is never closed with >";
      out.hint = "write (?<name>…)";
      return out;
    }
    name.remove_suffix(1);
    const auto plain = [](char c) {
      return c == '_' || (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    };
    if (name.empty() || !std::all_of(name.begin(), name.end(), plain)) {
      out.message = fmt::format("'{}' cannot be a group name", name);
      out.hint = "use letters, digits and _";
      return out;
    }
    if (!seen.insert(name).second) {
      out.message = fmt::format("two groups are named '{}'", name);
      out.hint = fmt::format("name them {}1 and {}2 and join them with ??, e.g. let.{} = \"{}1 ?? {}2\"",
                             name, name, name, name, name);
      return out;
    }
  }
  return std::nullopt;
}

// The repetition that has nothing in front of it, or that follows another one.
std::size_t misplaced_repeat(std::string_view pattern, bool after_repeat) {
  const std::vector<Token> tokens = tokenise(pattern);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (tokens[i].kind != TokenKind::repeat) continue;
    const TokenKind before = i > 0 ? tokens[i - 1].kind : TokenKind::bar;
    if (after_repeat && before == TokenKind::repeat) return tokens[i - 1].begin;
    if (!after_repeat &&
        (before == TokenKind::bar || before == TokenKind::open || before == TokenKind::flags)) {
      return tokens[i].begin;
    }
  }
  return 0;
}

Problem no_class(std::size_t begin, const std::string& arg) {
  return {"E110", begin, arg.size(), fmt::format("{} is no character class", arg),
          "e.g. [0-9a-f], [[:alpha:]], \\d"};
}

Problem words(re2::RE2::ErrorCode code, std::string_view pattern, const std::string& arg) {
  using R = re2::RE2;
  const std::size_t found = arg.empty() ? std::string_view::npos : pattern.find(arg);
  const std::size_t begin = found == std::string_view::npos ? 0 : found;
  const std::size_t length = found == std::string_view::npos ? pattern.size() : arg.size();
  switch (code) {
    case R::ErrorMissingParen:
    case R::ErrorUnexpectedParen:
      return unbalanced(pattern);
    case R::ErrorBadNamedCapture:
      return bad_name(pattern).value_or(
          Problem{"E110", begin, length, "a group name that RE2 does not accept", "write (?<name>…)"});
    case R::ErrorBadEscape:
      return {"E110", begin, length, fmt::format("{} is no escape sequence", arg),
              "write \\\\ for a backslash; a letter or digit is written without one"};
    case R::ErrorBadCharClass:
      return no_class(begin, arg);
    case R::ErrorBadCharRange:
      if (arg.starts_with("[:")) return no_class(begin, arg);
      return {"E110", begin, length, fmt::format("the range {} is empty or runs backwards", arg),
              "write the lower end first, or put - in the last place for the character itself"};
    case R::ErrorMissingBracket:
      return {"E110", begin, 1, "a [ that is never closed",
              "close it with ], or write \\[ for the character itself"};
    case R::ErrorTrailingBackslash:
      return {"E110", pattern.empty() ? 0 : pattern.size() - 1, 1, "the pattern ends in a single \\",
              "write \\\\ for a backslash"};
    case R::ErrorRepeatArgument:
      return {"E110", misplaced_repeat(pattern, false), length, fmt::format("{} has nothing to repeat", arg),
              fmt::format("write \\{} for the character itself", arg.substr(0, 1))};
    case R::ErrorRepeatSize:
      return {"E110", begin, length, fmt::format("the repetition {} is refused", arg),
              "RE2 repeats at most 1000 times, the lower number first; use * or + and a condition on the "
              "capture"};
    case R::ErrorRepeatOp:
      return {"E110", misplaced_repeat(pattern, true), length,
              fmt::format("two repetitions in a row: {}", arg), "leave one out, or group the first: (?:a*)+"};
    case R::ErrorBadPerlOp:
      return {"E110", begin, length, fmt::format("{} is no group that RE2 knows", arg),
              "groups are (…), (?:…), (?<name>…) and (?i:…)"};
    case R::ErrorPatternTooLarge:
      return {"E112", 0, pattern.size(), "the pattern is too large when its repetitions are written out",
              "nested counted repetitions multiply: use * or + for the outer one"};
    case R::ErrorBadUTF8:
      return {"E110", 0, pattern.size(), "the pattern is not valid UTF-8",
              "write other bytes as \\x and two hex digits"};
    default:
      return {"E110", begin, length, "RE2 refuses the pattern", "split it into two patterns"};
  }
}

Diagnostic to_diagnostic(std::string_view pattern, Problem problem) {
  Diagnostic out = make_error(problem.code, std::move(problem.message), std::move(problem.hint));
  out.place.column = static_cast<std::uint32_t>(problem.begin + 1);
  out.caret_length = static_cast<std::uint32_t>(std::max<std::size_t>(problem.length, 1));
  out.source = pattern;
  return out;
}

}  // namespace

std::optional<Diagnostic> name_error(std::string_view pattern) {
  if (auto problem = bad_name(pattern)) return to_diagnostic(pattern, *std::move(problem));
  return std::nullopt;
}

Diagnostic pattern_error(std::string_view pattern, const std::string& rewritten,
                         const Regex::Options& options) {
  if (const auto unsupported = find_unsupported(pattern)) {
    return to_diagnostic(
        pattern, {"E111", unsupported->begin, unsupported->length, unsupported->message, unsupported->hint});
  }
  // FilteredRE2 drops the program together with its reason; ask RE2 once more.
  const re2::RE2 again(rewritten, re2_options(options));
  return to_diagnostic(pattern, words(again.error_code(), pattern, again.error_arg()));
}

}  // namespace correlator::pattern
