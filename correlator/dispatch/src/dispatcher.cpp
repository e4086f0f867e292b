// SPDX-License-Identifier: Apache-2.0
// What comes in: decisions, what an earlier dispatcher left, a way back; and what goes out.
#include "dispatch/dispatcher.h"

#include <fmt/format.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>

#include "admission.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "dispatch/process.h"
#include "dispatcher_impl.h"
#include "engine/json.h"
#include "trusted_job.h"
#include "worker.h"

namespace correlator::dispatch {
Beside in_a_thread() {
  return [worker = std::make_shared<Worker>()](const std::function<Status()>& work) -> std::function<Status()> {
    auto result = std::make_shared<Status>();
    if (!worker->begin([work, result] { *result = work(); })) return work;  // then the caller does it himself
    return [worker, result] {
      worker->wait();
      return *result;
    };
  };
}

OutcomeRecord::Result outcome_of(JobState state) {
  switch (state) {
    case JobState::done:
      return OutcomeRecord::Result::done;
    case JobState::failed:
      return OutcomeRecord::Result::failed;
    case JobState::timed_out:
      return OutcomeRecord::Result::timed_out;
    case JobState::unknown:
      return OutcomeRecord::Result::unknown;
    default:
      return OutcomeRecord::Result::skipped;
  }
}

Dispatcher::Impl::Impl(store::LedgerDb db, std::shared_ptr<const rules::RuleSet> set, const Clock& wall,
                       DispatchOptions given)
    : ledger(std::move(db)),
      rules(std::move(set)),
      clock(wall),
      options(std::move(given)),
      wake_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Dispatcher::Impl::~Impl() {
  if (wake_fd >= 0) ::close(wake_fd);
}

const rules::Action* Dispatcher::Impl::action_of(const Job& job) const {
  const auto found = rules->find_action(job.action);
  return found ? &rules->actions[*found] : nullptr;
}

// The ledger's open jobs after a start: what waits goes on waiting; what ran is waited for, tried again or
// left to a person.
Status Dispatcher::Impl::take_up() {
  auto jobs = ledger.open_jobs();
  if (!jobs) return jobs.error();
  for (Job& job : *jobs) {
    if (job.state == JobState::waiting) {
      waiting.push_back({std::move(job)});
      continue;
    }
    if (auto status = take_up_running(std::move(job)); !status) return status;
  }
  return {};
}

Status Dispatcher::Impl::take_up_running(Job job) {
  const rules::Action* action = action_of(job);
  const std::filesystem::path output = output_of(job.decision, job.tries);
  if (auto process = options.launcher->adopt(job.pid, job.decision, output)) {
    Attempt attempt{job.decision, job.tries, clock.now(), {}, job.pid, -1, 0, false, {}};
    const Duration timeout = action == nullptr ? Duration::minutes(1) : action->timeout;
    running.push_back(
        {std::move(job), std::move(attempt), std::move(process), clock.now() + timeout, std::nullopt});
    return {};
  }
  // It is gone. What it said until then is for whoever has to look.
  const Attempt attempt{
      job.decision, job.tries, {}, clock.now(), job.pid, -1, 0, false, read_kept_output(output)};
  if (auto status = ledger.end(job, attempt); !status) return status;
  remove_kept_output(output);
  if (action != nullptr && action->idempotent) {
    job.state = JobState::waiting;
    job.reason = "the dispatcher died while it ran; it is idempotent and runs again";
    if (auto status = ledger.update(job); !status) return status;
    waiting.push_back({std::move(job)});
    return {};
  }
  return settle(std::move(job), JobState::unknown,
                "the dispatcher died while it ran, and it is not idempotent: a person has to look");
}

Status Dispatcher::Impl::settle(Job job, JobState state, std::string reason) {
  job.state = state;
  job.reason = std::move(reason);
  job.pid = 0;
  ++ended;
  if (state == JobState::shadow) return ledger.update(job);
  const store::Report report = tell(job, outcome_of(state));
  return ledger.update(job, &report);
}

// The outcome, for the engine: in the ledger with what it tells of, and for whoever polls.
store::Report Dispatcher::Impl::tell(const Job& job, OutcomeRecord::Result result) {
  const Timestamp now = clock.now();
  outcomes.push_back({job.decision, result, now});
  return {0, store::Report::Kind::outcome, now, job.decision, {}, static_cast<std::uint32_t>(result), {}};
}

Status Dispatcher::Impl::enter(Job job) {
  auto added = ledger.add(job);
  if (!added) return added.error();
  if (*added) waiting.push_back({std::move(job)});
  return {};
}

Result<Dispatcher> Dispatcher::open(store::LedgerDb ledger, std::shared_ptr<const rules::RuleSet> rules,
                                    const Clock& clock, DispatchOptions options) {
  auto impl = std::make_unique<Impl>(std::move(ledger), std::move(rules), clock, std::move(options));
  if (auto status = impl->take_up(); !status) return status.error();
  return Dispatcher(std::move(impl));
}

Dispatcher::Dispatcher(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Dispatcher::~Dispatcher() = default;
Dispatcher::Dispatcher(Dispatcher&&) noexcept = default;
Dispatcher& Dispatcher::operator=(Dispatcher&&) noexcept = default;

void Dispatcher::set_rules(std::shared_ptr<const rules::RuleSet> rules) {
  impl_->rules = std::move(rules);
}

Status Dispatcher::submit(const engine::Decision& decision) {
  if (decision.action.empty() || decision.fate != engine::Decision::Fate::decided) return {};
  return submit(to_line(engine::to_json(decision)));
}

Status Dispatcher::submit(std::string_view document) {
  const auto json = parse_json(document);
  const auto decided = json && json->is_object() ? parse_rfc3339(json->value("time", "")) : std::nullopt;
  if (!decided)
    return make_error("E304", "a stored decision cannot be read", "the state database is damaged");
  if (!json->at("action").is_string() || json->contains("fate")) return {};
  Job job;
  job.decision = json->value("id", "");
  job.rule = json->value("rule", "");
  job.action = json->value("action", "");
  job.argv = json->value("argv", std::vector<std::string>{});
  job.document = document;
  job.decided = *decided;
  job.received = impl_->clock.now();
  job.serial = json->value("serial", "");
  if (const rules::Action* action = impl_->action_of(job)) {
    job.budget = budget_key(*action, *impl_->rules, json->value("key", Json::object()));
  }
  return impl_->enter(std::move(job));
}

Status Dispatcher::submit(const std::vector<store::StoredDecision>& decisions, const std::string& source,
                          std::function<Status()> durable) {
  if (decisions.empty()) return {};
  const auto safe = durable ? impl_->options.beside(durable) : nullptr;
  std::vector<Job> jobs;
  for (const store::StoredDecision& decision : decisions) {
    if (auto job = make_job(decision, *impl_->rules, impl_->clock.now())) jobs.push_back(std::move(*job));
  }
  // With the admission of what may start at once, so that there is one sync between the decision and its
  // action.
  fault_point("dispatch.enter.before");
  const Status status = impl_->ledger.together([&]() -> Status {
    auto added = impl_->ledger.enter(jobs, source, {decisions.back().n, decisions.back().id});
    if (!added) return added.error();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!(*added)[i]) continue;
      if (jobs[i].state == JobState::waiting) {
        impl_->waiting.push_back({std::move(jobs[i])});
      } else if (auto told = impl_->ledger.report(impl_->tell(jobs[i], OutcomeRecord::Result::skipped));
                 !told) {
        return told;
      }
    }
    return impl_->admit_what_may();
  });
  fault_point("dispatch.enter.after");
  // One sync is of all that was ever read there, so that this one pays what is owed, too.
  if (safe) {
    impl_->held_back = safe();
    impl_->owed = impl_->held_back.ok() ? nullptr : std::move(durable);
  }
  return status.ok() ? impl_->start_what_was_admitted() : status;
}

const Status& Dispatcher::held_back() const {
  return impl_->held_back;
}

void Dispatcher::watch(int fd) {
  impl_->watched.push_back(fd);
}

Status Dispatcher::undo(const std::string& decision) {
  auto found = impl_->ledger.find(decision);
  if (!found) return found.error();
  if (!*found)
    return make_error("E403", fmt::format("the ledger has no action for decision {}", decision),
                      "`correlator decisions` lists them");
  Job job = **found;
  const rules::Action* action = impl_->action_of(job);
  if (action == nullptr || action->undo.empty()) {
    return make_error("E403", fmt::format("action {} has no way back", job.action),
                      "give it `undo = \"--undo\"` if its script has one");
  }
  if (job.state != JobState::done) {
    return make_error(
        "E403", fmt::format("{} is {}, so there is nothing to undo", job.action, to_string(job.state)), "");
  }
  job.undo_of = job.decision;
  job.decision += ".undo";
  job.budget.clear();
  job.decided = job.received = impl_->clock.now();
  job.state = JobState::waiting;
  job.tries = 0;
  job.pid = 0;
  job.reason.clear();
  return impl_->enter(std::move(job));
}

Result<std::vector<OutcomeRecord>> Dispatcher::poll(Duration wait) {
  Impl& impl = *impl_;
  if (auto status = impl.start_what_may(); !status) return status.error();
  if (impl.outcomes.empty()) impl.sleep(wait);
  for (auto it = impl.running.begin(); it != impl.running.end();) {
    bool over = false;
    if (auto status = impl.look_after(*it, over); !status) return status.error();
    it = over ? impl.running.erase(it) : std::next(it);
  }
  if (auto status = impl.tidy(); !status) return status.error();
  return std::exchange(impl.outcomes, {});
}

// A ledger that nobody looks after must not fill a disk: a rule that fires with each line makes a million jobs a day.
Status Dispatcher::Impl::tidy() {
  if (ended <= options.kept_jobs / 10 || !running.empty() || !starting.empty()) return {};
  ended = 0;
  return ledger.trim(options.kept_jobs);
}

bool Dispatcher::idle() const {
  return impl_->running.empty() && impl_->starting.empty() && impl_->outcomes.empty() &&
         std::all_of(impl_->waiting.begin(), impl_->waiting.end(),
                     [](const Waiting& w) { return w.waits_for == WaitsFor::person; });
}
std::size_t Dispatcher::running() const {
  return impl_->running.size();
}
std::size_t Dispatcher::waiting() const {
  return impl_->waiting.size();
}

void Dispatcher::wake() {
  const std::uint64_t one = 1;
  if (::write(impl_->wake_fd, &one, sizeof one) < 0) return;  // it is awake already
}

store::LedgerDb& Dispatcher::ledger() {
  return impl_->ledger;
}

}  // namespace correlator::dispatch
