// SPDX-License-Identifier: Apache-2.0
// GroupWindow: several thresholds that must hold in one span.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "time/timestamp.h"
#include "window/pairs.h"

namespace correlator::window {

class GroupWindow {
 public:
  // Counts an event of weight `w` >= 1 at `t` for each of `members` (indexes into `counts`; not empty). Gives
  // the earliest interval (e - within, e], e the time of a pair of any member, t <= e < t + within, in which
  // every member i has counts[i] or more; `total` is the weight of all members in it. Keeps counts[i] newest
  // pairs of member i.
  std::optional<Reached> add(Timestamp t, std::uint64_t w, std::span<const std::uint32_t> members,
                             std::span<const std::uint64_t> counts, Duration within);
  void keep(Timestamp t, std::uint64_t w, std::span<const std::uint32_t> members,
            std::span<const std::uint64_t> counts);

  // As in SlidingWindow, over the pairs of all members.
  std::optional<Timestamp> quiet_deadline(Timestamp from, Duration quiet) const;
  std::optional<Reached> first_reached(std::span<const std::uint64_t> counts, Duration within) const;
  void drop_before(Timestamp time);
  void forget_until(Timestamp time);
  void clear() { members_.clear(); }

  bool empty() const;
  std::optional<Timestamp> newest() const;
  std::span<const Pair> pairs(std::uint32_t member) const;
  std::uint64_t weight_in(std::uint32_t member, Timestamp after, Timestamp upto) const;

  void encode(std::string& out) const;  // one array of pairs for each member
  static std::optional<GroupWindow> decode(std::string_view& text);

 private:
  std::optional<Reached> sweep(Timestamp from, Timestamp before, std::span<const std::uint64_t> counts,
                               Duration within) const;
  std::vector<Timestamp> times() const;  // of all members, ascending

  std::vector<Pairs> members_;
};

}  // namespace correlator::window
