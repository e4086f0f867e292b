// SPDX-License-Identifier: Apache-2.0
// What an import has to know of a regular expression: its groups, what they can hold, and whether a line fits in one way.
#pragma once

#include <bitset>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace correlator::rules::sec {

using Bytes = std::bitset<256>;

struct GroupFacts {
  std::size_t open = 0, close = 0;  // where its parentheses stand
  std::size_t inner = 0;            // where what is inside begins
  bool always = true;               // it takes part in each match
  std::optional<Bytes> bytes;       // what its text is made of, where it is one class repeated
  bool may_be_empty = true;
};

// By number; the first is that of the whole match and says nothing.
std::vector<GroupFacts> groups_of(const std::string& regexp);
// The same pattern where groups have these names, and all others are no groups.
std::string with_names(const std::string& regexp, const std::vector<GroupFacts>& groups, const std::map<std::size_t, std::string>& names);
// The text as a pattern that matches it, and nothing else.
std::string as_regexp(std::string_view text);
// True: there is no line that both match. Seen where both begin with ^ and different letters.
bool apart(const std::string& one, const std::string& other);
// Whether a line can fit in one way only, up to byte `until` of the pattern: so that what a group in front of it captures is the
// only value that it could have.
bool fits_in_one_way(const std::string& regexp, std::size_t until);

}  // namespace correlator::rules::sec
