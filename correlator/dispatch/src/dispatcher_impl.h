// SPDX-License-Identifier: Apache-2.0
// What the parts of Dispatcher share: dispatcher.cpp takes decisions over and answers, job_run.cpp runs what
// may run, opinions.cpp asks second opinions and takes a person's word.
#pragma once

#include <filesystem>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "dispatch/dispatcher.h"
#include "admission.h"
#include "dispatch/launcher.h"

namespace correlator::dispatch {

using engine::OutcomeRecord;
using store::Attempt;
using store::Job;
using store::JobState;

struct Waiting {
  Job job;
  WaitsFor waits_for = WaitsFor::nothing;  // when it was last looked at
};

// Admitted: it starts once the ledger says so for good.
struct Starting {
  Job job;
  const rules::Action* action = nullptr;
  Attempt attempt;  // of the action; the second opinion has none
  bool asking = false;
  std::unique_ptr<Held> held;  // the action, ready
};

// An action under way, or the second opinion that is asked before it.
struct Running {
  Job job;
  Attempt attempt;
  std::unique_ptr<Child> process;
  Timestamp deadline;
  std::optional<Timestamp> kill_at;  // SIGTERM was sent; SIGKILL follows
  bool confirming = false;
};

OutcomeRecord::Result outcome_of(JobState state);
// How a process ended, in words. `timeout`: of its action.
std::string describe(const ProcessEnd& end, bool timed_out, Duration timeout);

struct Dispatcher::Impl {
  store::LedgerDb ledger;
  std::shared_ptr<const rules::RuleSet> rules;
  const Clock& clock;
  DispatchOptions options;
  std::list<Waiting> waiting;
  std::vector<Starting> starting;
  std::list<Running> running;
  std::vector<OutcomeRecord> outcomes;
  std::uint64_t ended = 0;  // jobs since the ledger was trimmed
  std::vector<int> watched;
  int wake_fd = -1;
  // What makes durable what is about to start, as long as it fails, and why.
  std::function<Status()> owed;
  Status held_back;

  Impl(store::LedgerDb db, std::shared_ptr<const rules::RuleSet> set, const Clock& wall,
       DispatchOptions given);
  ~Impl();

  // dispatcher.cpp
  const rules::Action* action_of(const Job& job) const;
  Status take_up();
  Status take_up_running(Job job);
  Status enter(Job job);
  Status settle(Job job, JobState state, std::string reason);
  store::Report tell(const Job& job, OutcomeRecord::Result result);
  Status tidy();

  // job_run.cpp
  Status start_what_may();
  Status admit_what_may();
  Status begin(Job job, const rules::Action& action);
  bool may_start_now();
  Status start_what_was_admitted();
  Status start(Starting next);
  std::filesystem::path output_of(const std::string& decision, std::uint32_t attempt) const;
  ProcessSpec spec_of(const Job& job, const rules::Action& action, std::uint32_t attempt) const;
  bool serial_busy(const Job& job) const;
  Status look_after(Running& entry, bool& over);
  Status finish(Running& entry, const ProcessEnd& end);
  void sleep(Duration wait);

  // opinions.cpp
  Status ask(Job job, const rules::Action& action);
  Status take_opinion(Running& entry, const ProcessEnd& end);
};

}  // namespace correlator::dispatch
