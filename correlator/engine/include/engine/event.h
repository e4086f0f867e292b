// SPDX-License-Identifier: Apache-2.0
// An Event is what a line means; evidence is the lines it was read from.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "expr/value.h"
#include "rules/model.h"
#include "time/timestamp.h"

namespace correlator::engine {

// How far the origin of a line is vouched for; the trust of a decision is the lowest of its evidence.
enum class Trust : std::uint8_t { none, claimed, vouched };
std::string_view to_string(Trust trust);

// One line of evidence. `seq` is its intake number; the text lives once, in the EvidenceStore.
struct LineRef {
  std::uint64_t seq = 0;
  Timestamp time;
};

// Fields as a short flat list: events have a dozen fields, and a linear search beats a tree.
class Fields {
 public:
  const expr::Value* find(rules::FieldId field) const;
  // None for a field that is not set.
  expr::Value get(rules::FieldId field) const;
  void set(rules::FieldId field, expr::Value value);  // replaces
  const std::vector<std::pair<rules::FieldId, expr::Value>>& all() const { return items_; }
  // Room for the built-in fields and what decoding adds to them in nearly all events; 1,008 bytes, which are in the
  // allocator's cache of small pieces still (1,032).
  static constexpr std::size_t kUsual = 21;
  void reserve(std::size_t fields) { items_.reserve(fields); }
  Fields roomy() const;  // a copy that has that room

 private:
  std::vector<std::pair<rules::FieldId, expr::Value>> items_;
};

struct Event {
  rules::ClassId cls = 0;
  std::uint32_t definition = UINT32_MAX;  // index into RuleSet::events; none for synthetic events
  rules::Severity severity = rules::Severity::info;
  Timestamp time;
  std::uint64_t weight = 1;
  Fields fields;  // the built-in ones included
  Trust trust = Trust::none;
  bool late = false, stale = false, implausible = false;
  bool folded = false;            // same error as one already counted: shown, not diagnosed
  std::vector<LineRef> lines;     // first line of the record first
  std::string file;               // stream of the first line; empty for synthetic events
  std::uint64_t line_number = 0;  // 1-based, of the first line
  std::vector<std::uint64_t> line_numbers;  // of all lines, in the order of `lines`
};

}  // namespace correlator::engine
