// SPDX-License-Identifier: Apache-2.0
#include "window/group.h"

#include <algorithm>

#include "ints.h"
#include "sums.h"

namespace correlator::window {

std::optional<Reached> GroupWindow::add(Timestamp t, std::uint64_t w, std::span<const std::uint32_t> members,
                                        std::span<const std::uint64_t> counts, Duration within) {
  if (members_.size() < counts.size()) members_.resize(counts.size());
  for (const std::uint32_t member : members) members_[member].insert({t, w}, counts[member] + 1);
  const std::optional<Reached> reached = sweep(t, t + within, counts, within);
  // Of the others more can be kept only if their count was larger before a reload.
  for (std::size_t i = 0; i < counts.size(); ++i) members_[i].keep_newest(counts[i]);
  return reached;
}

void GroupWindow::keep(Timestamp t, std::uint64_t w, std::span<const std::uint32_t> members,
                       std::span<const std::uint64_t> counts) {
  if (members_.size() < counts.size()) members_.resize(counts.size());
  for (const std::uint32_t member : members) members_[member].insert({t, w}, counts[member] + 1);
  for (std::size_t i = 0; i < counts.size(); ++i) members_[i].keep_newest(counts[i]);
}

// The earliest interval (e - within, e], from <= e < before, in which every member reaches its count. Weights
// are cut to the count while they are summed: the answer is the same and nothing overflows.
std::optional<Reached> GroupWindow::sweep(Timestamp from, Timestamp before,
                                          std::span<const std::uint64_t> counts, Duration within) const {
  struct Member {
    std::span<const Pair> pairs;
    std::size_t begin = 0, end = 0;  // pairs in the interval
    std::uint64_t sum = 0;
  };
  std::vector<Member> members(counts.size());
  for (std::size_t i = 0; i < counts.size(); ++i) {
    if (members_[i].empty()) return std::nullopt;  // most groups end here
    members[i].pairs = members_[i].view();
  }
  const auto advance = [&](Member& member, std::uint64_t count, Timestamp e) {
    for (; member.end < member.pairs.size() && member.pairs[member.end].time <= e; ++member.end)
      member.sum += std::min(member.pairs[member.end].weight, count);
    for (; member.begin < member.end && member.pairs[member.begin].time <= e - within; ++member.begin)
      member.sum -= std::min(member.pairs[member.begin].weight, count);
    return member.sum >= count;
  };
  Timestamp e = from;
  while (true) {
    // The earliest time of a pair that is at or after e.
    std::optional<Timestamp> next;
    for (const Member& member : members) {
      std::size_t i = member.end;
      while (i < member.pairs.size() && member.pairs[i].time < e) ++i;
      if (i < member.pairs.size() && (!next || member.pairs[i].time < *next)) next = member.pairs[i].time;
    }
    if (!next || !(*next < before)) return std::nullopt;
    bool all = true;
    for (std::size_t i = 0; i < members.size(); ++i) all = advance(members[i], counts[i], *next) && all;
    if (all) {
      Reached reached{*next, *next, 0};
      for (const Member& member : members) {
        for (std::size_t i = member.begin; i < member.end; ++i) {
          reached.first = std::min(reached.first, member.pairs[i].time);
          reached.total = add_saturating(reached.total, member.pairs[i].weight);
        }
      }
      return reached;
    }
    e = *next + Duration{1};
  }
}

std::vector<Timestamp> GroupWindow::times() const {
  std::vector<Timestamp> times;
  for (const Pairs& member : members_) {
    for (const Pair& pair : member.view()) times.push_back(pair.time);
  }
  std::sort(times.begin(), times.end());
  return times;
}

std::optional<Timestamp> GroupWindow::quiet_deadline(Timestamp from, Duration quiet) const {
  const std::vector<Timestamp> all = times();
  return quiet_after(std::span<const Timestamp>(all), from, quiet);
}

std::optional<Reached> GroupWindow::first_reached(std::span<const std::uint64_t> counts,
                                                  Duration within) const {
  if (members_.size() < counts.size()) return std::nullopt;
  return sweep(Timestamp::min(), Timestamp::max(), counts, within);
}

void GroupWindow::drop_before(Timestamp time) {
  for (Pairs& member : members_) member.drop_before(time);
}

void GroupWindow::forget_until(Timestamp time) {
  for (Pairs& member : members_) member.drop_until(time);
}

bool GroupWindow::empty() const {
  return std::all_of(members_.begin(), members_.end(), [](const Pairs& member) { return member.empty(); });
}

std::optional<Timestamp> GroupWindow::newest() const {
  std::optional<Timestamp> newest;
  for (const Pairs& member : members_) {
    if (!member.empty() && (!newest || *newest < member.view().back().time))
      newest = member.view().back().time;
  }
  return newest;
}

std::span<const Pair> GroupWindow::pairs(std::uint32_t member) const {
  if (member >= members_.size()) return {};
  return members_[member].view();
}

std::uint64_t GroupWindow::weight_in(std::uint32_t member, Timestamp after, Timestamp upto) const {
  return member < members_.size() ? members_[member].weight_in(after, upto) : 0;
}

void GroupWindow::encode(std::string& out) const {
  out += '[';
  for (std::size_t i = 0; i < members_.size(); ++i) {
    if (i > 0) out += ',';
    members_[i].encode(out);
  }
  out += ']';
}

std::optional<GroupWindow> GroupWindow::decode(std::string_view& text) {
  GroupWindow window;
  const bool read = take_array(text, [&](std::string_view& rest) {
    std::optional<Pairs> member = Pairs::decode(rest);
    if (!member) return false;
    window.members_.push_back(std::move(*member));
    return true;
  });
  if (!read) return std::nullopt;
  return window;
}

}  // namespace correlator::window
