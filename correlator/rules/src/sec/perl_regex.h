// SPDX-License-Identifier: Apache-2.0
// Perl's regular expressions in RE2's spelling, where that means the same on a text of bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace correlator::rules::sec {

struct Rewritten {
  std::string text;
  std::string obstacle;  // what RE2 cannot do; empty: `text` means what the pattern means
};
Rewritten to_re2(std::string_view perl, std::uint32_t lines);
// The same for PCRE2, which can all of it; an obstacle is what Perl refuses.
Rewritten to_pcre2(std::string_view perl);

}  // namespace correlator::rules::sec
