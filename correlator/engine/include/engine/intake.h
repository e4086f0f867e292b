// SPDX-License-Identifier: Apache-2.0
// The records that step() sees; nothing else can change a decision (semantics.md, section 1).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "rules/model.h"
#include "syslog/message.h"
#include "time/timestamp.h"

namespace correlator::engine {

// A pattern that matched, with its groups (group 0 is the whole match; a group that took no part has data() == nullptr).
struct PatternMatch {
  std::uint32_t pattern = 0;  // index into RuleSet::patterns
  std::vector<std::string_view> groups;
};

struct LineRecord {
  const syslog::Message* message = nullptr;
  std::span<const PatternMatch> matches;  // sorted by pattern
  Timestamp time;                         // effective time
  bool undated = false, clamped = false;
  std::uint32_t times = 1;  // N for a "last message repeated N times", whose message is then the repeated line's
  std::string_view stream;  // file or input name
  std::uint64_t line_number = 0;
};
struct MarkRecord {
  Timestamp time;
};
struct RulesRecord {
  std::shared_ptr<const rules::RuleSet> rules;
};
struct LookupRecord {
  std::string name;
  rules::LookupTable table;
  Timestamp loaded;
};
struct CommandRecord {
  enum class Verb { ack, repair, reset, silence, hold, release, approve } verb = Verb::ack;
  std::string rule;  // or decision id for approve/release
  std::string key;   // printed key; empty: every key of the rule
  Duration lifetime{};
  std::string author;
};
struct OutcomeRecord {
  std::string decision;
  enum class Result { done, failed, timed_out, skipped, unknown } result = Result::done;
  Timestamp time;
};
struct ProbeRecord {
  std::string probe;
  std::string row;
  enum class Result { ok, failed, broken } result = Result::ok;
  std::string output;
  Timestamp time;
};
struct EndRecord {};

// `seq` numbers the records of one intake from 1 without gaps.
struct IntakeRecord {
  std::uint64_t seq = 0;
  std::variant<LineRecord, MarkRecord, RulesRecord, LookupRecord, CommandRecord, OutcomeRecord, ProbeRecord, EndRecord>
      what;
};

}  // namespace correlator::engine
