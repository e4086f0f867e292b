// SPDX-License-Identifier: Apache-2.0
// Minutes of a cron expression in its zone (semantics.md, "schedule").
#pragma once

#include <optional>

#include "rules/model.h"

namespace correlator::engine {

// The first minute of `cron` after `time`, in UTC; none within eight years (30 February). An expression for
// every hour follows the clock on the wall minute by minute, also through an hour that comes twice; one that
// names hours fires once for each: a minute that the clocks skip as if they had not been put forward, one
// that comes twice at the first of both.
std::optional<Timestamp> next_minute(const rules::Cron& cron, Timestamp time);

// Whether the minute that holds `time` belongs to `cron` on the wall clock of its zone.
bool covers(const rules::Cron& cron, Timestamp time);
bool covers(const rules::Calendar& calendar, Timestamp time);

}  // namespace correlator::engine
