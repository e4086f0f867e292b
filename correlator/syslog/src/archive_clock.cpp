// SPDX-License-Identifier: Apache-2.0
#include "syslog/archive_clock.h"

#include <algorithm>

namespace correlator::syslog {
namespace {

constexpr Duration kLate = Duration::minutes(1);
constexpr Duration kReboot = Duration::seconds(5);

Duration distance(Timestamp a, Timestamp b) {
  return a < b ? b - a : a - b;
}

// The anchor at or before `offset`, or end().
template <class Anchors>
auto at_or_before(const Anchors& anchors, std::uint64_t offset) {
  auto after = std::upper_bound(anchors.begin(), anchors.end(), offset,
                                [](std::uint64_t o, const auto& a) { return o < a.offset; });
  return after == anchors.begin() ? anchors.end() : std::prev(after);
}

}  // namespace

ArchiveClock::ArchiveClock(ArchiveClockOptions options) : options_(std::move(options)) {}

void ArchiveClock::anchor(std::uint64_t offset, const Stamp& stamp, std::optional<Duration> uptime) {
  if (stamp.kind == Stamp::Kind::wall || stamp.kind == Stamp::Kind::yearless) {
    anchor_wall(offset, stamp);
  } else if (uptime && !first_wall_) {
    anchor_uptime(offset, *uptime);
  }
}

void ArchiveClock::anchor_wall(std::uint64_t offset, const Stamp& stamp) {
  if (!first_wall_) first_wall_ = offset;
  if (pending_) settle_pending(place(stamp, pending_->time) >= pending_->time - kLeap);
  const Timestamp time = place(stamp, last_);
  if (leaps(time, last_)) {
    pending_ = Anchor{offset, time};
    return;
  }
  walls_.push_back({offset, time});
  marks_.push_back({offset, time});
  last_ = time;
  if (!first_) first_ = time;
}

void ArchiveClock::settle_pending(bool believed) {
  if (!pending_) return;
  if (believed) {
    walls_.push_back(*pending_);
    marks_.push_back({pending_->offset, pending_->time});
    last_ = pending_->time;
    if (!first_) first_ = last_;
  } else {
    // A first line that is not believed has nothing before it: resolve() gives it the first anchor's time.
    dropped_.push_back({pending_->offset, last_.value_or(Timestamp::min())});
  }
  pending_.reset();
}

void ArchiveClock::anchor_uptime(std::uint64_t offset, Duration uptime) {
  if (boots_.empty()) {
    boots_.push_back({offset, options_.boot.value_or(Timestamp{})});
    highest_ = uptime;
    marks_.push_back({offset, boots_.back().time + uptime});
    if (!first_) first_ = boots_.back().time + uptime;
    return;
  }
  if (uptime + kReboot < *highest_) {
    boots_.push_back({offset, boots_.back().time + *highest_});
    highest_ = uptime;
  } else {
    highest_ = std::max(*highest_, uptime);
  }
  marks_.push_back({offset, boots_.back().time + uptime});
}

void ArchiveClock::end() {
  if (pending_) settle_pending(!too_young(pending_->time));
  ended_ = true;
}

std::uint64_t ArchiveClock::settled() const {
  if (ended_) return std::numeric_limits<std::uint64_t>::max();
  if (!walls_.empty()) return walls_.back().offset + 1;
  // A console log so far: nothing that follows changes what its uptimes mean.
  return first_ && !first_wall_ ? reached_ : 0;
}

Resolved ArchiveClock::resolve(const LineTime& line) const {
  if (line.stamp.kind == Stamp::Kind::wall || line.stamp.kind == Stamp::Kind::yearless) {
    return resolve_dated(line.offset, line.stamp);
  }
  if (line.uptime && !wall_before(line.offset)) {
    if (const auto found = resolve_uptime(line.offset, *line.uptime)) return *found;
  }
  if (line.nearest_offset) {
    const bool dated_line =
        line.nearest.kind == Stamp::Kind::wall || line.nearest.kind == Stamp::Kind::yearless;
    std::optional<Resolved> found;
    if (dated_line) {
      found = resolve_dated(*line.nearest_offset, line.nearest);
    } else if (line.nearest_uptime) {
      found = resolve_uptime(*line.nearest_offset, *line.nearest_uptime);
    }
    if (found) return {found->time, true, found->assumed};
  }
  return {first_.value_or(Timestamp{}), true, true};
}

std::optional<Resolved> ArchiveClock::resolve_uptime(std::uint64_t offset, Duration uptime) const {
  const auto boot = at_or_before(boots_, offset);
  if (boot == boots_.end()) return std::nullopt;
  return Resolved{boot->time + uptime, false, !options_.boot.has_value()};
}

Resolved ArchiveClock::resolve_dated(std::uint64_t offset, const Stamp& stamp) const {
  const auto dropped = at_or_before(dropped_, offset);
  if (dropped != dropped_.end() && dropped->offset == offset) {
    const bool first = dropped->time == Timestamp::min();
    return {first ? first_.value_or(Timestamp{}) : dropped->time, false, true};
  }
  const auto before = at_or_before(walls_, offset);
  if (before == walls_.end()) {
    // Only lines behind a first line that was not believed stand before all anchors.
    if (walls_.empty()) return {first_.value_or(Timestamp{}), false, true};
    const Timestamp time = place(stamp, walls_.front().time);
    return leaps(time, walls_.front().time) ? Resolved{walls_.front().time, false, true} : Resolved{time};
  }
  if (before->offset == offset) return {before->time};
  const Timestamp time = place(stamp, before->time);
  if (time <= before->time + kLeap) return {time};
  const auto after = std::next(before);
  const bool believed = after != walls_.end() ? time <= after->time + kLeap : !too_young(time);
  return believed ? Resolved{time} : Resolved{before->time, false, true};
}

void ArchiveClock::forget(std::uint64_t offset) {
  for (std::vector<Anchor>* anchors : {&walls_, &dropped_, &boots_}) {
    const auto needed = at_or_before(*anchors, offset);
    if (needed != anchors->end())
      anchors->erase(anchors->begin(), anchors->begin() + (needed - anchors->begin()));
  }
}

bool ArchiveClock::too_young(Timestamp time) const {
  return options_.not_after && time > *options_.not_after + Duration::days(1);
}

bool ArchiveClock::leaps(Timestamp time, std::optional<Timestamp> base) const {
  return base ? time > *base + kLeap : too_young(time);
}

Timestamp ArchiveClock::place(const Stamp& stamp, std::optional<Timestamp> base) const {
  if (stamp.utc) return *stamp.utc;
  if (stamp.kind == Stamp::Kind::wall) return options_.zone.to_utc(stamp.civil);
  return base ? nearest_year(stamp.civil, *base) : first_year(stamp.civil);
}

// The latest year that puts the line at or before not_after + 1 day. 29 February goes back to a leap year.
Timestamp ArchiveClock::first_year(const CivilTime& civil) const {
  CivilTime candidate = civil;
  const bool bounded = !options_.year && options_.not_after;
  candidate.year = options_.year.value_or(1970);
  if (bounded) candidate.year = options_.zone.to_local(*options_.not_after + Duration::days(1)).year;
  if (!bounded && !options_.year) {
    while (!is_valid(candidate)) ++candidate.year;
    return options_.zone.to_utc(candidate);
  }
  for (int tries = 0; tries < 16; ++tries, --candidate.year) {
    if (!is_valid(candidate)) continue;
    const Timestamp time = options_.zone.to_utc(candidate);
    if (!bounded || !too_young(time)) return time;
  }
  return options_.zone.to_utc(
      {candidate.year, civil.month, 28, civil.hour, civil.minute, civil.second, civil.us});
}

Timestamp ArchiveClock::nearest_year(const CivilTime& civil, Timestamp base) const {
  // 29 February may have to look eight years away (around 1900 and 2100).
  const int reach = civil.month == 2 && civil.day == 29 ? 8 : 1;
  const int year = options_.zone.to_local(base).year;
  std::optional<Timestamp> best;
  CivilTime candidate = civil;
  for (candidate.year = year - reach; candidate.year <= year + reach; ++candidate.year) {
    if (!is_valid(candidate)) continue;
    const Timestamp time = options_.zone.to_utc(candidate);
    if (!best || distance(time, base) <= distance(*best, base)) best = time;
  }
  return best.value_or(base);
}

bool needs_every_line(const Stamp& before, const Stamp& after, const Zone& zone) {
  if (before.civil.month != after.civil.month) return true;
  CivilTime a = before.civil, b = after.civil;
  const bool years = before.kind == Stamp::Kind::wall && after.kind == Stamp::Kind::wall;
  if (!years) a.year = b.year = 2000;
  const Timestamp first = years && before.utc ? *before.utc : zone.to_utc(a);
  const Timestamp second = years && after.utc ? *after.utc : zone.to_utc(b);
  return second < first - kLate || second - first > Duration::days(30);
}

}  // namespace correlator::syslog
