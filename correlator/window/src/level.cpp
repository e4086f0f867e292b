// SPDX-License-Identifier: Apache-2.0
#include "window/level.h"

#include <algorithm>

namespace correlator::window {

std::uint64_t LevelWindow::add(Timestamp t, std::uint64_t value, Duration within) {
  std::uint64_t lowest = value;
  for (const Pair& pair : pairs_.view()) {
    if (t - within < pair.time && pair.time <= t) lowest = std::min(lowest, pair.weight);
  }
  if (pairs_.size() == kMaxValues) {
    pairs_.replace_oldest({t, value});
  } else {
    pairs_.insert({t, value}, kMaxValues);
  }
  return value - lowest;
}

std::optional<Timestamp> LevelWindow::newest() const {
  if (pairs_.empty()) return std::nullopt;
  return pairs_.view().back().time;
}

std::optional<LevelWindow> LevelWindow::decode(std::string_view& text) {
  std::optional<Pairs> pairs = Pairs::decode(text, kMaxValues);
  if (!pairs) return std::nullopt;
  LevelWindow window;
  window.pairs_ = std::move(*pairs);
  return window;
}

}  // namespace correlator::window
