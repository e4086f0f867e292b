// SPDX-License-Identifier: Apache-2.0
#include "cron.h"

namespace correlator::engine {
namespace {

constexpr std::int64_t kMinute = 60'000'000;
constexpr std::uint32_t kEveryHour = (1U << 24) - 1;
constexpr int kSearchDays = 8 * 366;  // 29 February after 2096 is eight years away

bool day_matches(const rules::Cron& cron, const CivilTime& local) {
  if ((cron.months >> local.month & 1) == 0) return false;
  const bool day = cron.days >> local.day & 1;
  const bool weekday_of = cron.weekdays >> weekday(from_civil({local.year, local.month, local.day, 0, 0, 0, 0})) & 1;
  return cron.day_or_weekday ? day || weekday_of : day && weekday_of;
}

bool matches(const rules::Cron& cron, const CivilTime& local) {
  return (cron.minutes >> local.minute & 1) != 0 && (cron.hours >> local.hour & 1) != 0 && day_matches(cron, local);
}

Timestamp floor_minute(Timestamp time) {
  const std::int64_t rest = ((time.us % kMinute) + kMinute) % kMinute;
  return {time.us - rest};
}

// Every hour is named: minute by minute through real time, a whole day at once where the day does not match.
std::optional<Timestamp> next_by_wall_clock(const rules::Cron& cron, Timestamp time) {
  Timestamp at = floor_minute(time) + Duration{kMinute};
  const Timestamp limit = time + Duration::days(kSearchDays);
  while (at < limit) {
    const CivilTime local = cron.zone.to_local(at);
    if (!day_matches(cron, local)) {
      // To the last minute before 23:00 local: clocks are never shifted by more than an hour at a time there.
      const std::int64_t skip = local.hour < 22 ? (22 - static_cast<std::int64_t>(local.hour)) * 60 - local.minute : 1;
      at = at + Duration{skip * kMinute};
      continue;
    }
    if (cron.minutes >> local.minute & 1) return at;
    at = at + Duration{kMinute};
  }
  return std::nullopt;
}

// The first of one local day's minutes that is after `time`.
std::optional<Timestamp> first_of_day(const rules::Cron& cron, CivilTime day, Timestamp time) {
  std::optional<Timestamp> best;
  for (unsigned hour = 0; hour < 24; ++hour) {
    if ((cron.hours >> hour & 1) == 0) continue;
    for (unsigned minute = 0; minute < 60; ++minute) {
      if ((cron.minutes >> minute & 1) == 0) continue;
      day.hour = hour;
      day.minute = minute;
      const Timestamp at = cron.zone.to_utc(day);
      if (at > time && (!best || at < *best)) best = at;
      // Later minutes of the hour are later times: only an hour that was skipped can fold back.
      if (at > time) break;
    }
  }
  return best;
}

}  // namespace

std::optional<Timestamp> next_minute(const rules::Cron& cron, Timestamp time) {
  if ((cron.hours & kEveryHour) == kEveryHour) return next_by_wall_clock(cron, time);
  CivilTime local = cron.zone.to_local(time);
  Timestamp day = from_civil({local.year, local.month, local.day, 0, 0, 0, 0}) - Duration::days(1);
  for (int i = 0; i < kSearchDays; ++i, day = day + Duration::days(1)) {
    const CivilTime civil = to_civil(day);
    if (!day_matches(cron, civil)) continue;
    if (const auto at = first_of_day(cron, civil, time)) return at;
  }
  return std::nullopt;
}

bool covers(const rules::Cron& cron, Timestamp time) { return matches(cron, cron.zone.to_local(time)); }

bool covers(const rules::Calendar& calendar, Timestamp time) {
  for (const auto& [from, to] : calendar.spans) {
    if (from <= time && time < to) return true;
  }
  for (const rules::Cron& cron : calendar.times) {
    if (covers(cron, time)) return true;
  }
  return false;
}

}  // namespace correlator::engine
