// SPDX-License-Identifier: Apache-2.0
// From lines to events: patterns, records, same-error groups (semantics.md, section 3). Owns the state of open records,
// groups and cumulative counters, and the texts of evidence lines.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "engine/decision.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/intake.h"
#include "engine/state.h"

namespace correlator::engine {

// Texts of evidence lines by intake number, counted by how many objects refer to them. A text that nobody refers to
// is forgotten.
class EvidenceStore {
 public:
  void add(EvidenceLine line);           // with no reference yet; dropped by sweep() if none comes
  void keep(std::uint64_t seq);          // one more reference
  void release(std::uint64_t seq);       // one less; forgets the text at none
  const EvidenceLine* find(std::uint64_t seq) const;
  void sweep();                          // forgets the lines added since the last sweep that nobody kept
  std::size_t size() const;
  void take_changes(std::vector<StateRow>& out);
  Status restore(const StateRow& row);   // references are made again by the owners' restore

 private:
  struct Entry {
    EvidenceLine line;
    std::uint32_t references = 0;
    bool dirty = false;  // not written yet
  };
  std::unordered_map<std::uint64_t, Entry> lines_;
  std::vector<std::uint64_t> fresh_;
  std::vector<std::uint64_t> erased_;
};

// What expressions may ask beside fields: implemented by the diagnosing half.
class Questions {
 public:
  virtual ~Questions() = default;
  virtual bool open_case(std::string_view rule, std::span<const expr::Value> key) const = 0;
  virtual bool context(std::string_view name, std::span<const expr::Value> key) const = 0;
  virtual const rules::LookupTable* lookup(std::uint32_t index) const = 0;  // nullptr: not loaded or stale
};

class Decoder {
 public:
  Decoder(Options options, EvidenceStore& evidence, Counters& counters, const Questions& questions);
  ~Decoder();

  // A new rule set; open records and groups of definitions that still exist with the same id are kept.
  void set_rules(std::shared_ptr<const rules::RuleSet> rules);

  // The events a line gives now, deliveries of records it completes included, in the order of semantics.md. Events
  // that are late, stale, implausible or folded are marked, not left out. `clock` is already advanced.
  void decode(const LineRecord& line, std::uint64_t seq, Timestamp clock, std::vector<Event>& out);

  // Record time-outs: the earliest deadline (begin + within) of an open record, and the completion of the one that is due first.
  std::optional<Timestamp> next_deadline() const;
  void complete_next(std::vector<Event>& out);
  // The input ended: completes all open records in the order of their begin.
  void end(std::vector<Event>& out);

  std::uint64_t open_records() const;
  void take_changes(std::vector<StateRow>& out);
  Status restore(const StateRow& row);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace correlator::engine
