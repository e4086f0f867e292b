// SPDX-License-Identifier: Apache-2.0
// Where in a text four bytes stand that may be in a table, looked at 16 places at a time.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace correlator::pattern {

// Setting bit 5 of each byte folds case for letters and a few other bytes together.
inline constexpr std::uint32_t kFold = 0x20202020u;

inline constexpr std::uint32_t kWindowFactor = 0x9e3779b1u;

inline std::uint32_t window_index(std::uint32_t key, unsigned bits) {
  return (key * kWindowFactor) >> (32 - bits);
}

inline constexpr unsigned kWideFilters = 6;

// The windows that are looked for, folded.
struct WideTable {
  unsigned width = 4;   // bytes of a window; 2 and 3 only with a stride of 1
  unsigned stride = 1;  // 4, 2 or 1: every such place of the text is looked at
  unsigned bits = 16;   // of the bitmap's index
  std::vector<std::uint32_t> keys;  // each once
  // Parts of a Bloom filter, 1024 bits each: small enough for registers.
  alignas(64) std::array<std::array<std::uint8_t, 128>, kWideFilters> filters{};

  void add(std::uint32_t key);
};

inline constexpr std::size_t kWidePlaces = 512;  // what one call may find, and some more

// `bitmap`: 32 windows to a word. From `at` on: writes places to `out` until there is no room or the text is nearly at its end, moves `at` to where it
// stopped, and returns how many. All have their window marked in the bitmap, or equal to a key where it is of two or three bytes. What is left is done when `at` stays where it was.
using WideFinder = std::size_t (*)(const WideTable& table, const std::uint32_t* bitmap, const char* data, std::size_t size,
                                   std::size_t& at, std::uint32_t* out);
inline constexpr std::size_t kWideRoom = kWidePlaces + 64;

// What this CPU can do for such a table; nullptr: nothing. `narrow`: as if it were an older one.
WideFinder wide_finder(const WideTable& table, bool narrow);
const char* wide_name(WideFinder finder);

}  // namespace correlator::pattern
