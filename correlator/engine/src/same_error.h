// SPDX-License-Identifier: Apache-2.0
// Same-error groups: one hardware error that several channels report is counted once (semantics.md, section
// 3).
#pragma once

#include <cstddef>
#include <cstdint>
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
#include "engine/decision.h"
#include "engine/event.h"
#include "engine/state.h"
#include "rules/model.h"

namespace correlator::engine {

class SameErrors {
 public:
  static constexpr std::size_t kMaxGroups = 100'000;
  static constexpr std::size_t kFirstLines = 4, kLines = 16;  // kept of a group: the first 4 and the last 12
  static constexpr std::size_t kMaxFields = 32;

  SameErrors(Options options, EvidenceStore& evidence, Counters& counters)
      : options_(options), evidence_(evidence), counters_(counters) {}

  // Keeps the groups of definitions with the same name and key.
  void set_rules(const rules::RuleSet* before, const rules::RuleSet& now);
  // Passes the event through the groups it belongs to: it keeps the weight that is news, or it is folded.
  void pass(Event& event, Timestamp clock);
  // Drops the groups that nothing can meet any more.
  void drop_due(Timestamp clock);

  std::size_t size() const { return groups_.size(); }
  void take_changes(std::vector<StateRow>& out);
  bool restore(const StateRow& row, const Json& body);

 private:
  struct Group {
    std::uint64_t id = 0;
    std::uint32_t definition = 0;  // index into RuleSet::same_errors
    std::vector<expr::Value> key;
    const std::string* place = nullptr;  // its key in groups_
    Timestamp first, last;
    std::vector<std::uint64_t> sums;  // by channel; 0: nothing from it yet
    std::uint64_t counted = 0;
    Fields fields;               // what is known about the error, the built-in ones left out
    std::vector<LineRef> lines;  // its evidence
    std::uint64_t total_lines = 0;
    bool dirty = false, written = false;
  };
  using Owned = std::unique_ptr<Group>;
  std::string name_of(const Group& group) const;
  Timestamp deadline(const Group& group) const;
  // The weight that is news.
  std::uint64_t meet(Event& event, std::uint32_t definition, std::uint32_t channel,
                     std::vector<expr::Value> key);
  Group& open(std::uint32_t definition, std::vector<expr::Value> key, std::string place, Timestamp t);
  void take_in(Group& group, const Event& event);
  void insert(Owned group, std::string place);
  void spans(Group& group, Timestamp t);  // an event at t is one of it
  void erase(Group& group);
  Owned detach(Group& group);
  void mark(Group& group);

  Options options_;
  EvidenceStore& evidence_;
  Counters& counters_;
  const rules::RuleSet* rules_ = nullptr;
  std::optional<FieldNames> names_;
  std::unordered_map<std::string, std::uint32_t> definitions_;  // by name
  std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>>
      memberships_;                                    // by event: definition, channel
  // By definition: how long after its time an event may come, because its record waits for further lines.
  std::vector<Duration> record_spans_;
  std::vector<std::vector<bool>> classes_;             // by definition, by class
  std::unordered_map<std::string, Owned> groups_;      // by definition and key
  std::set<std::pair<Timestamp, std::uint64_t>> due_;  // deadline, id
  std::unordered_map<std::uint64_t, Group*> by_id_;
  std::uint64_t last_id_ = 0;
  std::vector<std::uint64_t> dirty_;
  std::vector<std::pair<std::uint64_t, std::string>> erased_;  // id, owner
};

}  // namespace correlator::engine
