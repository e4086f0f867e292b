// SPDX-License-Identifier: Apache-2.0
// LevelWindow: how far a value rose within a span.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "time/timestamp.h"
#include "window/pairs.h"

namespace correlator::window {

class LevelWindow {
 public:
  static constexpr std::size_t kMaxValues = 64;  // newest by (time, arrival)

  // value - the smallest value in (t - within, t], the new one included; so at least 0.
  std::uint64_t add(Timestamp t, std::uint64_t value, Duration within);

  void forget_until(Timestamp time) { pairs_.drop_until(time); }
  void clear() { pairs_.clear(); }
  bool empty() const { return pairs_.empty(); }
  std::optional<Timestamp> newest() const;
  std::span<const Pair> values() const { return pairs_.view(); }

  void encode(std::string& out) const { pairs_.encode(out); }  // "[t,value,…]"
  static std::optional<LevelWindow> decode(std::string_view& text);

 private:
  Pairs pairs_;
};

}  // namespace correlator::window
