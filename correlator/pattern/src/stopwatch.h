// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>

namespace correlator::pattern {

// Adds the time of its life to a count. With none it asks no clock.
class Stopwatch {
 public:
  explicit Stopwatch(std::int64_t* to) : to_(to) {
    if (to_ != nullptr) begin_ = Clock::now();
  }
  ~Stopwatch() {
    if (to_ != nullptr) *to_ += std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - begin_).count();
  }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;

 private:
  using Clock = std::chrono::steady_clock;
  std::int64_t* to_;
  Clock::time_point begin_;
};

}  // namespace correlator::pattern
