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

// Of a running dispatcher.
Status tell_dispatcher(report::MetricPage& page, store::LedgerDb& ledger, const rules::RuleSet& rules, Timestamp now);
void tell_reloads_of_dispatcher(report::MetricPage& page, const ReloadCounts& reloads);

}  // namespace correlator::cli
