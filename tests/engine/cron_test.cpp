// SPDX-License-Identifier: Apache-2.0
#include "cron.h"
#include "catch.h"

namespace correlator::engine::test {
namespace {

rules::Cron cron(std::uint64_t minutes, std::uint32_t hours, std::string_view zone) {
  rules::Cron out;
  out.minutes = minutes;
  out.hours = hours;
  out.days = ~1U;
  out.months = 0x1FFE;
  out.weekdays = 0x7F;
  out.zone = *Zone::find(zone);
  return out;
}

std::string next(const rules::Cron& c, std::string_view after) {
  const auto at = next_minute(c, *parse_rfc3339(after));
  return at ? to_rfc3339(*at) : "never";
}

TEST_CASE("next minute") {
  const rules::Cron six = cron(1, 1U << 6, "UTC");
  CHECK(next(six, "2026-01-01T00:00:00Z") == "2026-01-01T06:00:00Z");
  CHECK(next(six, "2026-01-01T06:00:00Z") == "2026-01-02T06:00:00Z");
  CHECK(next(six, "2026-01-01T05:59:59.999999Z") == "2026-01-01T06:00:00Z");
  rules::Cron leap = six;
  leap.days = 1U << 29;
  leap.months = 1U << 2;
  CHECK(next(leap, "2026-01-01T00:00:00Z") == "2028-02-29T06:00:00Z");
  leap.days = 1U << 30;
  CHECK(next(leap, "2026-01-01T00:00:00Z") == "never");
  rules::Cron either = six;
  either.days = 1U << 15;
  either.weekdays = 1;  // Sunday
  either.day_or_weekday = true;
  CHECK(next(either, "2026-01-05T00:00:00Z") == "2026-01-11T06:00:00Z");
  CHECK(next(either, "2026-01-12T00:00:00Z") == "2026-01-15T06:00:00Z");
}

TEST_CASE("next minute over both changes of the clocks") {
  const rules::Cron night = cron(std::uint64_t{1} << 30, 1U << 2, "Europe/Berlin");  // 02:30
  CHECK(next(night, "2026-03-28T12:00:00Z") == "2026-03-29T01:30:00Z");  // skipped: as if not put forward
  CHECK(next(night, "2026-03-29T01:30:00Z") == "2026-03-30T00:30:00Z");
  CHECK(next(night, "2026-10-24T12:00:00Z") == "2026-10-25T00:30:00Z");  // twice: the first
  CHECK(next(night, "2026-10-25T00:30:00Z") == "2026-10-26T01:30:00Z");
  // Hours that fold together: 02:00 and 03:00 are one moment, each minute fires once.
  const rules::Cron both = cron(1, 1U << 2 | 1U << 3, "Europe/Berlin");
  CHECK(next(both, "2026-03-29T00:30:00Z") == "2026-03-29T01:00:00Z");
  CHECK(next(both, "2026-03-29T01:00:00Z") == "2026-03-30T00:00:00Z");
  // Every hour is real time: the doubled hour has twice as many minutes.
  const rules::Cron always = cron(1, (1U << 24) - 1, "Europe/Berlin");
  CHECK(next(always, "2026-10-25T00:00:00Z") == "2026-10-25T01:00:00Z");
  CHECK(next(always, "2026-10-25T01:00:00Z") == "2026-10-25T02:00:00Z");
}

TEST_CASE("next minute against a walk over all minutes") {
  const rules::Cron c = [] {
    rules::Cron out =
        cron(std::uint64_t{1} << 10 | std::uint64_t{1} << 40, 1U << 1 | 1U << 5 | 1U << 22, "Europe/Berlin");
    out.weekdays = 1U << 1 | 1U << 3;
    return out;
  }();
  Timestamp walked = *parse_rfc3339("2026-05-01T00:00:00Z");
  const Timestamp end = walked + Duration::days(30);
  Timestamp found = walked;
  while (walked < end) {
    walked = walked + Duration::minutes(1);
    if (!covers(c, walked)) continue;
    found = *next_minute(c, found);
    CHECK(found == walked);
  }
}

}  // namespace
}  // namespace correlator::engine::test
