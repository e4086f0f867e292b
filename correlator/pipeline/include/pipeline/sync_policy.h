// SPDX-License-Identifier: Apache-2.0
// When a commit waits for the disk (docs/designs/live.md, "Syncing").
#pragma once

#include <optional>

#include "time/timestamp.h"

namespace correlator::pipeline {

class SyncPolicy {
 public:
  struct Options {
    bool strict = false;                              // every commit
    double per_second = 200;                          // synced commits, of a bucket that holds…
    double burst = 50;
    double of_the_time = 0.25;                        // and no more of it than this: a slow disk must not set the pace of a storm
    Duration at_least = Duration::milliseconds(20);   // while something is unsynced
  };
  SyncPolicy() : SyncPolicy(Options{}) {}
  explicit SyncPolicy(Options options) : options_(options), tokens_(options.burst) {}

  // Whether the commit at hand is to be synced before its line is answered.
  bool wanted(Timestamp now, bool has_decision);
  // `took`: the commit, with its sync.
  void committed(Timestamp now, bool synced, Duration took = {});
  // When what is unsynced must be synced, also without a further line; nothing if all is.
  std::optional<Timestamp> deadline() const;
  // Whether more lines come than can be synced each.
  bool storm() const { return !options_.strict && tokens_ < 1; }
  // True while lines are acknowledged before they are synced.
  bool batching() const { return unsynced_since_.has_value(); }

 private:
  Options options_;
  double tokens_;
  std::optional<Timestamp> refilled_, unsynced_since_;
};

}  // namespace correlator::pipeline
