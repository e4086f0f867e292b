// SPDX-License-Identifier: Apache-2.0
// A job made of a decision that another process stored, without believing that process: of it come the rule, the step, the
// key and what was captured; script, argv, budget and limits come from our own rules.
#pragma once

#include <optional>

#include "rules/model.h"
#include "store/engine_db.h"
#include "store/ledger_db.h"
#include "time/timestamp.h"

namespace correlator::dispatch {

// Nothing if the decision has no action to run (held, dropped, none). A decision that our rules do not allow is a job that is
// refused, with the reason.
std::optional<store::Job> make_job(const store::StoredDecision& decision, const rules::RuleSet& rules, Timestamp now);

}  // namespace correlator::dispatch
