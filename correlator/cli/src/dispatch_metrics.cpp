// SPDX-License-Identifier: Apache-2.0
#include "dispatch_metrics.h"

#include <algorithm>
#include <set>

namespace correlator::cli {

using report::Metric;
using report::MetricPage;
using store::JobState;

Status tell_jobs(MetricPage& page, store::LedgerDb& ledger) {
  for (const JobState state : {JobState::waiting, JobState::running, JobState::unknown}) {
    const auto jobs = ledger.jobs_in(state);
    if (!jobs) return jobs.error();
    page.add(Metric::dispatch_jobs, *jobs, {std::string(store::to_string(state))});
  }
  return {};
}

namespace {

Status tell_actions_and_budgets(MetricPage& page, store::LedgerDb& ledger, const rules::RuleSet& rules, Timestamp now) {
  const store::LedgerCounters& counters = ledger.counters();
  std::set<std::string> actions;
  for (const rules::Action& action : rules.actions) actions.insert(action.name);
  for (const auto& [action, n] : counters.starts) actions.insert(action);
  for (const std::string& action : actions) {
    const auto found = counters.starts.find(action);
    page.add(Metric::dispatch_starts, found == counters.starts.end() ? std::uint64_t{0} : found->second, {action});
    for (const JobState state : {JobState::done, JobState::failed, JobState::timed_out}) {
      if (!counters.outcomes.contains({action, state})) page.add(Metric::dispatch_outcomes, 0, {action, std::string(store::to_string(state))});
    }
  }
  for (const auto& [of, n] : counters.outcomes) page.add(Metric::dispatch_outcomes, n, {of.first, std::string(store::to_string(of.second))});
  for (const rules::Budget& budget : rules.budgets) {
    if (budget.at_most == 0) continue;
    const auto used = ledger.most_starts(budget.name, now - budget.per);
    if (!used) return used.error();
    page.add(Metric::dispatch_budget, budget.at_most, {budget.name});
    page.add(Metric::dispatch_budget_left, budget.at_most - std::min<std::uint64_t>(*used, budget.at_most), {budget.name});
  }
  return {};
}

}  // namespace

Status tell_dispatcher(MetricPage& page, store::LedgerDb& ledger, const RunningDispatcher& dispatcher, Timestamp now) {
  page.add(Metric::dispatch_up, 1);
  page.add(Metric::dispatch_build_info, 1, {CORRELATOR_VERSION});
  page.add(Metric::dispatch_start_time, dispatcher.started);
  std::error_code failure;
  page.add(Metric::dispatch_kill_switch, std::uint64_t{std::filesystem::exists(dispatcher.kill_switch, failure)});
  page.add(Metric::dispatch_rules_loaded, dispatcher.reloads.loaded);
  page.add(Metric::dispatch_reload_good, std::uint64_t{dispatcher.reloads.last_good});
  page.add(Metric::dispatch_reload_failures, dispatcher.reloads.failed);
  if (auto status = tell_jobs(page, ledger); !status) return status;
  return tell_actions_and_budgets(page, ledger, dispatcher.rules, now);
}

}  // namespace correlator::cli
