// SPDX-License-Identifier: Apache-2.0
// What happens to the engine from outside, drawn from a seed: lines with their moments, commands, a reload.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "pipeline/control.h"
#include "random.h"
#include "rules/model.h"
#include "time/timestamp.h"

namespace correlator::sim {

struct Step {
  enum class Kind { line, command, reload } kind = Kind::line;
  Timestamp due;
  std::string text;  // a line of the shipped template, without its end
  std::string id;    // of the line
  bool means_something = false;  // a pattern matches: it is recorded, with its id
  bool mark = false;
  pipeline::ControlRequest command;
};

// The rules in force at the start, and those that a reload brings: one threshold is another, one rule is new.
std::shared_ptr<const rules::RuleSet> first_rules();
std::shared_ptr<const rules::RuleSet> second_rules();

struct ScriptOptions {
  int lines = 60;
  bool reload = false;
  bool commands = true;
  double meaning = 60;  // percent of lines that match
  double storms = 0;    // percent of gaps that begin a storm: hundreds of lines, a few hundred microseconds apart
};
std::vector<Step> draw_script(Random& random, const ScriptOptions& options);

inline constexpr Timestamp kBegin{1'767'225'600'000'000};  // 2026-01-01T00:00:00Z

}  // namespace correlator::sim
