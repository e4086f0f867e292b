// SPDX-License-Identifier: Apache-2.0
// Who else is asked before an action starts: a script that is not the log (`confirm`), a person (`approve`).
#include <fmt/format.h>

#include <filesystem>

#include "base/text.h"
#include "dispatcher_impl.h"

namespace correlator::dispatch {
namespace {

// A second opinion is 0 yes, 1 no; anything else could not tell.
constexpr int kDenied = 1;
constexpr Duration kAskAgain = Duration::seconds(30);

}  // namespace

// A script that is not the log is asked whether what the log says is so.
Status Dispatcher::Impl::ask(Job job, const rules::Action& action) {
  ProcessSpec spec = spec_of(job, action, 0);
  spec.program = std::filesystem::absolute(options.actions_dir) / action.confirm;
  spec.arguments = job.argv;
  auto process = options.launcher->start(spec);
  if (!process) return settle(std::move(job), JobState::refused, process.error().message);
  running.push_back(
      {std::move(job), {}, std::move(*process), clock.now() + action.timeout, std::nullopt, true});
  return {};
}

Status Dispatcher::Impl::take_opinion(Running& entry, const ProcessEnd& end) {
  Job& job = entry.job;
  const std::string said(shorten(trim(entry.process->output()), 200));
  if (end.success()) {
    job.confirmed = true;
    job.reason = "confirmed";
    if (auto status = ledger.update(job); !status) return status;
    waiting.push_back({job});
    return {};
  }
  if (end.exit_code == kDenied) {
    return settle(std::move(job), JobState::refused,
                  fmt::format("the second opinion is no{}{}", said.empty() ? "" : ": ", said));
  }
  // It could not tell; the action's max_age bounds how often it is asked.
  job.next_try = clock.now() + kAskAgain;
  job.reason =
      fmt::format("the second opinion could not tell ({}); it is asked again", describe(end, false, {}));
  if (auto status = ledger.update(job); !status) return status;
  waiting.push_back({job});
  return {};
}

Result<std::string> Dispatcher::judge(const std::string& id_prefix, const std::string& who, bool approved) {
  std::vector<std::list<Waiting>::iterator> found;
  for (auto it = impl_->waiting.begin(); it != impl_->waiting.end(); ++it) {
    const rules::Action* action = impl_->action_of(it->job);
    if (it->job.decision.starts_with(id_prefix) && action != nullptr && action->approve &&
        it->job.approved_by.empty()) {
      found.push_back(it);
    }
  }
  if (found.size() != 1) {
    return make_error("E404",
                      fmt::format("{} whose id begins with {} waits for approval",
                                  found.empty() ? "no action" : "more than one action", id_prefix),
                      "`correlator decisions` prints the ids; give more of it");
  }
  Job job = found[0]->job;
  if (!approved) {
    impl_->waiting.erase(found[0]);
    if (auto status = impl_->settle(job, JobState::refused, fmt::format("denied by {}", who)); !status)
      return status.error();
    return fmt::format("{} of {} denied", job.action, job.rule);
  }
  job.approved_by = who;
  job.reason = fmt::format("approved by {}", who);
  if (auto status = impl_->ledger.update(job); !status) return status.error();
  found[0]->job = job;
  found[0]->waits_for = WaitsFor::nothing;
  return fmt::format("{} of {} approved", job.action, job.rule);
}

}  // namespace correlator::dispatch
