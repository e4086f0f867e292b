// SPDX-License-Identifier: Apache-2.0
// Jobs under way: admitted, started, looked after, ended.
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "admission.h"
#include "base/fault.h"
#include "base/json.h"
#include "base/text.h"
#include "dispatch/process.h"
#include "dispatcher_impl.h"

namespace correlator::dispatch {
namespace {

// Exit codes of the contract in actions/README.md that are more than "failed".
constexpr int kUsage = 2, kNotApplicable = 5, kNeedsPerson = 6;
// Whoever is killed between a commit and the spawns leaves that many that nobody knows whether they ran.
constexpr std::size_t kStartsAtOnce = 8;

bool vouched(const std::string& document) {
  const auto json = parse_json(document);
  return json && json->value("trust", "") == "vouched";
}

// The lines of the decision, one line of text each, whatever they hold.
std::string lines_for(const std::string& document) {
  std::string out;
  const auto json = parse_json(document);
  if (!json || !json->is_object()) return out;
  for (const Json& line : json->value("lines", Json::array())) {
    if (!line.is_string()) continue;
    const std::string& text = line.get_ref<const std::string&>();
    std::vector<std::string> cells;  // a tab may stay
    for (const std::string_view cell : split(text, "\t")) cells.push_back(printable(cell));
    out += join(cells, "\t") + "\n";
  }
  return out;
}

// Another try changes nothing about these.
bool worth_a_retry(const ProcessEnd& end) {
  return end.exit_code != kUsage && end.exit_code != kNotApplicable && end.exit_code != kNeedsPerson;
}

}  // namespace

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

bool Dispatcher::Impl::serial_busy(const Job& job) const {
  const auto same = [&](const auto& other) { return other.job.serial == job.serial; };
  return !job.serial.empty() && (std::any_of(running.begin(), running.end(), same) ||
                                 std::any_of(starting.begin(), starting.end(), same));
}

bool Dispatcher::Impl::may_start_now() {
  if (owed) held_back = owed();
  if (held_back.ok()) owed = nullptr;
  return held_back.ok();
}

Status Dispatcher::Impl::start_what_may() {
  if (!may_start_now()) return {};
  for (bool more = !waiting.empty() || !starting.empty(); more;) {
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
      const WaitsFor before = std::exchange(it->waits_for, admission->waits_for);
      const bool other = it->waits_for == WaitsFor::person || (it->waits_for != WaitsFor::next_try && it->waits_for != before);
      const bool news = it->job.reason.empty() || (other && it->job.reason != admission->reason);
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
      starting.push_back({std::move(job), action, {}, true, nullptr});
    } else {
      status = settle(std::move(job), admission->state, admission->reason);
    }
    if (!status.ok()) return status;
  }
  return {};
}

Status Dispatcher::Impl::start_what_was_admitted() {
  if (!may_start_now()) return {};
  for (Starting& next : std::exchange(starting, {})) {
    const Status status = next.asking ? ask(std::move(next.job), *next.action)
                                      : start(std::move(next));
    if (!status.ok()) return status;
  }
  return {};
}

// Ids are ours or were read out of the engine's database: never a path.
std::filesystem::path Dispatcher::Impl::output_of(const std::string& decision, std::uint32_t attempt) const {
  const bool plain = !decision.empty() && decision.size() <= 64 &&
                     std::all_of(decision.begin(), decision.end(),
                                 [](unsigned char c) { return std::isalnum(c) != 0 || c == '.'; }) &&
                     decision.front() != '.';
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
  spec.input = action.reads_lines && attempt > 0 ? lines_for(job.document) : job.document + "\n";
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
  // The first of several: the others come after it anyway.
  auto held = starting.empty() ? options.launcher->hold(spec_of(job, action, job.tries)) : nullptr;
  starting.push_back({std::move(job), &action, std::move(attempt), false, std::move(held)});
  return {};
}

Status Dispatcher::Impl::start(Starting next) {
  auto& [job, action, attempt, asking, held] = next;
  fault_point("dispatch.spawn.before");
  if (held == nullptr) held = options.launcher->hold(spec_of(job, *action, job.tries));
  auto process = held->go();
  fault_point("dispatch.spawn.after");
  if (!process) {
    attempt.ended = clock.now();
    attempt.output = process.error().message;
    job.state = JobState::refused;
    job.reason = process.error().message;
    const store::Report report = tell(job, OutcomeRecord::Result::failed);
    return ledger.end(job, attempt, &report);
  }
  job.pid = attempt.pid = (*process)->pid();
  if (auto status = ledger.set_pid(job, attempt); !status) return status;
  fault_point("dispatch.pid.after");
  const Timestamp deadline = attempt.started + action->timeout;
  running.push_back({std::move(job), std::move(attempt), std::move(*process), deadline, std::nullopt});
  return {};
}

Status Dispatcher::Impl::finish(Running& entry, const ProcessEnd& end) {
  fault_point("dispatch.end.before");
  const rules::Action* action = action_of(entry.job);
  const Duration timeout = action == nullptr ? Duration{} : action->timeout;
  Job& job = entry.job;
  Attempt& attempt = entry.attempt;
  attempt.ended = clock.now();
  attempt.exit_code = end.exit_code;
  attempt.signal = end.signal;
  attempt.output = entry.process->output();
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
  ++ended;
  const store::Report report = tell(job, outcome_of(job.state));
  if (auto status = ledger.end(job, attempt, &report); !status) return status;
  remove_kept_output(kept);
  return {};
}

// Output, time limit, end.
Status Dispatcher::Impl::look_after(Running& entry, bool& over) {
  entry.process->read_output();
  if (const auto end = entry.process->try_wait()) {
    over = true;
    return entry.confirming ? take_opinion(entry, *end) : finish(entry, *end);
  }
  const Timestamp now = clock.now();
  if (entry.kill_at && now >= *entry.kill_at) {
    entry.process->kill();
    entry.kill_at = now + options.term_grace;
  } else if (!entry.kill_at && now >= entry.deadline) {
    entry.attempt.timed_out = true;
    entry.process->terminate();
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
    fds.push_back({entry.process->exit_fd(), POLLIN, 0});
    if (entry.process->output_fd() >= 0) fds.push_back({entry.process->output_fd(), POLLIN, 0});
    shortest = std::min(shortest, entry.kill_at.value_or(entry.deadline) - now);
  }
  if (!waiting.empty()) shortest = std::min(shortest, Duration::seconds(1));
  const auto milliseconds = std::clamp<std::int64_t>((shortest.us + 999) / 1000, 0, 60'000);
  ::poll(fds.data(), fds.size(), static_cast<int>(milliseconds));
  std::uint64_t ignored = 0;
  while (::read(wake_fd, &ignored, sizeof ignored) > 0) {
  }
}

}  // namespace correlator::dispatch
