// SPDX-License-Identifier: Apache-2.0
#include "admission.h"

#include <fmt/format.h>

#include <filesystem>

#include "base/json.h"
#include "base/text.h"

namespace correlator::dispatch {
namespace {

using Verdict = Admission::Verdict;
using store::JobState;

Admission never(JobState state, std::string reason) {
  return {Verdict::never, state, std::move(reason), {}, WaitsFor::nothing};
}
Admission wait(WaitsFor what, std::string reason, Duration again) {
  return {Verdict::wait, JobState::waiting, std::move(reason), again, what};
}

// What no passing of time will change.
std::optional<Admission> ruled_out(const AdmissionInput& in) {
  const Duration age = in.now - in.job.decided;
  // A further try, also one after the dispatcher's death, is due by when the tries before it may have ended.
  const Duration within{in.action.max_age.us + std::int64_t{in.job.tries} * (in.action.timeout.us + in.action.retry_after.us)};
  if (age > within) {
    const bool again = in.job.tries > 0;
    return never(again ? JobState::failed : JobState::skipped,
                 fmt::format("the decision is {} old, {} acts {}within {}", roughly(age), in.action.name, again ? "again " : "", to_string(within)));
  }
  if (in.action.destructive && !in.trusted && in.action.confirm.empty()) {
    return never(
        JobState::refused,
        fmt::format("{} is destructive and nobody vouches for the lines: see `confirm` in docs/rules.md",
                    in.action.name));
  }
  if (in.options.shadow || in.action.shadow) {
    return never(JobState::shadow,
                 in.options.shadow ? "shadow mode" : fmt::format("{} has mode = \"shadow\"", in.action.name));
  }
  return std::nullopt;
}

Result<std::optional<Admission>> over_limit(const AdmissionInput& in, store::LedgerDb& ledger) {
  if (!in.action.limit || in.job.tries > 0) return std::optional<Admission>{};
  auto jobs = ledger.jobs_of(in.action.name, in.now - in.action.limit->within);
  if (!jobs) return jobs.error();
  if (*jobs <= in.action.limit->count) return std::optional<Admission>{};
  return std::optional<Admission>(
      never(JobState::skipped, fmt::format("over the limit of {} in {} for {}", in.action.limit->count,
                                           to_string(in.action.limit->within), in.action.name)));
}

Result<std::optional<Admission>> over_budget(const AdmissionInput& in, store::LedgerDb& ledger) {
  if (!in.action.budget) return std::optional<Admission>{};
  const rules::Budget& budget = in.rules.budgets[*in.action.budget];
  if (budget.in_flight > 0) {
    auto flying = ledger.in_flight(in.job.budget);
    if (!flying) return flying.error();
    if (*flying >= budget.in_flight) {
      return std::optional<Admission>(wait(
          WaitsFor::in_flight, fmt::format("budget {}: {} of {} in flight or unknown", in.job.budget, *flying, budget.in_flight),
          Duration::seconds(1)));
    }
  }
  if (budget.at_most > 0) {
    auto starts = ledger.starts(in.job.budget, in.now - budget.per);
    if (!starts) return starts.error();
    if (*starts >= budget.at_most) {
      return std::optional<Admission>(
          wait(WaitsFor::budget, fmt::format("budget {}: {} started in the last {}, {} allowed", in.job.budget, *starts,
                           to_string(budget.per), budget.at_most),
               Duration::seconds(1)));
    }
  }
  return std::optional<Admission>{};
}

}  // namespace

std::string budget_key(const rules::Action& action, const rules::RuleSet& rules, const Json& key) {
  if (!action.budget) return {};
  const rules::Budget& budget = rules.budgets[*action.budget];
  if (budget.over.empty() || budget.over == "all") return budget.name;
  const auto value = key.find(budget.over);
  if (value == key.end()) return budget.name;
  return fmt::format("{}/{}", budget.name, value->is_string() ? value->get<std::string>() : to_line(*value));
}

Result<Admission> admit(const AdmissionInput& in, store::LedgerDb& ledger) {
  if (auto verdict = ruled_out(in)) return std::move(*verdict);
  // Limits and budgets brake what rules do; the way back is asked for by a person.
  const bool undoing = !in.job.undo_of.empty();
  if (!undoing) {
    auto limit = over_limit(in, ledger);
    if (!limit) return limit.error();
    if (*limit) return std::move(**limit);
  }
  std::error_code failure;
  if (std::filesystem::exists(in.options.kill_switch, failure)) {
    return wait(WaitsFor::person, fmt::format("stopped: {} exists", in.options.kill_switch.string()),
                             Duration::seconds(1));
  }
  if (in.action.approve && in.job.approved_by.empty()) {
    return wait(
        WaitsFor::person, fmt::format("{} waits for approval: correlator approve {}", in.action.name, in.job.decision.substr(0, 8)),
        Duration::seconds(60));
  }
  if (in.serial_busy)
    return wait(WaitsFor::serial, fmt::format("another action for {} runs", printable(in.job.serial)), Duration::seconds(1));
  if (in.now < in.job.next_try) return wait(WaitsFor::next_try, "waits for its next try", in.job.next_try - in.now);
  if (!undoing) {
    auto budget = over_budget(in, ledger);
    if (!budget) return budget.error();
    if (*budget) return std::move(**budget);
  }
  // Last of all, so that the answer is fresh when the action starts.
  if (!in.action.confirm.empty() && !in.job.confirmed) return Admission{Verdict::ask, JobState::waiting, {}, {}, WaitsFor::nothing};
  return Admission{};
}

}  // namespace correlator::dispatch
