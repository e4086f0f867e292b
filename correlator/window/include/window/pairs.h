// SPDX-License-Identifier: Apache-2.0
// Pairs: the sorted list of (time, number) under sliding, group and level windows.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "time/timestamp.h"

namespace correlator::window {

struct Pair {
  Timestamp time;
  std::uint64_t weight = 1;  // at least 1; the value in a level window
  bool operator==(const Pair&) const = default;
};
static_assert(sizeof(Pair) == 16);

// Where a window reached its threshold: the interval (last - within, last] and what lies in it.
struct Reached {
  Timestamp first;          // the earliest pair in the interval
  Timestamp last;           // its end: the time of a pair
  std::uint64_t total = 0;  // the weight in it (distinct: values), saturating
  bool operator==(const Reached&) const = default;
};

// Ordered by time, equal times by arrival. 16 bytes and one allocation that never has room for more pairs
// than its limit; a million of these are alive at once.
class Pairs {
 public:
  Pairs() = default;
  Pairs(const Pairs& other);
  Pairs(Pairs&& other) noexcept;
  Pairs& operator=(Pairs other) noexcept;
  ~Pairs();

  // Behind the pairs of the same time. Room grows to at most max(limit, size() + 1) pairs.
  void insert(Pair pair, std::size_t limit);
  // Inserts into the pairs without the oldest one, in the same room; gives the pair that fell out: the
  // oldest, or `pair` itself where that is older. Only when not empty.
  Pair replace_oldest(Pair pair);
  void keep_newest(std::size_t n);
  void drop_before(Timestamp time);  // those with a time < `time`
  void drop_until(Timestamp time);   // those with a time <= `time`
  void clear();

  std::span<const Pair> view() const { return {data_, size_}; }
  std::size_t size() const { return size_; }
  bool empty() const { return size_ == 0; }
  // Whether a pair that is or was there may weigh more than one: without such pairs, numbers of pairs say it all.
  bool heavy() const { return heavy_ != 0; }
  std::size_t allocated() const { return capacity_; }  // pairs there is room for

  // Total weight with a time in (after, upto], saturating.
  std::uint64_t weight_in(Timestamp after, Timestamp upto) const;

  // "[t,w,t,w,…]", times in microseconds.
  void encode(std::string& out) const;
  // The same in few bytes: a byte that no JSON text begins with, the number of pairs, then time (as difference from the
  // one before) and weight of each.
  void pack(std::string& out) const;
  // Reads either form at the front of `text` and moves `text` behind it. nullopt if there is none, a time
  // is out of order, or there are more than `limit` pairs.
  static std::optional<Pairs> decode(std::string_view& text, std::size_t limit = kMaxPairs);
  static constexpr std::size_t kMaxPairs = 65'536;

 private:
  static std::optional<Pairs> unpack(std::string_view& bytes, std::size_t limit);
  void reserve(std::size_t capacity);
  void drop_front(std::size_t n);

  Pair* data_ = nullptr;
  std::uint32_t size_ = 0;
  std::uint32_t capacity_ : 31 = 0;
  std::uint32_t heavy_ : 1 = 0;
};

}  // namespace correlator::window
