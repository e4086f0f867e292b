// SPDX-License-Identifier: Apache-2.0
// One machine: its clock, its disk, who runs on it. The engine and the dispatcher are the real ones; what stands here in place of
// correlator/cli is the order in which their parts are called.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "disk.h"
#include "dispatch/decision_reader.h"
#include "dispatch/dispatcher.h"
#include "peer.h"
#include "pipeline/live.h"
#include "pipeline/reports.h"
#include "programs.h"
#include "script.h"
#include "vfs.h"

namespace correlator::sim {

struct WorldOptions {
  std::uint64_t spool_bytes = 1 << 17, intake_bytes = 1 << 30;
  bool strict = false;
  bool few_syncs = false;  // a storm is what two lines in a row are
};

struct World {
  World(std::uint64_t seed, WorldOptions options);

  WorldOptions options;
  SimulatedClock clock{kBegin};
  Disk disk;
  SimFiles files{disk};
  Programs programs;
  Vfs& vfs;
  std::filesystem::path state, ledger;
  bool new_rules = false;       // what stands in the rule files
  bool decisions_bell = false, reports_bell = false;
  // Moments inside of a process: decisions can be read and are not synced; the ledger is synced and what it took over is not.
  std::function<void()> visible, ahead;
  std::uint64_t forgotten = 0;     // jobs whose decisions a power cut took
  Random beside;
  std::vector<std::string> wrong;  // what must not be

  // An error that nothing explains.
  void unexpected(const std::string& doing, const Diagnostic& error);
};

// correlator run --omprog
class EngineLife {
 public:
  EngineLife(World& world, Peer& peer, Life plan);
  ~EngineLife() { bury(); }

  // Not running after it: it died or could not start.
  bool start();
  bool round();   // false: it is over
  bool command(const pipeline::ControlRequest& request);
  bool reload();  // to what stands in the rule files
  void kill() { end_life(life_); }
  void finish();  // as at the end of input, and closed in order
  bool running() const { return live_ != nullptr && !life_.dead; }
  pipeline::Live& live() { return *live_; }
  pipeline::Session& session() { return *session_; }

 private:
  template <class Work>
  bool alive_through(Work work);
  void take_reports();
  void bury();

  World& world_;
  Peer& peer_;
  Life life_;
  std::unique_ptr<pipeline::Session> session_;
  std::unique_ptr<pipeline::Reports> reports_;
  std::unique_ptr<pipeline::Live> live_;
};

// correlator dispatch
class DispatcherLife {
 public:
  DispatcherLife(World& world, Life plan);
  ~DispatcherLife() { bury(); }

  bool start();
  bool round();
  void approve();  // a person agrees to all that waits for it
  void kill() { end_life(life_); }
  bool running() const { return dispatcher_.has_value() && !life_.dead; }
  bool idle() const { return dispatcher_->idle(); }
  std::size_t waiting() const { return dispatcher_->waiting(); }

 private:
  template <class Work>
  bool alive_through(Work work);
  void bury();

  World& world_;
  Life life_;
  std::optional<dispatch::Dispatcher> dispatcher_;
  std::optional<dispatch::DecisionReader> reader_;
};

std::shared_ptr<const rules::RuleSet> rules_in_files(const World& world);

}  // namespace correlator::sim
