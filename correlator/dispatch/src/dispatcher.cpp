// SPDX-License-Identifier: Apache-2.0
#include "dispatch/dispatcher.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <list>
#include <unordered_map>

#include "admission.h"
#include "base/json.h"
#include "base/text.h"
#include "engine/json.h"
#include "trusted_job.h"

namespace correlator::dispatch {
namespace {

using engine::OutcomeRecord;
using store::Attempt;
using store::Job;
using store::JobState;

// Exit codes of the contract in actions/README.md that are more than "failed".
constexpr int kUsage = 2, kNotApplicable = 5, kNeedsPerson = 6;
// Of a second opinion: 0 yes, 1 no, anything else could not tell.
constexpr int kDenied = 1;
constexpr Duration kAskAgain = Duration::seconds(30);
// Whoever is killed between a commit and the spawns leaves that many that nobody knows whether they ran.
constexpr std::size_t kStartsAtOnce = 8;

struct Waiting {
  Job job;
  bool by_hand = false;  // a person has to do something before it can start
};

// Admitted: it starts once the ledger says so for good.
struct Starting {
  Job job;
  const rules::Action* action = nullptr;
  Attempt attempt;  // of the action; the second opinion has none
  bool asking = false;
};

// An action under way, or the second opinion that is asked before it.
struct Running {
  Job job;
  Attempt attempt;
  Process process;
  Timestamp deadline;
  std::optional<Timestamp> kill_at;  // SIGTERM was sent; SIGKILL follows
  bool confirming = false;
};

bool vouched(const std::string& document) {
  const auto json = parse_json(document);
  return json && json->value("trust", "") == "vouched";
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

std::string describe(const ProcessEnd& end, bool timed_out, Duration timeout) {
  if (timed_out) return fmt::format("killed after {}", to_string(timeout));
  if (!end.known) return "it ended while no dispatcher was there to see how";
  if (end.signal != 0) return fmt::format("killed by signal {}", end.signal);
  switch (end.exit_code) {
    case kUsage:
      return "exit code 2: wrong usage";
    case kNotApplicable:
      return "exit code 5: not applicable on this host";
    case kNeedsPerson:
      return "exit code 6: needs a person";
    default:
      return fmt::format("exit code {}", end.exit_code);
  }
}

// Another try changes nothing about these.
bool worth_a_retry(const ProcessEnd& end) {
  return end.exit_code != kUsage && end.exit_code != kNotApplicable && end.exit_code != kNeedsPerson;
}

}  // namespace

struct Dispatcher::Impl {
  store::LedgerDb ledger;
  std::shared_ptr<const rules::RuleSet> rules;
  const Clock& clock;
  DispatchOptions options;
  std::list<Waiting> waiting;
  std::vector<Starting> starting;
  std::list<Running> running;
  std::vector<OutcomeRecord> outcomes;
  std::vector<int> watched;
  int wake_fd = -1;

  Impl(store::LedgerDb db, std::shared_ptr<const rules::RuleSet> set, const Clock& wall,
       DispatchOptions given)
      : ledger(std::move(db)),
        rules(std::move(set)),
        clock(wall),
        options(std::move(given)),
        wake_fd(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~Impl() {
    if (wake_fd >= 0) ::close(wake_fd);
  }

  const rules::Action* action_of(const Job& job) const;
  Status take_up();
  Status take_up_running(Job job);
  Status enter(Job job);
  Status start_what_may();
  Status admit_what_may();
  Status begin(Job job, const rules::Action& action);
  Status start_what_was_admitted();
  Status start(Job job, const rules::Action& action, Attempt attempt);
  Status settle(Job job, JobState state, std::string reason);
  store::Report tell(const Job& job, OutcomeRecord::Result result);
  Status ask(Job job, const rules::Action& action);
  Status take_opinion(Running& entry, const ProcessEnd& end);
  Status look_after(Running& entry, bool& over);
  Status finish(Running& entry, const ProcessEnd& end);
  bool serial_busy(const Job& job) const;
  std::filesystem::path output_of(const std::string& decision, std::uint32_t attempt) const;
  ProcessSpec spec_of(const Job& job, const rules::Action& action, std::uint32_t attempt) const;
  void sleep(Duration wait);
};

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
  if (auto process = Process::adopt(job.pid, job.decision, output)) {
    Attempt attempt{job.decision, job.tries, clock.now(), {}, job.pid, -1, 0, false, {}};
    const Duration timeout = action == nullptr ? Duration::minutes(1) : action->timeout;
    running.push_back(
        {std::move(job), std::move(attempt), std::move(*process), clock.now() + timeout, std::nullopt});
    return {};
  }
  // It is gone. What it said until then is for whoever has to look.
  const Attempt attempt{job.decision, job.tries, {}, clock.now(), job.pid, -1, 0, false, read_kept_output(output)};
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

bool Dispatcher::Impl::serial_busy(const Job& job) const {
  const auto same = [&](const auto& other) { return other.job.serial == job.serial; };
  return !job.serial.empty() &&
         (std::any_of(running.begin(), running.end(), same) || std::any_of(starting.begin(), starting.end(), same));
}

Status Dispatcher::Impl::start_what_may() {
  for (bool more = !waiting.empty(); more;) {
    if (auto status = ledger.together([this] { return admit_what_may(); }); !status) return status;
    more = starting.size() == kStartsAtOnce;
    if (auto status = start_what_was_admitted(); !status) return status;
  }
  return {};
}

// Judges all that waits, within one transaction of the ledger's. Nothing is started before that is committed.
Status Dispatcher::Impl::admit_what_may() {
  for (auto it = waiting.begin(); it != waiting.end() && starting.size() < kStartsAtOnce;) {
    Job job = it->job;
    const rules::Action* action = action_of(job);
    if (action == nullptr) {
      it = waiting.erase(it);
      if (auto status = settle(std::move(job), JobState::refused, "the rules have no such action any more");
          !status)
        return status;
      continue;
    }
    const AdmissionInput input{
        job, *action, *rules, options, clock.now(), vouched(job.document), serial_busy(job)};
    auto admission = admit(input, ledger);
    if (!admission) return admission.error();
    if (admission->verdict == Admission::Verdict::wait) {
      // Written for people who ask why nothing happens; not each time that a number in it changes: a write is
      // a sync.
      const bool news = it->job.reason.empty() || (admission->by_hand && it->job.reason != admission->reason);
      it->by_hand = admission->by_hand;
      it->job.reason = admission->reason;
      if (news) {
        if (auto status = ledger.update(it->job); !status) return status;
      }
      ++it;
      continue;
    }
    it = waiting.erase(it);
    Status status;
    if (admission->verdict == Admission::Verdict::start) {
      status = begin(std::move(job), *action);
    } else if (admission->verdict == Admission::Verdict::ask) {
      starting.push_back({std::move(job), action, {}, true});
    } else {
      status = settle(std::move(job), admission->state, admission->reason);
    }
    if (!status.ok()) return status;
  }
  return {};
}

Status Dispatcher::Impl::start_what_was_admitted() {
  for (Starting& next : std::exchange(starting, {})) {
    const Status status = next.asking ? ask(std::move(next.job), *next.action) : start(std::move(next.job), *next.action, std::move(next.attempt));
    if (!status.ok()) return status;
  }
  return {};
}

// Ids are ours or were read out of the engine's database: never a path.
std::filesystem::path Dispatcher::Impl::output_of(const std::string& decision, std::uint32_t attempt) const {
  const bool plain = !decision.empty() && decision.size() <= 64 && std::all_of(decision.begin(), decision.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.';
  }) && decision.front() != '.';
  if (options.output_dir.empty() || !plain) return {};
  return options.output_dir / fmt::format("{}.{}", decision, attempt);
}

ProcessSpec Dispatcher::Impl::spec_of(const Job& job, const rules::Action& action,
                                      std::uint32_t attempt) const {
  ProcessSpec spec;
  const bool undoing = !job.undo_of.empty();
  const bool own_script = undoing && !action.undo.starts_with("-");
  spec.program = std::filesystem::absolute(options.actions_dir) / (own_script ? action.undo : action.run);
  if (undoing && !own_script) {
    for (const std::string_view word : split(action.undo, " ")) spec.arguments.emplace_back(word);
  }
  spec.arguments.insert(spec.arguments.end(), job.argv.begin(), job.argv.end());
  spec.environment = {{"PATH", options.path},
                      {"LANG", "C.UTF-8"},
                      {"CORRELATOR_DECISION", job.decision},
                      {"CORRELATOR_RULE", job.rule},
                      {"CORRELATOR_ATTEMPT", std::to_string(attempt)}};
  spec.environment.insert(spec.environment.end(), options.environment.begin(), options.environment.end());
  spec.input = job.document + "\n";
  if (attempt > 0) spec.output = output_of(job.decision, attempt);  // a second opinion is asked again instead
  return spec;
}

// `running` is committed before the spawn and the process id after it, so that whatever happens in between is
// known.
Status Dispatcher::Impl::begin(Job job, const rules::Action& action) {
  job.state = JobState::running;
  job.reason.clear();
  ++job.tries;
  Attempt attempt{job.decision, job.tries, clock.now(), {}, 0, -1, 0, false, {}};
  if (auto status = ledger.begin(job, attempt); !status) return status;
  starting.push_back({std::move(job), &action, std::move(attempt), false});
  return {};
}

Status Dispatcher::Impl::start(Job job, const rules::Action& action, Attempt attempt) {
  auto process = Process::start(spec_of(job, action, job.tries));
  if (!process) {
    attempt.ended = clock.now();
    attempt.output = process.error().message;
    job.state = JobState::refused;
    job.reason = process.error().message;
    const store::Report report = tell(job, OutcomeRecord::Result::failed);
    return ledger.end(job, attempt, &report);
  }
  job.pid = attempt.pid = process->pid();
  if (auto status = ledger.set_pid(job, attempt); !status) return status;
  const Timestamp deadline = attempt.started + action.timeout;
  running.push_back({std::move(job), std::move(attempt), std::move(*process), deadline, std::nullopt});
  return {};
}

Status Dispatcher::Impl::finish(Running& entry, const ProcessEnd& end) {
  const rules::Action* action = action_of(entry.job);
  const Duration timeout = action == nullptr ? Duration{} : action->timeout;
  Job& job = entry.job;
  Attempt& attempt = entry.attempt;
  attempt.ended = clock.now();
  attempt.exit_code = end.exit_code;
  attempt.signal = end.signal;
  attempt.output = entry.process.output();
  const std::filesystem::path kept = output_of(job.decision, attempt.number);
  job.pid = 0;
  job.reason = describe(end, attempt.timed_out, timeout);
  // A script that was killed did not do its work, whatever killed it.
  if (end.success() && !attempt.timed_out) {
    job.state = JobState::done;
  } else if (!end.known && !attempt.timed_out) {
    job.state = action != nullptr && action->idempotent ? JobState::waiting : JobState::unknown;
  } else if (action != nullptr && job.tries <= action->retry && worth_a_retry(end)) {
    job.state = JobState::waiting;
    job.next_try = clock.now() + action->retry_after;
  } else {
    job.state = attempt.timed_out ? JobState::timed_out : JobState::failed;
  }
  if (job.state == JobState::waiting) {
    if (auto status = ledger.end(job, attempt); !status) return status;
    remove_kept_output(kept);
    waiting.push_back({job});
    return {};
  }
  const store::Report report = tell(job, outcome_of(job.state));
  if (auto status = ledger.end(job, attempt, &report); !status) return status;
  remove_kept_output(kept);
  return {};
}

// A script that is not the log is asked whether what the log says is so.
Status Dispatcher::Impl::ask(Job job, const rules::Action& action) {
  ProcessSpec spec = spec_of(job, action, 0);
  spec.program = std::filesystem::absolute(options.actions_dir) / action.confirm;
  spec.arguments = job.argv;
  auto process = Process::start(spec);
  if (!process) return settle(std::move(job), JobState::refused, process.error().message);
  running.push_back({std::move(job), {}, std::move(*process), clock.now() + action.timeout, std::nullopt, true});
  return {};
}

Status Dispatcher::Impl::take_opinion(Running& entry, const ProcessEnd& end) {
  Job& job = entry.job;
  const std::string said(shorten(trim(entry.process.output()), 200));
  if (end.success()) {
    job.confirmed = true;
    job.reason = "confirmed";
    if (auto status = ledger.update(job); !status) return status;
    waiting.push_back({job});
    return {};
  }
  if (end.exit_code == kDenied) {
    return settle(std::move(job), JobState::refused, fmt::format("the second opinion is no{}{}", said.empty() ? "" : ": ", said));
  }
  // It could not tell; the action's max_age bounds how often it is asked.
  job.next_try = clock.now() + kAskAgain;
  job.reason = fmt::format("the second opinion could not tell ({}); it is asked again", describe(end, false, {}));
  if (auto status = ledger.update(job); !status) return status;
  waiting.push_back({job});
  return {};
}

// Output, time limit, end.
Status Dispatcher::Impl::look_after(Running& entry, bool& over) {
  entry.process.read_output();
  if (const auto end = entry.process.try_wait()) {
    over = true;
    return entry.confirming ? take_opinion(entry, *end) : finish(entry, *end);
  }
  const Timestamp now = clock.now();
  if (entry.kill_at && now >= *entry.kill_at) {
    entry.process.kill();
    entry.kill_at = now + options.term_grace;
  } else if (!entry.kill_at && now >= entry.deadline) {
    entry.attempt.timed_out = true;
    entry.process.terminate();
    entry.kill_at = now + options.term_grace;
  }
  return {};
}

void Dispatcher::Impl::sleep(Duration wait) {
  std::vector<pollfd> fds = {{wake_fd, POLLIN, 0}};
  for (const int fd : watched) fds.push_back({fd, POLLIN, 0});
  const Timestamp now = clock.now();
  Duration shortest = wait;
  for (const Running& entry : running) {
    fds.push_back({entry.process.exit_fd(), POLLIN, 0});
    if (entry.process.output_fd() >= 0) fds.push_back({entry.process.output_fd(), POLLIN, 0});
    shortest = std::min(shortest, entry.kill_at.value_or(entry.deadline) - now);
  }
  if (!waiting.empty()) shortest = std::min(shortest, Duration::seconds(1));
  const auto milliseconds = std::clamp<std::int64_t>((shortest.us + 999) / 1000, 0, 60'000);
  ::poll(fds.data(), fds.size(), static_cast<int>(milliseconds));
  std::uint64_t ignored = 0;
  while (::read(wake_fd, &ignored, sizeof ignored) > 0) {
  }
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
                          std::uint64_t position) {
  std::vector<Job> jobs;
  for (const store::StoredDecision& decision : decisions) {
    if (auto job = make_job(decision, *impl_->rules, impl_->clock.now())) jobs.push_back(std::move(*job));
  }
  // With the admission of what may start at once, so that there is one sync between the decision and its action.
  const Status status = impl_->ledger.together([&]() -> Status {
    auto added = impl_->ledger.enter(jobs, source, position);
    if (!added) return added.error();
    for (std::size_t i = 0; i < jobs.size(); ++i) {
      if (!(*added)[i]) continue;
      if (jobs[i].state == JobState::waiting) {
        impl_->waiting.push_back({std::move(jobs[i])});
      } else if (auto told = impl_->ledger.report(impl_->tell(jobs[i], OutcomeRecord::Result::skipped)); !told) {
        return told;
      }
    }
    return impl_->admit_what_may();
  });
  return status.ok() ? impl_->start_what_was_admitted() : status;
}

Result<std::string> Dispatcher::judge(const std::string& id_prefix, const std::string& who, bool approved) {
  std::vector<std::list<Waiting>::iterator> found;
  for (auto it = impl_->waiting.begin(); it != impl_->waiting.end(); ++it) {
    const rules::Action* action = impl_->action_of(it->job);
    if (it->job.decision.starts_with(id_prefix) && action != nullptr && action->approve && it->job.approved_by.empty()) {
      found.push_back(it);
    }
  }
  if (found.size() != 1) {
    return make_error("E404", fmt::format("{} whose id begins with {} waits for approval", found.empty() ? "no action" : "more than one action", id_prefix),
                      "`correlator decisions` prints the ids; give more of it");
  }
  Job job = found[0]->job;
  if (!approved) {
    impl_->waiting.erase(found[0]);
    if (auto status = impl_->settle(job, JobState::refused, fmt::format("denied by {}", who)); !status) return status.error();
    return fmt::format("{} of {} denied", job.action, job.rule);
  }
  job.approved_by = who;
  job.reason = fmt::format("approved by {}", who);
  if (auto status = impl_->ledger.update(job); !status) return status.error();
  found[0]->job = job;
  found[0]->by_hand = false;
  return fmt::format("{} of {} approved", job.action, job.rule);
}

void Dispatcher::watch(int fd) { impl_->watched.push_back(fd); }

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
  return std::exchange(impl.outcomes, {});
}

bool Dispatcher::idle() const {
  return impl_->running.empty() && impl_->outcomes.empty() &&
         std::all_of(impl_->waiting.begin(), impl_->waiting.end(),
                     [](const Waiting& w) { return w.by_hand; });
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
