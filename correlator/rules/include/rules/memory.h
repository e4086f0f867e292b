// SPDX-License-Identifier: Apache-2.0
// How long the past of a log matters to what a rule set decides.
#pragma once

#include <string>
#include <vector>

#include "rules/model.h"

namespace correlator::rules {

struct RuleMemory {
  // Once no event has met a key of the rule for so long, and its timers have run out meanwhile, nothing is left of what was before.
  Duration span{};
  bool for_ever = false;    // there is no such time: a streak, a case that only an event or a person closes
  bool influences = false;  // other rules may see what it decides: emit, contexts, open(), echoes
};

struct Memory {
  std::vector<RuleMemory> rules;  // as in RuleSet::rules
  std::vector<Duration> events;   // as in RuleSet::events: of its open records and same-error groups; 0: it has none
  std::vector<bool> counters;     // as in RuleSet::events: it weighs by the increase of a counter, whose last value is kept for ever
  Duration decoding{};            // the longest of `events`
  Duration influencing{};         // of all rules that influence others, one after the other
  Duration longest{};             // of any rule
  std::string schedule;           // a rule that has a phase of its own, without any event: a schedule with a cooldown

  bool for_ever() const;          // whether any rule or event is so
  // A log read from so long before a time on decides from that time on as the whole log does, unless some key was never left
  // alone for its span since. (Who reads must find out: pipeline/warm_up.h.)
  Duration reach() const { return decoding + decoding + influencing + longest + longest; }
};

// `disorder` and `late` as the engine has them (engine::Options).
Memory memory_of(const RuleSet& rules, Duration disorder, Duration late);

}  // namespace correlator::rules
