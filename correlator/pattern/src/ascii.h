// SPDX-License-Identifier: Apache-2.0
// Case folding as RE2's prefilter does it for bytes: A to Z and nothing else.
#pragma once

#include <string>
#include <string_view>

namespace correlator::pattern {

inline char ascii_lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

inline void ascii_lower(std::string_view text, std::string& out) {
  out.resize(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) out[i] = ascii_lower(text[i]);
}

}  // namespace correlator::pattern
