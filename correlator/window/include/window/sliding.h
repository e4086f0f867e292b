// SPDX-License-Identifier: Apache-2.0
// SlidingWindow: "10 in 24h" over the newest N (time, weight) pairs. Under `count` and `rate`.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "time/timestamp.h"
#include "window/pairs.h"

namespace correlator::window {

class SlidingWindow {
 public:
  // Counts an event of weight `w` >= 1 at `t` and keeps the `n` newest pairs by (time, arrival). Gives the
  // earliest interval (e - within, e] that reaches `n`, where e is the time of a pair and t <= e < t +
  // within.
  std::optional<Reached> add(Timestamp t, std::uint64_t w, std::uint64_t n, Duration within);
  // The same without looking whether it reaches `n`: for a latched key.
  void keep(Timestamp t, std::uint64_t w, std::uint64_t n);

  // When the case that was opened by the pairs from `from` on closes: the smallest p + quiet such that no
  // pair lies in (p, p + quiet), p a pair with a time >= `from`. None without such pairs.
  std::optional<Timestamp> quiet_deadline(Timestamp from, Duration quiet) const;
  // The same for `rate`: the smallest x = p + within > `fired` with a weight < n in (x - within, x).
  std::optional<Timestamp> rate_deadline(Timestamp from, Timestamp fired, std::uint64_t n,
                                         Duration within) const;
  // After a case closed and the older pairs were dropped: the earliest pair at which an interval that ends
  // there reaches `n`.
  std::optional<Reached> first_reached(std::uint64_t n, Duration within) const;

  void drop_before(Timestamp time) { pairs_.drop_before(time); }  // times < `time`
  void forget_until(Timestamp time) { pairs_.drop_until(time); }  // times <= `time`
  void clear() { pairs_.clear(); }

  std::span<const Pair> pairs() const { return pairs_.view(); }
  bool empty() const { return pairs_.empty(); }
  std::size_t size() const { return pairs_.size(); }
  std::optional<Timestamp> newest() const;
  // Weight in (after, upto], saturating.
  std::uint64_t weight_in(Timestamp after, Timestamp upto) const { return pairs_.weight_in(after, upto); }
  // Bytes on the heap, without the allocator's own.
  std::size_t heap_bytes() const { return pairs_.allocated() * sizeof(Pair); }

  void encode(std::string& out) const { pairs_.encode(out); }  // "[t,w,t,w,…]"
  void pack(std::string& out) const { pairs_.pack(out); }      // the same in few bytes
  static std::optional<SlidingWindow> decode(std::string_view& text);

 private:
  // The earliest interval (e - within, e] with from <= e < before that reaches `n`. `in_front`: a pair in front of all that just fell out.
  std::optional<Reached> reached(const Pair* in_front, Timestamp from, Timestamp before, std::uint64_t n, Duration within) const;

  Pairs pairs_;
};
static_assert(sizeof(SlidingWindow) == 16);

}  // namespace correlator::window
