// SPDX-License-Identifier: Apache-2.0
// The wall clock as an interface, so that tests own time.
#pragma once

#include <cstdint>

#include "time/timestamp.h"

namespace correlator {

class Clock {
 public:
  virtual ~Clock() = default;
  virtual Timestamp now() const = 0;
};

class SystemClock final : public Clock {
 public:
  Timestamp now() const override;
};

// Nanoseconds of CPU that the calling thread has used, to say what things cost.
std::uint64_t thread_cpu_time();

class SimulatedClock final : public Clock {
 public:
  explicit SimulatedClock(Timestamp start = {}) : now_(start) {}
  Timestamp now() const override { return now_; }
  void set(Timestamp time) { now_ = time; }
  void advance(Duration by) { now_ = now_ + by; }

 private:
  Timestamp now_;
};

}  // namespace correlator
