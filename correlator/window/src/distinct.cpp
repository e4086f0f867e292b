// SPDX-License-Identifier: Apache-2.0
#include "window/distinct.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "sums.h"

namespace correlator::window {

// Puts the value at its place by newest time, remembers the time, and gives the index of its entry.
std::size_t DistinctWindow::insert(Timestamp t, std::string_view value) {
  const std::uint64_t hash = hash64(value);
  std::size_t at = entries_.size();
  while (at > 0 && (entries_[at - 1].hash != hash || entries_[at - 1].value->text != value)) --at;
  if (at == 0) {
    Entry fresh{t, hash, std::make_unique<Value>()};
    fresh.value->text = value;
    const auto place = std::upper_bound(entries_.begin(), entries_.end(), t,
                                        [](Timestamp time, const Entry& e) { return time < e.newest; });
    if (entries_.size() == entries_.capacity()) {
      // Exact while small, where windows are many.
      const auto index = place - entries_.begin();
      entries_.reserve(entries_.size() < 4 ? entries_.size() + 1 : entries_.size() + entries_.size() / 2);
      return static_cast<std::size_t>(entries_.insert(entries_.begin() + index, std::move(fresh)) -
                                      entries_.begin());
    }
    return static_cast<std::size_t>(entries_.insert(place, std::move(fresh)) - entries_.begin());
  }
  Entry& entry = entries_[--at];
  std::vector<Timestamp>& older = entry.value->older;
  if (t == entry.newest) return at;
  const Timestamp put = std::min(t, entry.newest);
  const auto where = std::lower_bound(older.begin(), older.end(), put);
  if (where == older.end() || *where != put) {
    if (older.size() == older.capacity()) {
      const auto index = where - older.begin();
      older.reserve(older.size() + 1);
      older.insert(older.begin() + index, put);
    } else {
      older.insert(where, put);
    }
  }
  if (t < entry.newest) return at;
  entry.newest = t;
  auto self = entries_.begin() + static_cast<std::ptrdiff_t>(at);
  const auto place = std::upper_bound(self + 1, entries_.end(), t,
                                      [](Timestamp time, const Entry& e) { return time < e.newest; });
  std::rotate(self, self + 1, place);
  return static_cast<std::size_t>(place - entries_.begin()) - 1;
}

bool DistinctWindow::evict() {
  if (entries_.size() <= kMaxValues) return false;
  entries_.erase(entries_.begin());
  return true;
}

DistinctWindow::Added DistinctWindow::add(Timestamp t, std::string_view value, std::uint64_t n,
                                          Duration within) {
  const std::size_t at = insert(t, value);
  Added added;
  if (entries_.size() >= n) {  // fewer values in all cannot be enough in an interval
    if (entries_.back().newest == t) {
      // Nothing is newer, so the one interval to look at ends here, and the newest times say which values are
      // in it.
      std::size_t first = entries_.size();
      while (first > 0 && t - within < entries_[first - 1].newest) --first;
      if (entries_.size() - first >= n) added.reached = sweep(t, t + within, n, within);
    } else {
      added.reached = sweep(t, t + within, n, within);
    }
  }
  // Judged with all times; kept are the newest ones.
  std::vector<Timestamp>& older = entries_[at].value->older;
  if (older.size() >= kMaxTimes) older.erase(older.begin());
  added.evicted = evict();
  return added;
}

bool DistinctWindow::keep(Timestamp t, std::string_view value) {
  std::vector<Timestamp>& older = entries_[insert(t, value)].value->older;
  if (older.size() >= kMaxTimes) older.erase(older.begin());
  return evict();
}

std::vector<Timestamp> DistinctWindow::times() const {
  std::vector<Timestamp> out;
  for (const Seen& one : seen()) out.push_back(one.time);
  return out;
}

std::vector<DistinctWindow::Seen> DistinctWindow::seen() const {
  std::vector<Seen> seen;
  for (std::uint32_t i = 0; i < entries_.size(); ++i) {
    for (const Timestamp time : entries_[i].value->older) seen.push_back({time, i});
    seen.push_back({entries_[i].newest, i});
  }
  std::sort(seen.begin(), seen.end(), [](const Seen& a, const Seen& b) { return a.time < b.time; });
  return seen;
}

std::optional<Reached> DistinctWindow::sweep(Timestamp from, Timestamp before, std::uint64_t n,
                                             Duration within) const {
  const std::vector<Seen> all = seen();
  std::vector<std::uint32_t> times(entries_.size());  // of each value in the interval
  std::size_t first = 0, end = 0;
  std::uint64_t different = 0;
  while (end < all.size()) {
    const Timestamp e = all[end].time;
    if (!(e < before)) break;
    for (; end < all.size() && all[end].time == e; ++end) different += times[all[end].value]++ == 0 ? 1 : 0;
    for (; all[first].time <= e - within; ++first) different -= --times[all[first].value] == 0 ? 1 : 0;
    if (e >= from && different >= n) return Reached{all[first].time, e, different};
  }
  return std::nullopt;
}

std::optional<Timestamp> DistinctWindow::quiet_deadline(Timestamp from, Duration quiet) const {
  std::vector<Timestamp> times;
  for (const Entry& entry : entries_) {
    for (const Timestamp time : entry.value->older) {
      if (time >= from) times.push_back(time);
    }
    if (entry.newest >= from) times.push_back(entry.newest);
  }
  std::sort(times.begin(), times.end());
  return quiet_after(std::span<const Timestamp>(times), from, quiet);
}

std::optional<Reached> DistinctWindow::first_reached(std::uint64_t n, Duration within) const {
  return sweep(Timestamp::min(), Timestamp::max(), n, within);
}

void DistinctWindow::drop(Timestamp time) {
  // Sorted by newest time: the values that go altogether stand in front.
  const auto stays = std::lower_bound(entries_.begin(), entries_.end(), time,
                                      [](const Entry& e, Timestamp t) { return e.newest < t; });
  entries_.erase(entries_.begin(), stays);
  for (Entry& entry : entries_) {
    std::vector<Timestamp>& older = entry.value->older;
    older.erase(older.begin(), std::lower_bound(older.begin(), older.end(), time));
  }
}

void DistinctWindow::drop_before(Timestamp time) {
  drop(time);
}

void DistinctWindow::forget_until(Timestamp time) {
  drop(time + Duration{1});
}

std::optional<Timestamp> DistinctWindow::newest() const {
  if (entries_.empty()) return std::nullopt;
  return entries_.back().newest;
}

std::vector<std::string_view> DistinctWindow::values(Timestamp after, Timestamp upto) const {
  std::vector<std::string_view> values;
  for (const Entry& entry : entries_) {
    const std::vector<Timestamp>& older = entry.value->older;
    const auto next = std::upper_bound(older.begin(), older.end(), after);
    const bool in_older = next != older.end() && *next <= upto;
    if (in_older || (after < entry.newest && entry.newest <= upto)) values.push_back(entry.value->text);
  }
  return values;
}

std::uint64_t DistinctWindow::values_in(Timestamp after, Timestamp upto) const {
  return values(after, upto).size();
}

}  // namespace correlator::window
