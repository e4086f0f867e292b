// SPDX-License-Identifier: Apache-2.0
// Sums and gaps that all windows share.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>

#include "time/timestamp.h"
#include "window/pairs.h"

namespace correlator::window {

inline std::uint64_t add_saturating(std::uint64_t a, std::uint64_t b) {
  return b > std::numeric_limits<std::uint64_t>::max() - a ? std::numeric_limits<std::uint64_t>::max()
                                                           : a + b;
}

inline Timestamp time_of(const Pair& pair) {
  return pair.time;
}
inline Timestamp time_of(Timestamp time) {
  return time;
}

// The smallest p + quiet such that nothing lies in (p, p + quiet), over the sorted `items` with a time >=
// `from`.
template <class Item>
std::optional<Timestamp> quiet_after(std::span<const Item> items, Timestamp from, Duration quiet) {
  std::optional<Timestamp> previous;
  for (const Item& item : items) {
    const Timestamp time = time_of(item);
    if (time < from) continue;
    if (previous && *previous < time && !(time < *previous + quiet)) return *previous + quiet;
    previous = time;
  }
  if (!previous) return std::nullopt;
  return *previous + quiet;
}

}  // namespace correlator::window
