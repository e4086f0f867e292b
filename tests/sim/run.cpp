// SPDX-License-Identifier: Apache-2.0
#include "run.h"

#include <algorithm>

#include "check.h"
#include "machine.h"

namespace correlator::sim {

void RunResult::add(const RunResult& other) {
  wrong.insert(wrong.end(), other.wrong.begin(), other.wrong.end());
  lines += other.lines, recorded += other.recorded, decisions += other.decisions;
  engine_deaths += other.engine_deaths, dispatcher_deaths += other.dispatcher_deaths, power_cuts += other.power_cuts;
  troubles += other.troubles, spooled += other.spooled, refused += other.refused, repeated += other.repeated, reloads += other.reloads;
  forgotten += other.forgotten;
  lost += other.lost, lost_allowed += other.lost_allowed, doubled += other.doubled;
  lost_span_us = std::max(lost_span_us, other.lost_span_us);
  starts += other.starts, started_again += other.started_again, opinions += other.opinions;
}

RunResult run_seed(std::uint64_t seed, const RunOptions& options) {
  Machine machine(seed, options);
  machine.run();
  if (machine.world.wrong.empty()) {
    store::DbOptions db_options;
    db_options.spool_bytes = machine.world.options.spool_bytes;
    db_options.files = &machine.world.files;
    auto db = store::EngineDb::open(machine.world.state, db_options);
    if (db) {
      check_lines(machine, *db);
      check_decisions(machine, *db);
      check_starts(machine, seed);
    } else {
      machine.world.wrong.push_back("opening the state at last: " + db.error().message);
    }
  }
  machine.result.forgotten = machine.world.forgotten;
  machine.result.wrong = machine.world.wrong;
  return machine.result;
}

}  // namespace correlator::sim
