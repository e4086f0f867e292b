// SPDX-License-Identifier: Apache-2.0
// May this job start now? Judged at the start, not when the decision was taken.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "dispatch/dispatcher.h"
#include "rules/model.h"
#include "store/ledger_db.h"

namespace correlator::dispatch {

// What a job waits for. A next try has its reason already: what the last one came to.
enum class WaitsFor : std::uint8_t { nothing, person, serial, next_try, in_flight, budget };

struct Admission {
  enum class Verdict { start, ask, wait, never } verdict = Verdict::start;
  store::JobState state = store::JobState::waiting;  // for never
  std::string reason;
  Duration again{};      // for wait: when to look again at the latest
  WaitsFor waits_for = WaitsFor::nothing;
};

struct AdmissionInput {
  const store::Job& job;
  const rules::Action& action;
  const rules::RuleSet& rules;
  const DispatchOptions& options;
  Timestamp now;
  bool trusted = true;       // the decision's evidence is vouched for
  bool serial_busy = false;  // another job with the same serial value runs
};

Result<Admission> admit(const AdmissionInput& input, store::LedgerDb& ledger);

// The budget that a decision draws on, as it stands in the ledger: "name" or "name/value".
// `key`: the decision's, as an object.
std::string budget_key(const rules::Action& action, const rules::RuleSet& rules, const Json& key);

}  // namespace correlator::dispatch
