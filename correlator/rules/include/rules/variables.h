// SPDX-License-Identifier: Apache-2.0
// Where variables stand in a text of a procedure's rule.
#pragma once

#include <cstddef>
#include <string_view>

namespace correlator::rules {

// A match variable behind its $ or %: "1", "{1}", "+{name}", ":{entry:name}".
struct MatchVariable {
  std::string_view entry;  // of the match cache; empty: of the match at hand
  std::string_view name;
  std::size_t length = 0;  // behind the sign; 0: this is no variable
};
MatchVariable match_variable(std::string_view behind);

// An action list variable behind its %: "name", "{name}", ".name", "{.name}".
struct ListVariable {
  std::string_view name;
  std::size_t length = 0;
};
ListVariable list_variable(std::string_view behind);

}  // namespace correlator::rules
