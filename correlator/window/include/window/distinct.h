// SPDX-License-Identifier: Apache-2.0
// DistinctWindow: how many different values were seen in a span. Values are exact: their text is kept, once.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "time/timestamp.h"
#include "window/pairs.h"

namespace correlator::window {

class DistinctWindow {
 public:
  static constexpr std::size_t kMaxValues = 1'024;
  static constexpr std::size_t kMaxTimes = 8;  // newest different times kept of each value

  DistinctWindow() = default;
  DistinctWindow(DistinctWindow&&) noexcept = default;
  DistinctWindow& operator=(DistinctWindow&&) noexcept = default;

  struct Added {
    std::optional<Reached> reached;  // total: different values in the interval
    bool evicted = false;            // a value had to go: the one whose newest time is oldest
  };
  // Gives the earliest interval (e - within, e], e a kept time, t <= e < t + within, with `n` different
  // values or more.
  Added add(Timestamp t, std::string_view value, std::uint64_t n, Duration within);
  // The same without looking whether it reaches `n`; whether a value was evicted.
  bool keep(Timestamp t, std::string_view value);

  // As in SlidingWindow, over all kept times.
  std::optional<Timestamp> quiet_deadline(Timestamp from, Duration quiet) const;
  std::optional<Reached> first_reached(std::uint64_t n, Duration within) const;
  void drop_before(Timestamp time);
  void forget_until(Timestamp time);
  void clear() { entries_.clear(); }

  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }  // values
  std::optional<Timestamp> newest() const;
  std::uint64_t values_in(Timestamp after, Timestamp upto) const;
  std::vector<Timestamp> times() const;  // all kept times, ascending
  // The values seen in (after, upto], in the order of their newest time.
  std::vector<std::string_view> values(Timestamp after, Timestamp upto) const;

  // "[["text",t,…],…]"; a value that is not plain text stands as {"bytes":"hex"}.
  void encode(std::string& out) const;
  static std::optional<DistinctWindow> decode(std::string_view& text);

 private:
  struct Value {
    std::string text;
    std::vector<Timestamp> older;  // ascending, without the newest one; empty for most values
  };
  struct Entry {
    Timestamp newest;
    std::uint64_t hash = 0;
    std::unique_ptr<Value> value;
  };
  struct Seen {
    Timestamp time;
    std::uint32_t value = 0;  // index into entries_
  };
  std::size_t insert(Timestamp t, std::string_view value);
  bool evict();
  std::vector<Seen> seen() const;  // all kept times in order
  std::optional<Reached> sweep(Timestamp from, Timestamp before, std::uint64_t n, Duration within) const;
  void drop(Timestamp time);  // times < `time`

  std::vector<Entry> entries_;  // by (newest time, arrival of that time)
};

}  // namespace correlator::window
