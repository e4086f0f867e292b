// SPDX-License-Identifier: Apache-2.0
// Regex: one compiled pattern over bytes. The dialect is RE2's, and `(?<name>…)` means `(?P<name>…)`.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace correlator::pattern {

// Copies share one compiled program; const use is safe from any number of threads.
class Regex {
 public:
  struct Options {
    bool latin1 = true;          // one byte is one character; false: the pattern and the text are UTF-8
    bool case_sensitive = true;  // false: as if the pattern began with (?i)
  };

  // E110 (syntax), E111 (a construct of PCRE that RE2 lacks) or E112 (too large). place.column is the 1-based
  // byte offset inside the pattern, caret_length the length of the construct, source the pattern itself.
  static Result<Regex> compile(std::string_view pattern, Options options);
  static Result<Regex> compile(std::string_view pattern) { return compile(pattern, Options()); }

  // Whether the pattern matches anywhere in `text`; cheaper than match().
  bool matches(std::string_view text) const;

  // The leftmost match. groups[0] is the whole match, groups[i] the i-th parenthesis; a group that took no
  // part has data() == nullptr. The views point into `text`. `groups` is cleared when there is no match.
  bool match(std::string_view text, std::vector<std::string_view>& groups) const;

  std::size_t group_count() const;  // parentheses, without the whole match
  // group_count() + 1 entries: the name of group i, empty for an unnamed one and for group 0.
  const std::vector<std::string>& group_names() const;
  const std::string& pattern() const;  // as given to compile()
  const Options& options() const;

  struct Impl;

 private:
  friend class PatternSet;
  explicit Regex(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace correlator::pattern
