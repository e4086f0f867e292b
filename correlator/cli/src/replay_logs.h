// SPDX-License-Identifier: Apache-2.0
// correlator replay LOG...: archived logs through the engine, with what it prints and, with --act, runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "common.h"
#include "pipeline/replay.h"

namespace correlator::cli {

struct ReplayArguments {
  std::vector<std::string> logs, sec;
  RuleOptions rules;
  std::string from, to, zone = "UTC", boot, host, state, recorded, actions = kActionsDirectory;
  int year = 0;
  bool act = false, shadow = false, events = false, json = false, windows = false, no_progress = false,
       no_read_ahead = false, profile = false, whole = false;
  std::size_t block_size = 0;  // as suits the number of threads
  unsigned threads = usable_cpus();
  std::uint64_t commit_bytes = pipeline::ReplayOptions{}.commit_bytes, record_bytes = pipeline::ReplayOptions{}.record_bytes;
  bool zone_given = false;
};

// The exit code.
int replay_logs(const ReplayArguments& arguments);

}  // namespace correlator::cli
