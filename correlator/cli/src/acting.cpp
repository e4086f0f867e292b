// SPDX-License-Identifier: Apache-2.0
#include "acting.h"

#include <filesystem>
#include <unordered_set>

#include "common.h"
#include "dispatch/dispatcher.h"
#include "dispatch_metrics.h"

namespace correlator::cli {
namespace {

constexpr Duration kLongestVisit = Duration::seconds(2);  // the engine waits meanwhile

std::filesystem::path kill_switch_of(const ActingOptions& options) { return std::filesystem::path(options.state) / "stop-actions"; }

// What was committed and never handed over: a process may die between the two. The ledger knows each decision
// by its id, so that offering all of them again starts none twice; old ones are recorded as too old.
Status catch_up(store::EngineDb& db, dispatch::Dispatcher& dispatcher, const std::optional<Timestamp>& from) {
  store::DecisionFilter filter;
  filter.from = from;
  Status failure;
  const Status read = db.each_decision(filter, [&](std::string_view document) {
    failure = dispatcher.submit(document);
    return failure.ok();
  });
  return failure.ok() ? read : failure;
}

}  // namespace

Acting::Acting(const ActingOptions& options, std::unique_ptr<dispatch::DispatchThread> thread, store::LedgerDb ledger, report::Printer& printer,
               std::shared_ptr<const rules::RuleSet> rules, const Clock& clock)
    : thread_(std::move(thread)), ledger_(std::move(ledger)), printer_(printer), rules_(std::move(rules)), clock_(clock),
      kill_switch_(kill_switch_of(options)), started_(clock.now()), from_(options.from) {}

Result<std::unique_ptr<Acting>> Acting::start(const ActingOptions& o,
                                              std::shared_ptr<const rules::RuleSet> rules, const Clock& clock,
                                              store::EngineDb& db, report::Printer& printer) {
  auto ledger = store::LedgerDb::open(o.state);
  if (!ledger) return ledger.error();
  dispatch::DispatchOptions options;
  options.actions_dir = o.actions;
  options.kill_switch = kill_switch_of(o);
  options.shadow = o.shadow;
  auto dispatcher = dispatch::Dispatcher::open(std::move(*ledger), rules, clock, options);
  if (!dispatcher) return dispatcher.error();
  if (auto status = catch_up(db, *dispatcher, o.from); !status) return status.error();
  auto reader = store::LedgerDb::open(o.state, false);
  if (!reader) return reader.error();
  return std::unique_ptr<Acting>(
      new Acting(o, std::make_unique<dispatch::DispatchThread>(std::move(*dispatcher)), std::move(*reader),
                 printer, std::move(rules), clock));
}

void Acting::set_rules(std::shared_ptr<const rules::RuleSet> rules) {
  rules_ = rules;
  thread_->set_rules(std::move(rules));
}

void Acting::tell(report::MetricPage& page, const ReloadCounts& reloads) {
  const RunningDispatcher running{started_, kill_switch_, *rules_, reloads};
  Status read = make_error("E401", "the dispatcher does not answer");
  thread_->visit([&](dispatch::Dispatcher& dispatcher) { read = tell_dispatcher(page, dispatcher.ledger(), running, clock_.now()); }, kLongestVisit);
  if (read.ok()) return;
  // One that failed, or that a slow disk keeps.
  complain(read.error());
}

void Acting::decided(const engine::Decision& decision) {
  if (from_ && decision.time < *from_) return;
  waiting_.push_back(decision);
}

Status Acting::committed(pipeline::Session& session) {
  for (const engine::Decision& decision : waiting_) submitted_.push_back(decision.id);
  thread_->submit(std::exchange(waiting_, {}));
  const Status taken = take_outcomes(session);  // also of one that failed: nobody is rung for them again
  if (const auto failure = thread_->failure()) return *failure;
  return taken;
}

Status Acting::take_outcomes(pipeline::Session& session) {
  for (const engine::OutcomeRecord& outcome : thread_->take_outcomes()) {
    session.outcome(outcome);
    auto job = ledger_.find(outcome.decision);
    if (!job) return job.error();
    if (*job) printer_.outcome(**job, outcome.time);
  }
  return {};
}

Status Acting::finish(pipeline::Session& session, Duration at_most, const std::function<bool()>& give_up) {
  Duration left = at_most;
  for (;;) {
    if (auto status = session.commit({}, true); !status) return status;
    if (auto status = committed(session); !status) return status;
    // An outcome may have decided something new: `or_else`, an event that an action's end lets through.
    if (session.uncommitted() > 0) continue;
    if (left.us <= 0 || give_up()) break;
    const Duration step = std::min(left, Duration{500'000});
    const bool idle = thread_->drain(step);
    left = left - step;
    if (auto status = take_outcomes(session); !status) return status;
    if (idle && session.uncommitted() == 0 && waiting_.empty()) break;
  }
  if (const auto failure = thread_->failure()) return *failure;
  return print_unfinished();
}

// Actions that gave no outcome: what shadow mode only recorded, what waits for a person or for its budget.
Status Acting::print_unfinished() {
  const std::unordered_set<std::string> ours(submitted_.begin(), submitted_.end());
  return ledger_.each_job([&](const store::Job& job) {
    const bool open = job.state == store::JobState::waiting || job.state == store::JobState::running;
    if (open || (job.state == store::JobState::shadow && ours.contains(job.decision)))
      printer_.outcome(job, job.received);
    return printer_.good();
  });
}

}  // namespace correlator::cli
