// SPDX-License-Identifier: Apache-2.0
#include "time/clock.h"

#include <chrono>

namespace correlator {

Timestamp SystemClock::now() const {
  const auto since_epoch = std::chrono::system_clock::now().time_since_epoch();
  return {std::chrono::duration_cast<std::chrono::microseconds>(since_epoch).count()};
}

}  // namespace correlator
