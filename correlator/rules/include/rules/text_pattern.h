// SPDX-License-Identifier: Apache-2.0
// A regular expression of Perl's dialect over bytes: RE2 where it can, a backtracking matcher with limits where it must.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace correlator::backtrack {
class Regex;
}
namespace correlator::pattern {
class Regex;
}

namespace correlator::rules {

class TextPattern {
 public:
  // `lines`: how many lines the text has that it will be tried on. E082 if Perl would not take it, E083 if
  // only a backtracking matcher could and this build has none.
  static Result<TextPattern> compile(std::string_view perl, std::uint32_t lines, bool may_backtrack = true);

  // The leftmost match; groups as pattern::Regex::match gives them.
  bool match(std::string_view text, std::vector<std::string_view>& groups) const;
  std::size_t group_count() const;
  const std::vector<std::string>& group_names() const;  // of group i; empty for one without a name

  // What the literal scan can work with; nullptr if the pattern backtracks.
  const pattern::Regex* scannable() const { return fast_.get(); }
  // Why RE2 could not take it; empty if it could.
  const std::string& reason() const { return reason_; }

 private:
  std::shared_ptr<const pattern::Regex> fast_;
  std::shared_ptr<const backtrack::Regex> slow_;
  std::string reason_;
};

}  // namespace correlator::rules
