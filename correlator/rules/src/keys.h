// SPDX-License-Identifier: Apache-2.0
// The keys of the language, once: the reader, the JSON Schema, the manual's tables and every "did you mean"
// come from these tables.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "node.h"

namespace correlator::rules {

// What may stand behind a key.
enum class Shape {
  text,         // plain text
  texts,        // one text or a list of texts
  integer,      // an integer; or text that is one `${settings.…}`
  boolean,      // true or false
  duration,     // "1h30m"
  phrase,       // "10 in 24h"
  expression,   // text in the expression language; numbers and booleans stand for themselves
  expressions,  // one expression or a list of them
  pattern,      // RE2 pattern
  patterns,     // a pattern, a table of KeySpec::table, or a list of those
  reference,    // event reference: text or a table
  references,   // one or a list
  table,        // a table of KeySpec::table, or with free keys if that is null
  tables,       // [[…]]
  mixed,        // text, or a table of KeySpec::table
  mixeds,       // text, a table, or a list of those
  free,         // anything; the reader looks itself
};

struct TableSpec;

struct KeySpec {
  std::string_view name;
  Shape shape = Shape::text;
  bool required = false;
  std::string_view doc;
  const TableSpec* table = nullptr;
};

struct TableSpec {
  std::string_view name;  // as written in a file: "[[event]]"
  std::span<const KeySpec> keys;
  std::string_view doc;
  const TableSpec* parent = nullptr;  // for "this key belongs to the table above"
  const KeySpec* find(std::string_view key) const;
};

bool accepts(Shape shape, const Node& node);
std::string_view described(Shape shape);  // for messages: "text", "a duration such as \"1h30m\""

// Tables whose keys are fixed.
extern const TableSpec kFileSpec, kClassSpec, kEventSpec, kRecordSpec, kLineSpec, kArmSpec, kSampleSpec,
    kIncreaseSpec, kSameErrorSpec, kRuleSpec, kReferenceSpec, kCountSpec, kRateSpec, kSequenceSpec,
    kAbsenceSpec, kGroupSpec, kMemberSpec, kLevelSpec, kScheduleSpec, kCauseSpec, kClearSpec, kEmitSpec,
    kSetSpec, kCollectSpec, kUnsetSpec, kStepSpec, kTestSpec, kExpectSpec, kActionSpec, kLimitSpec, kEchoSpec, kBudgetSpec,
    kLookupSpec, kProbeSpec, kOverrideSpec, kCalendarSpec, kSpanSpec, kInputSpec, kWriterSpec, kMuteSpec;
std::span<const TableSpec* const> all_tables();

}  // namespace correlator::rules
