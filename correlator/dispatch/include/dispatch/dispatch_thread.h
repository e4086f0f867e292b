// SPDX-License-Identifier: Apache-2.0
// A Dispatcher in a thread of its own, for one process that does both: `run --dispatch`, `replay --act`,
// tests.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "dispatch/dispatcher.h"

namespace correlator::dispatch {

class DispatchThread {
 public:
  explicit DispatchThread(Dispatcher dispatcher);
  ~DispatchThread();  // stops; what runs is killed, and is `running` in the ledger for the next dispatcher to
                      // judge

  // Hands decisions over; they are in the ledger soon after, not when this returns.
  void submit(std::vector<engine::Decision> decisions);
  // Outcomes since the last call.
  std::vector<engine::OutcomeRecord> take_outcomes();
  // To be polled on: readable while there are outcomes to take.
  int fd() const;
  // For decisions from now on.
  void set_rules(std::shared_ptr<const rules::RuleSet> rules);
  // Has `work` done in the thread, between two of its rounds, and waits for it. False if that took longer than `at_most`, or the
  // thread has stopped: then it is not done later either.
  bool visit(const std::function<void(Dispatcher&)>& work, Duration at_most);
  // Waits until nothing runs and nothing will start by itself, or the time is over; whether it is so now.
  bool drain(Duration at_most);
  // What went wrong in the thread, if anything: it has stopped then.
  std::optional<Diagnostic> failure() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace correlator::dispatch
