// SPDX-License-Identifier: Apache-2.0
// What a replay costs, by pattern and by rule, for who asks for it.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/intake.h"
#include "pattern/cost.h"
#include "rules/model.h"

namespace correlator::pipeline {

class Matcher;

struct RuleCost {
  std::uint64_t events = 0;     // that it looked at: of the classes it refers to
  std::uint64_t decisions = 0;
  std::int64_t ns = 0;          // in the engine, with its timers
};

struct Profile {
  pattern::Costs patterns;       // of all threads; behind the rule set's own two of the Matcher's
  std::vector<RuleCost> rules;   // as in RuleSet::rules
  std::int64_t engine_ns = 0;    // all steps, with decoding and what no single rule does
  std::int64_t decoding_ns = 0;  // of it: lines and records becoming events
  std::shared_ptr<const Matcher> matcher;  // what was looked for at the end
};

// Counts for one session.
class Profiler final : public engine::RuleWatch {
 public:
  Profiler(std::size_t patterns, std::size_t rules);

  void step(engine::Engine& engine, const engine::IntakeRecord& record, engine::StepOutput& out, const rules::RuleSet& rules);
  void matched(const std::vector<engine::PatternMatch>& matches);
  pattern::Costs& patterns() { return profile_.patterns; }
  const Profile& profile() const { return profile_; }

  void begin(std::uint32_t rule, bool event) override;
  void end(std::uint32_t rule) override;
  void begin_decoding() override;
  void end_decoding() override;

 private:
  using Clock = std::chrono::steady_clock;
  RuleCost& of(std::uint32_t rule);

  Profile profile_;
  Clock::time_point begin_;
};

}  // namespace correlator::pipeline
