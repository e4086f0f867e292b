// SPDX-License-Identifier: Apache-2.0
// Windows as plain lists that forget nothing but what semantics.md says, written from that text alone.
#pragma once

#include <algorithm>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "time/timestamp.h"
#include "window/pairs.h"

namespace correlator::window::naive {

using Pairs = std::vector<Pair>;

inline void sort_by_time(Pairs& pairs) {
  std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return a.time < b.time; });
}

inline void keep_newest(Pairs& pairs, std::size_t n) {
  sort_by_time(pairs);
  if (pairs.size() > n) pairs.erase(pairs.begin(), pairs.end() - static_cast<std::ptrdiff_t>(n));
}

inline std::uint64_t weight(const Pairs& pairs, Timestamp after, Timestamp upto) {
  std::uint64_t sum = 0;
  for (const Pair& p : pairs) sum += p.time > after && p.time <= upto ? p.weight : 0;
  return sum;
}

// The earliest e in [from, before) that is the time of a pair and ends an interval with a weight of n.
inline std::optional<Reached> reached(const Pairs& pairs, Timestamp from, Timestamp before, std::uint64_t n,
                                      Duration within) {
  std::optional<Reached> best;
  for (const Pair& p : pairs) {
    const Timestamp e = p.time;
    if (e < from || e >= before || weight(pairs, e - within, e) < n) continue;
    if (best && best->last <= e) continue;
    best = Reached{e, e, weight(pairs, e - within, e)};
    for (const Pair& q : pairs) {
      if (q.time > e - within && q.time <= e) best->first = std::min(best->first, q.time);
    }
  }
  return best;
}

inline std::optional<Timestamp> quiet(const Pairs& pairs, Timestamp from, Duration q) {
  std::optional<Timestamp> best;
  for (const Pair& p : pairs) {
    if (p.time < from) continue;
    const bool hit = std::any_of(pairs.begin(), pairs.end(),
                                 [&](const Pair& o) { return o.time > p.time && o.time < p.time + q; });
    if (!hit && (!best || p.time + q < *best)) best = p.time + q;
  }
  return best;
}

inline std::optional<Timestamp> rate(const Pairs& pairs, Timestamp from, Timestamp fired, std::uint64_t n,
                                     Duration d) {
  std::optional<Timestamp> best;
  for (const Pair& p : pairs) {
    const Timestamp x = p.time + d;
    if (p.time < from || x <= fired) continue;
    std::uint64_t sum = 0;
    for (const Pair& o : pairs) sum += o.time > p.time && o.time < x ? o.weight : 0;
    if (sum < n && (!best || x < *best)) best = x;
  }
  return best;
}

// value -> its newest different times; judged with all of them, cut to 8 afterwards.
using Values = std::map<std::string, std::set<Timestamp>>;

inline std::uint64_t different(const Values& values, Timestamp after, Timestamp upto) {
  std::uint64_t n = 0;
  for (const auto& [value, times] : values) {
    n += std::any_of(times.begin(), times.end(), [&](Timestamp t) { return t > after && t <= upto; }) ? 1 : 0;
  }
  return n;
}

inline Pairs all_times(const Values& values) {
  Pairs all;
  for (const auto& [value, times] : values) {
    for (const Timestamp t : times) all.push_back({t, 1});
  }
  sort_by_time(all);
  return all;
}

inline std::optional<Reached> reached(const Values& values, Timestamp from, Timestamp before, std::uint64_t n,
                                      Duration within) {
  for (const Pair& p : all_times(values)) {
    const Timestamp e = p.time;
    if (e < from || e >= before || different(values, e - within, e) < n) continue;
    Timestamp first = e;
    for (const Pair& q : all_times(values)) {
      if (q.time > e - within) first = std::min(first, q.time);
    }
    return Reached{first, e, different(values, e - within, e)};
  }
  return std::nullopt;
}

}  // namespace correlator::window::naive
