// SPDX-License-Identifier: Apache-2.0
#include "pipeline/profile.h"

#include <algorithm>

namespace correlator::pipeline {
namespace {

std::int64_t ns(std::chrono::steady_clock::duration time) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(time).count();
}

}  // namespace

Profiler::Profiler(std::size_t patterns, std::size_t rules) {
  profile_.patterns = pattern::Costs(patterns);
  profile_.rules.resize(rules);
}

// A reload may bring more rules than there were.
RuleCost& Profiler::of(std::uint32_t rule) {
  if (rule >= profile_.rules.size()) profile_.rules.resize(rule + 1);
  return profile_.rules[rule];
}

void Profiler::step(engine::Engine& engine, const engine::IntakeRecord& record, engine::StepOutput& out,
                    const rules::RuleSet& rules) {
  const auto begin = Clock::now();
  engine.step(record, out);
  profile_.engine_ns += ns(Clock::now() - begin);
  for (const engine::Decision& decision : out.decisions) {
    const auto found = std::find_if(rules.rules.begin(), rules.rules.end(), [&](const rules::Rule& rule) { return rule.id == decision.rule; });
    if (found != rules.rules.end()) ++of(static_cast<std::uint32_t>(found - rules.rules.begin())).decisions;
  }
}

void Profiler::matched(const std::vector<engine::PatternMatch>& matches) {
  for (const engine::PatternMatch& match : matches) {
    if (match.pattern < profile_.patterns.of.size()) ++profile_.patterns.of[match.pattern].matched;
  }
}

void Profiler::begin(std::uint32_t rule, bool event) {
  if (event) ++of(rule).events;
  begin_ = Clock::now();
}

void Profiler::end(std::uint32_t rule) {
  of(rule).ns += ns(Clock::now() - begin_);
}

void Profiler::begin_decoding() { begin_ = Clock::now(); }

void Profiler::end_decoding() { profile_.decoding_ns += ns(Clock::now() - begin_); }

}  // namespace correlator::pipeline
