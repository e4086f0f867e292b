// SPDX-License-Identifier: Apache-2.0
// How much of a random test is run.
#pragma once

#include <algorithm>
#include <cstdint>

// `full`, or a tenth of it where the sanitizers make each step slower by two orders of magnitude: what they look for shows
// with any input, what the test looks for is looked for in the other build.
constexpr std::uint64_t effort(std::uint64_t full) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return std::max<std::uint64_t>(full / 10, 1);
#else
  return full;
#endif
}
