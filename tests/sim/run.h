// SPDX-License-Identifier: Apache-2.0
// One seed: a script of lines and commands, an engine and a dispatcher that die, a disk that fails; and what must hold afterwards.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace correlator::sim {

enum class Mode { kills, power };

struct RunOptions {
  Mode mode = Mode::kills;
  bool strict = false;  // --durability strict
  int lines = 60;
  bool talk = false;
};

struct RunResult {
  std::vector<std::string> wrong;  // empty: all invariants hold
  std::uint64_t lines = 0, recorded = 0, decisions = 0;
  std::uint64_t engine_deaths = 0, dispatcher_deaths = 0, power_cuts = 0, troubles = 0, spooled = 0, refused = 0, repeated = 0, reloads = 0;
  std::uint64_t lost = 0, lost_allowed = 0, doubled = 0;  // lines; allowed: unsynced in a storm at a power cut
  std::int64_t lost_span_us = 0;                          // the longest time before a cut whose lines went
  std::uint64_t starts = 0, started_again = 0, opinions = 0;
  std::uint64_t forgotten = 0;  // jobs that a power cut left without their decisions

  void add(const RunResult& other);
};

RunResult run_seed(std::uint64_t seed, const RunOptions& options);

}  // namespace correlator::sim
