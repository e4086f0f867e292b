// SPDX-License-Identifier: Apache-2.0
// What decoding remembers from line to line beside records and groups: cumulative counters and the brake on
// logger.forged.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json_fwd.h"
#include "engine/decision.h"
#include "engine/state.h"
#include "expr/value.h"
#include "time/timestamp.h"

namespace correlator::engine {

// Values as bytes that are equal exactly if the values are; for hash tables.
std::string exact_bytes(std::span<const expr::Value> values);

// The last value of each cumulative counter (`increase_of`), by event id and `per` values. At most 10,000 of
// one event: the one that was looked at longest ago goes first.
class Increases {
 public:
  static constexpr std::size_t kMaxPerEvent = 10'000;

  // `last_id`: of the rows of kind counter.
  Increases(Counters& counters, std::uint64_t& last_id) : counters_(counters), last_id_(last_id) {}

  // By how much the counter rose: all of it after a reset, 1 when it is seen for the first time and not 0.
  std::uint64_t rise(std::string_view event, std::vector<expr::Value> per, std::uint64_t value);

  void forget_event(std::string_view event);
  std::vector<std::string> events() const;
  void take_changes(std::vector<StateRow>& out);
  bool restore(const StateRow& row, const Json& body);

 private:
  struct Counter {
    std::uint64_t id = 0;
    std::string event;
    std::vector<expr::Value> per;
    std::uint64_t value = 0;
    std::uint64_t used = 0;  // rises with each look
    bool dirty = false, written = false;
  };
  using Table = std::unordered_map<std::string, Counter>;  // by exact_bytes of `per`
  struct OfEvent {
    Table counters;
    std::map<std::uint64_t, std::string> by_use;  // used -> key in counters
  };
  void erase(OfEvent& all, Table::iterator at);
  void mark(Counter& counter);

  Counters& counters_;
  std::map<std::string, OfEvent, std::less<>> events_;
  std::uint64_t& last_id_;
  std::uint64_t last_use_ = 0;
  std::vector<std::pair<std::string, std::string>> dirty_;  // event, key
  std::vector<std::pair<std::uint64_t, std::string>> erased_;
};

// At most one logger.forged a minute and host; 1,024 hosts, the one that was silent longest goes first.
class ForgedLimit {
 public:
  static constexpr std::size_t kMaxHosts = 1'024;

  explicit ForgedLimit(std::uint64_t& last_id) : last_id_(last_id) {}

  bool allows(std::string_view host, Timestamp t);

  void take_changes(std::vector<StateRow>& out);
  bool restore(const StateRow& row, const Json& body);

 private:
  struct Host {
    std::uint64_t id = 0;
    Timestamp last;
    bool dirty = false, written = false;
  };
  std::unordered_map<std::string, Host> hosts_;
  std::set<std::pair<Timestamp, std::string>> by_time_;
  std::uint64_t& last_id_;
  std::vector<std::string> dirty_;
  std::vector<std::pair<std::uint64_t, std::string>> erased_;
};

}  // namespace correlator::engine
