// SPDX-License-Identifier: Apache-2.0
// When the events of a cause happened: what `ignore`, `unless` and mutes ask (semantics.md, section 7).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "engine/event.h"
#include "engine/state.h"
#include "rules/model.h"

namespace correlator::engine {

class CauseMemory {
 public:
  static constexpr std::size_t kMaxTimes = 64;
  static constexpr std::size_t kMaxValues = 100'000;

  // `place` names it across reloads: "dimm.failing/unless/0/…text".
  CauseMemory(const rules::Cause& cause, std::string place) : cause_(&cause), place_(std::move(place)) {}

  const rules::Cause& cause() const { return *cause_; }
  const std::string& place() const { return place_; }
  std::string same(const Fields& fields) const;  // packed values of `same`

  // An event of the cause at u. Forgets what no line can ask for any more; gives how many values were
  // evicted.
  std::size_t note(Timestamp u, std::string_view same, Timestamp oldest_line, std::uint64_t& next_id);
  bool holds(Timestamp t, std::string_view same) const;
  // The first moment from t on at which it does not hold; only when it holds at t.
  Timestamp end(Timestamp t, std::string_view same) const;

  void take_changes(std::vector<StateRow>& out);
  void all_rows(std::vector<StateRow>& out) const;
  bool restore(const StateRow& row);

 private:
  struct Times {
    std::uint64_t id = 0;
    std::vector<Timestamp> times;  // ascending, different
    bool dirty = true, stored = false;
  };
  StateRow row(const std::string& same, const Times& times) const;
  void erase(std::map<std::string, Times, std::less<>>::iterator at);

  const rules::Cause* cause_;
  std::string place_;
  std::map<std::string, Times, std::less<>> values_;
  std::set<std::pair<Timestamp, std::uint64_t>> by_newest_;  // (newest time, id)
  std::map<std::uint64_t, std::string> names_;               // id -> same
  std::set<std::uint64_t> dirty_;
  std::vector<std::uint64_t> erased_;
};

}  // namespace correlator::engine
