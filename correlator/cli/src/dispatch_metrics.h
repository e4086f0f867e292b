// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>

#include "engine_metrics.h"
#include "report/metrics.h"
#include "rules/model.h"
#include "store/ledger_db.h"

namespace correlator::cli {

// From the ledger alone.
Status tell_jobs(report::MetricPage& page, store::LedgerDb& ledger);

// A dispatcher that runs, in a process of its own or in the engine's.
struct RunningDispatcher {
  Timestamp started;
  std::filesystem::path kill_switch;
  const rules::RuleSet& rules;
  const ReloadCounts& reloads;
};
// All that is told of one. An error if its ledger cannot be read; the page is incomplete then.
Status tell_dispatcher(report::MetricPage& page, store::LedgerDb& ledger, const RunningDispatcher& dispatcher, Timestamp now);

}  // namespace correlator::cli
