// SPDX-License-Identifier: Apache-2.0
// What a power cut may take: lines answered in a storm within the last 20 ms, with --durability strict none.
#pragma once

#include <cstdint>

#include "time/timestamp.h"

namespace correlator::sim {

inline constexpr Duration kUnsynced = Duration::milliseconds(20);

// What is promised of synced commits (docs/reliability.md): lines wait for their sync only where more than 200 a second are needed, of
// a bucket of 50, or more than a quarter of the time.
class SyncBucket {
 public:
  // Syncs of one round of the engine, which began at `now`.
  void take(Timestamp now, std::uint64_t syncs, Duration took);
  // Whether it had none left at `then`, since when nothing was synced.
  bool was_empty(Timestamp then, Timestamp now);

 private:
  static constexpr double kBurst = 50, kPerSecond = 200, kShareOfTime = 0.25;
  void refill(Timestamp now);

  double tokens_ = kBurst;
  Timestamp at_ = Timestamp::min();
};

}  // namespace correlator::sim
