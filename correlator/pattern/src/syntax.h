// SPDX-License-Identifier: Apache-2.0
// The surface of a pattern as tokens: enough to rewrite group names, to drop assertions and to name what RE2
// refuses. RE2 itself stays the judge of what a pattern means.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace correlator::pattern {

enum class TokenKind {
  literal,    // one byte
  escape,     // \d \. \x{41} \pL …
  klass,      // […]
  quoted,     // \Q…\E
  open,       // ( with its header: (?: (?<n> (?P<n> (?i: (?=
  flags,      // (?i)
  close,      // )
  bar,        // |
  repeat,     // * + ? {2,3}, with a lazy ?
  assertion,  // ^ $ \A \z \b \B
};

struct Token {
  TokenKind kind;
  std::size_t begin;
  std::size_t end;
};

std::vector<Token> tokenise(std::string_view pattern);

// `(?<name>` becomes `(?P<name>`; everything else is kept byte for byte.
std::string with_re2_names(std::string_view pattern);

// The pattern for RE2 in Latin-1 mode. RE2 20220601 looks for the literal a pattern begins with before it
// runs the pattern, and takes that literal for UTF-8 if it came from the common beginning of alternatives:
// é|è never matches. Where that may happen an empty expression goes in front, which turns the search for the
// literal off.
std::string with_safe_prefix(std::string_view pattern);

// The pattern with each assertion replaced by the empty expression. RE2 has no negation around assertions, so
// this matches in every line that contains a substring which `pattern` matches.
std::string without_assertions(std::string_view pattern);

// The first construct that RE2 does not have.
struct Unsupported {
  std::size_t begin;
  std::size_t length;
  std::string message;
  std::string hint;
};
std::optional<Unsupported> find_unsupported(std::string_view pattern);

}  // namespace correlator::pattern
