// SPDX-License-Identifier: Apache-2.0
// From lines to events: patterns, records, same-error groups (semantics.md, section 3). Owns the state of
// open records, groups and cumulative counters.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "engine/decision.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/intake.h"
#include "engine/state.h"
#include "evidence.h"

namespace correlator::engine {

// The rows of a lookup by their key columns; the first row of a key counts. Points into `table`, which must
// outlive it.
class LookupIndex {
 public:
  LookupIndex(const rules::Lookup& lookup, const rules::LookupTable& table);
  // The row whose key columns have these texts, or nullptr.
  const std::vector<std::string>* find(std::span<const std::string> key) const;

 private:
  std::unordered_map<std::string, const std::vector<std::string>*> rows_;
};

// What expressions may ask beside fields: implemented by the diagnosing half.
class Questions {
 public:
  virtual ~Questions() = default;
  virtual bool open_case(std::string_view rule, std::span<const expr::Value> key) const = 0;
  virtual bool context(std::string_view name, std::span<const expr::Value> key) const = 0;
  // What the context collected, a list of texts, and how many they are; nothing where it is not set.
  virtual expr::Value collected(std::string_view, std::span<const expr::Value>) const { return expr::Value::List{}; }
  virtual std::uint64_t collected_count(std::string_view, std::span<const expr::Value>) const { return 0; }
  virtual const rules::LookupTable* lookup(std::uint32_t index) const = 0;  // nullptr: not loaded or stale
  // Of the same table; nullptr: its rows are searched one by one.
  virtual const LookupIndex* lookup_index(std::uint32_t) const { return nullptr; }
};

// Counts `late` (lines), `forged`, `incomplete`, `ambiguous`, `folded` and, for records, groups and counters,
// `evicted`.
class Decoder {
 public:
  Decoder(Options options, EvidenceStore& evidence, Counters& counters, const Questions& questions);
  ~Decoder();
  Decoder(Decoder&&) noexcept;
  Decoder& operator=(Decoder&&) noexcept;

  // A new rule set; open records, groups and counters of definitions that still exist with the same id are
  // kept.
  void set_rules(std::shared_ptr<const rules::RuleSet> rules);

  // The events a line gives now, deliveries of records it completes included, in the order of semantics.md.
  // Events that are late, stale, implausible or folded are marked, not left out. `clock` is already advanced.
  // A line that a rule made, not a log: what `text` says of `host` at `time`. Patterns of records and of events with a `from` do not
  // see it. Its events stand on `lines`.
  void decode_made(std::string_view text, std::string_view host, Timestamp time, Trust trust, const std::vector<LineRef>& lines,
                   Timestamp clock, std::vector<Event>& out);
  void decode(const LineRecord& line, std::uint64_t seq, Timestamp clock, std::vector<Event>& out);

  // Record time-outs: the earliest deadline (begin + within) of an open record, and the completion of the one
  // that is due first. `clock` is already advanced.
  std::optional<Timestamp> next_deadline() const;
  void complete_next(Timestamp clock, std::vector<Event>& out);
  // The input ended: completes all open records in the order of their begin.
  void end(Timestamp clock, std::vector<Event>& out);

  std::uint64_t open_records() const;
  void take_changes(std::vector<StateRow>& out);  // rows of kind record, group and counter
  Status restore(const StateRow& row);            // after set_rules(); E310

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace correlator::engine
