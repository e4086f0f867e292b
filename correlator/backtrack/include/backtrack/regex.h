// SPDX-License-Identifier: Apache-2.0
// Regular expressions that RE2 cannot do (references back, looking around), on PCRE2 with limits. The only module that
// knows PCRE2; without it, compile() says so.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace correlator::backtrack {

class Regex {
 public:
  static bool available();
  // Bytes, unanchored. E082 with the offset as column, or E083 if this build has no PCRE2.
  static Result<Regex> compile(std::string_view pattern);

  enum class Outcome { match, no_match, gave_up };
  // `gave_up`: the limit of steps was reached; the text was not decided.
  Outcome match(std::string_view text, std::vector<std::string_view>& groups) const;
  std::size_t group_count() const;
  const std::vector<std::string>& group_names() const;

  struct Impl;

 private:
  explicit Regex(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace correlator::backtrack
