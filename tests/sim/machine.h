// SPDX-License-Identifier: Apache-2.0
// The machine as it runs: who is started again after a death, what trouble comes and goes, how time passes.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "power.h"
#include "random.h"
#include "run.h"
#include "script.h"
#include "world.h"

struct sqlite3;

namespace correlator::sim {

class Machine {
 public:
  Machine(std::uint64_t seed, const RunOptions& options);
  ~Machine();

  // Until the script is done and nothing is under way; what goes wrong is in world.wrong.
  void run();

  bool reloads = false, trims = false;
  std::vector<Step> steps;
  // What was answered and is gone since a power cut: those steps never happened for the reference.
  std::vector<bool> gone;
  World world;
  Peer peer;
  RunResult result;

 private:
  bool turn();      // whether anything happened
  bool look_after_engine();
  bool look_after_dispatcher();
  void bury_dispatcher();
  bool do_steps();
  void weather();
  void let_time_pass(bool active);
  bool settled();
  void cut_power();
  void between_commit_and_sync();
  void with_the_ledger_ahead();
  bool engine_round();
  double cut_percent();  // of a turn's ending with one
  void hold_database(bool held);
  Life plan(bool mortal, std::int64_t points, std::int64_t operations);
  std::vector<std::string> recorded_ids();

  Random random_;
  const RunOptions& options_;
  std::optional<EngineLife> engine_;
  std::optional<DispatcherLife> dispatcher_;
  Timestamp engine_at_ = kBegin, dispatcher_at_ = kBegin, reload_at_ = kBegin, command_at_ = kBegin;
  Timestamp trouble_until_ = Timestamp::min();
  Timestamp approve_at_ = kBegin;
  int kills_left_ = 0, dispatcher_kills_left_ = 0, cuts_left_ = 0;
  double trouble_percent_ = 0, storm_cut_percent_ = 0;
  SyncBucket bucket_;
  std::optional<Timestamp> unsynced_since_, batched_at_;  // since when lines are answered and not synced; when that was last seen
  bool reload_wanted_ = false, polite_ = false, cut_wanted_ = false;
  sqlite3* holder_ = nullptr;  // another process that holds the database locked
  Life holding_{"holder", false, -1, -1, {}};
  std::uint64_t settled_rounds_ = 0;
};

}  // namespace correlator::sim
