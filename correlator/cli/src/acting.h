// SPDX-License-Identifier: Apache-2.0
// The dispatcher beside a session in one process: `run --dispatch` and `replay --act`. Decisions go to it
// once they are durable, outcomes come back as intake records.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dispatch/dispatch_thread.h"
#include "engine_metrics.h"
#include "pipeline/session.h"
#include "report/printer.h"
#include "rules/model.h"
#include "store/ledger_db.h"
#include "time/clock.h"

namespace correlator::cli {

struct ActingOptions {
  std::string state;              // directory of engine.db and dispatch.db
  std::string actions;            // directory of the scripts
  bool shadow = false;            // record what would run, run nothing
  std::optional<Timestamp> from;  // decisions before it only warmed up the windows: they are not acted on
};

class Acting {
 public:
  // Hands over what an earlier process decided and did not live to hand over. `printer` gets the outcomes.
  static Result<std::unique_ptr<Acting>> start(const ActingOptions& options,
                                               std::shared_ptr<const rules::RuleSet> rules,
                                               const Clock& clock, store::EngineDb& db,
                                               report::Printer& printer);

  // A decision was taken; nothing happens before it is committed.
  void decided(const engine::Decision& decision);
  // The session was committed: starts what was decided, takes outcomes back. E4.. or E3.. if the dispatcher
  // has failed.
  Status committed(pipeline::Session& session);
  // To be polled on: outcomes have come, and committed() takes them back.
  int fd() const { return thread_->fd(); }
  // New rules in force: budgets, limits and time-outs of actions from now on.
  void set_rules(std::shared_ptr<const rules::RuleSet> rules);
  // What `dispatch --metrics` says of a dispatcher, of this one. `reloads` are those of the process.
  void tell(report::MetricPage& page, const ReloadCounts& reloads);
  // The end of the input: waits until nothing runs and nothing will start by itself, at most `at_most` or
  // until `give_up`; what that decides is started, too. Commits, and prints what was not run.
  Status finish(pipeline::Session& session, Duration at_most, const std::function<bool()>& give_up);

 private:
  Acting(const ActingOptions& options, std::unique_ptr<dispatch::DispatchThread> thread, store::LedgerDb ledger, report::Printer& printer,
         std::shared_ptr<const rules::RuleSet> rules, const Clock& clock);
  Status take_outcomes(pipeline::Session& session);
  Status print_unfinished();

  std::unique_ptr<dispatch::DispatchThread> thread_;
  store::LedgerDb ledger_;  // to look into; the thread writes through its own
  report::Printer& printer_;
  std::shared_ptr<const rules::RuleSet> rules_;
  const Clock& clock_;
  std::filesystem::path kill_switch_;
  Timestamp started_;
  std::optional<Timestamp> from_;
  std::vector<engine::Decision> waiting_;
  std::vector<std::string> submitted_;
};

}  // namespace correlator::cli
