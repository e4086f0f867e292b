// SPDX-License-Identifier: Apache-2.0
// What the engine counts for metrics beside its own counters, and the page that tells all of it.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <unordered_map>

#include "engine/decision.h"
#include "engine/engine.h"
#include "pipeline/live.h"
#include "pipeline/session.h"
#include "report/metrics.h"
#include "rules/model.h"

namespace correlator::cli {

// Events by class and decisions by rule, since the process began.
class StepCounts {
 public:
  void observe(const engine::StepOutput& out, const rules::RuleSet& rules);
  // With zeros for rules in force that decided nothing, so that the first decision is an increase.
  void tell(report::MetricPage& page, const rules::RuleSet& rules) const;

 private:
  enum Fate : std::uint8_t { decided, shadow, held, dropped };
  struct Class {
    std::array<std::uint64_t, 3> by_trust{};
    std::uint64_t weight = 0;
  };
  std::unordered_map<std::string, Class> classes_;
  std::unordered_map<std::string, std::array<std::uint64_t, 4>> rules_;
};

// Reloads of a process, in Prometheus's own words for them.
struct ReloadCounts {
  Timestamp loaded;  // the rules in force
  bool last_good = true;
  std::uint64_t good = 0, failed = 0;
};

void tell_engine(report::MetricPage& page, const engine::Engine& engine);
void tell_inputs(report::MetricPage& page, const pipeline::Live& live);
void tell_store(report::MetricPage& page, const store::EngineDb& db, const pipeline::Live& live, bool strict);

}  // namespace correlator::cli
