// SPDX-License-Identifier: Apache-2.0
#include "pipeline/sync_policy.h"

#include <algorithm>

namespace correlator::pipeline {

bool SyncPolicy::wanted(Timestamp now, bool has_decision) {
  if (options_.strict) return true;
  // A wall clock that was set back refills nothing until it is past again.
  const double seconds = refilled_ ? std::max<double>(0, static_cast<double>((now - *refilled_).us) / 1e6) : 0;
  tokens_ = std::min(options_.burst, tokens_ + seconds * options_.per_second);
  refilled_ = now;
  if (has_decision) return true;
  if (const auto due = deadline(); due && (now >= *due || now < *unsynced_since_)) return true;
  return tokens_ >= 1;
}

void SyncPolicy::committed(Timestamp now, bool synced, Duration took) {
  if (synced) {
    // A slow one costs as many as would make up its share of the time, and may leave a debt.
    const double share = static_cast<double>(took.us) / 1e6 * options_.per_second / options_.of_the_time;
    tokens_ = std::max(-options_.burst, tokens_ - std::max(1.0, share));
    unsynced_since_.reset();
    return;
  }
  // It would have taken one: what comes faster than the bucket fills is a storm until it does not, and the deadline alone syncs it.
  tokens_ = std::min(tokens_, std::max(0.0, tokens_ - 1));
  if (!unsynced_since_) unsynced_since_ = now;
}

std::optional<Timestamp> SyncPolicy::deadline() const {
  if (!unsynced_since_) return std::nullopt;
  return *unsynced_since_ + options_.at_least;
}

}  // namespace correlator::pipeline
