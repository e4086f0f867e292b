// SPDX-License-Identifier: Apache-2.0
// Open records: lines that will be one event, and where to find them (semantics.md, section 3). What a line
// does to a record is in decoder_record.cpp; here they are kept, ordered and stored.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "decoder.h"
#include "decoder_rows.h"
#include "engine/event.h"
#include "engine/state.h"
#include "rules/model.h"

namespace correlator::engine {

struct Record {
  std::uint64_t id = 0;
  std::uint32_t definition = 0;   // index into RuleSet::events
  std::vector<expr::Value> same;  // values of RecordSpec::same
  const std::string* place = nullptr;  // its key in Records::records_
  Timestamp begin;                // of the line that came first
  Timestamp deadline;             // begin + within
  std::shared_ptr<const Fields> first;  // the built-in fields of the first line, which may have opened several records
  Fields fields;                  // what was captured
  std::vector<LineRef> lines;
  std::vector<std::uint64_t> line_numbers;
  std::vector<std::uint32_t>
      once;                   // patterns of role once that it has a line of: indexes into EventDef::lines
  std::uint64_t offered = 0;  // lines, repeats counted
  std::string file;
  Trust trust = Trust::none;
  bool late = false;       // its first line was
  bool delivered = false;  // became an event already; further lines are evidence only
  bool dirty = false, written = false;
};

class Records {
 public:
  static constexpr std::size_t kMaxPerEvent = 10'000;

  explicit Records(EvidenceStore& evidence) : evidence_(evidence) {}

  // Keeps the records of definitions with the same id and the same `same`.
  void set_rules(const rules::RuleSet* before, const rules::RuleSet& now);

  Record* find(std::uint32_t definition, const std::vector<expr::Value>& same);
  // The latest-begun open record that agrees with `same` where the bit of `known` is set; `several` if more
  // than one does.
  Record* find_latest(std::uint32_t definition, const std::vector<expr::Value>& same, std::uint64_t known,
                      bool& several);
  Record& open(std::uint32_t definition, std::vector<expr::Value> same, Timestamp begin);
  void erase(Record& record);  // lets its lines go
  void mark(Record& record);   // it changed

  std::size_t size() const { return by_id_.size(); }
  std::size_t size(std::uint32_t definition) const;
  Record* oldest(std::uint32_t definition);  // by begin
  // Due first: by deadline, definition, values of `same`.
  Record* first_due() const { return due_.empty() ? nullptr : *due_.begin(); }
  std::vector<Record*> in_order_of_begin() const;

  void take_changes(std::vector<StateRow>& out);
  bool restore(const StateRow& row, const Json& body);

 private:
  using Owned = std::unique_ptr<Record>;
  struct DueFirst {
    bool operator()(const Record* a, const Record* b) const;
  };
  struct BeginFirst {
    bool operator()(const Record* a, const Record* b) const;
  };
  using ByBegin = std::set<Record*, BeginFirst>;
  // Records by those of their `same` values whose bit is set; made when the first line asks for these bits.
  using Partial = std::unordered_map<std::string, ByBegin>;
  struct OfEvent {
    ByBegin all;
    std::map<std::uint64_t, Partial> partial;
  };
  static std::string partial_key(const std::vector<expr::Value>& same, std::uint64_t known);
  static std::string table_key(std::uint32_t definition, const std::vector<expr::Value>& same);
  void insert(Owned record);
  Owned detach(Record& record);
  Json body_of(const Record& record) const;

  EvidenceStore& evidence_;
  const rules::RuleSet* rules_ = nullptr;
  std::optional<FieldNames> names_;
  std::unordered_map<std::string, std::uint32_t> definitions_;  // by event id
  std::unordered_map<std::string, Owned> records_;              // by definition and values of `same`
  std::vector<OfEvent> events_;                                 // by definition
  std::set<Record*, DueFirst> due_;
  std::unordered_map<std::uint64_t, Record*> by_id_;
  std::uint64_t last_id_ = 0;
  std::vector<std::uint64_t> dirty_;
  std::vector<std::pair<std::uint64_t, std::string>> erased_;  // id, owner
};

}  // namespace correlator::engine
