// SPDX-License-Identifier: Apache-2.0
// What a power cut may take: lines answered in a storm within the last 20 ms, with --durability strict none.
#pragma once

#include <vector>

#include "time/timestamp.h"

namespace correlator::sim {

// Whether lines came so fast that the bucket of synced commits (50, refilled at 200 a second) was empty at the last of them.
// `recorded`: moments at which state-changing lines were answered, in order.
bool in_a_storm(const std::vector<Timestamp>& recorded);

inline constexpr Duration kUnsynced = Duration::milliseconds(20);

}  // namespace correlator::sim
