// SPDX-License-Identifier: Apache-2.0
// What a step gives: events, decisions, changes of cases.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "engine/event.h"
#include "expr/value.h"
#include "rules/model.h"
#include "time/timestamp.h"

namespace correlator::engine {

struct EvidenceLine {
  std::uint64_t seq = 0;
  Timestamp time;
  std::string host;
  std::string text;  // message text as bytes
  std::string file;
  std::uint64_t line_number = 0;
};

// A key as names and values, in the order of the rule.
using Key = std::vector<std::pair<std::string, expr::Value>>;
std::string to_text(const Key& key);  // "host=kvm1 dimm=D1"
void append_to_text(std::string& text, std::string_view name, const expr::Value& value);  // the next one of them

struct Decision {
  std::string id;  // 32 hex digits; the idempotency key
  Timestamp time;
  std::string rule;
  rules::Urgency urgency = rules::Urgency::warning;
  Key key;
  std::uint32_t step = 0;  // 1-based; 0: the rule has no `then`
  std::uint32_t row = 0;   // of the fan-out, from 0
  bool clearing = false;   // a step of then_clear or then_over
  std::string action;      // empty: nothing to run
  std::vector<std::string> argv;  // without the script itself
  std::string serial;      // actions with one value run one at a time; empty: no such limit
  // What was put into the action's templates (expr::Template::parts): of each argument, then of `serial`. A dispatcher that
  // does not trust us makes argv and serial of these and its own rules.
  std::vector<std::vector<std::string>> parts;
  // What the script gets beside its arguments; none: the step says nothing of it. Log text, a line each.
  std::optional<std::vector<std::string>> lines;
  std::string why;         // in words, with numbers
  Trust trust = Trust::none;
  std::vector<EvidenceLine> evidence;  // at most 16
  std::uint64_t evidence_total = 0;    // lines in all
  enum class Fate : std::uint8_t { decided, held, dropped } fate = Fate::decided;
  std::string fate_reason;  // which mute, unless or refusal
  std::uint64_t seq = 0;    // intake number of the record that decided it
};

struct CaseChange {
  enum class Kind { opened, closed } kind = Kind::opened;
  std::string rule;
  Key key;
  Timestamp time;
  std::string why;
};

// Counters of what did not become a decision, by name ("late", "undated", "clamped", "forged", "incomplete", "keyless",
// "ambiguous", "evicted", "cooldown", "folded", …); monotone over the life of the state.
struct Counters {
  std::uint64_t lines = 0, events = 0, decisions = 0, late = 0, undated = 0, clamped = 0, forged = 0, incomplete = 0,
                keyless = 0, ambiguous = 0, evicted = 0, cooled = 0, folded = 0, cut_chains = 0, outcomes = 0,
                reloads = 0;
};

struct StepOutput {
  std::vector<Event> events;
  std::vector<Decision> decisions;
  std::vector<CaseChange> cases;
  void clear() {
    events.clear();
    decisions.clear();
    cases.clear();
  }
};

}  // namespace correlator::engine
