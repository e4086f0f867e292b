// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "time/clock.h"
#include "time/timestamp.h"
#include "time/zone.h"

using namespace correlator;

TEST_CASE("durations are read and written") {
  CHECK(parse_duration("24h") == Duration::hours(24));
  CHECK(parse_duration("1h30m") == Duration::minutes(90));
  CHECK(parse_duration("500ms") == Duration{500'000});
  CHECK(parse_duration("2w") == Duration::days(14));
  for (const char* bad : {"", "10", "h", "-1s", "30m1h", "1s1s", "1 h", "1y", "99999999999999w", "1.5h"}) {
    CHECK_FALSE(parse_duration(bad));
  }
  CHECK(to_string(Duration::minutes(90)) == "1h30m");
  CHECK(to_string(Duration::hours(24)) == "1d");
  CHECK(to_string(Duration{0}) == "0s");
  CHECK(roughly(Duration::seconds(3 * 86400 + 4 * 3600 + 5)) == "3d4h");
}

TEST_CASE("RFC 3339 with the log's own sub-seconds") {
  CHECK(to_rfc3339({0}) == "1970-01-01T00:00:00Z");
  CHECK(to_rfc3339({1'500'000}) == "1970-01-01T00:00:01.500Z");
  CHECK(to_rfc3339({1'500'001}) == "1970-01-01T00:00:01.500001Z");
  CHECK(parse_rfc3339("2026-01-01T02:00:00.25+02:00") == parse_rfc3339("2026-01-01T00:00:00.250Z"));
  CHECK(parse_rfc3339("2026-01-01 00:00:00,5-0130")->us == parse_rfc3339("2026-01-01T01:30:00.5Z")->us);
  for (const char* bad : {"2026-02-30T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:00:00", "2026-1-1T0:0:0Z",
                          "2026-01-01T00:00:00.Z", "2026-01-01T00:00:00Zx", ""}) {
    CHECK_FALSE(parse_rfc3339(bad));
  }
  CHECK(to_rfc3339(*parse_rfc3339("1969-12-31T23:59:59.999999Z")) == "1969-12-31T23:59:59.999999Z");
}

TEST_CASE("civil time round trips over leap years") {
  for (std::int64_t day = -800; day < 40'000; day += 13) {
    const Timestamp t{day * 86'400'000'000 + 12'345'678'901};
    CHECK(from_civil(to_civil(t)) == t);
  }
  CHECK(is_valid({2024, 2, 29, 0, 0, 0, 0}));
  CHECK_FALSE(is_valid({2023, 2, 29, 0, 0, 0, 0}));
  CHECK(weekday(*parse_rfc3339("2026-11-22T00:00:00Z")) == 0);
}

TEST_CASE("zones: offsets, names, skipped and doubled hours") {
  const Zone berlin = *Zone::find("Europe/Berlin");
  CHECK(to_rfc3339(berlin.to_utc({2026, 7, 1, 12, 0, 0, 0})) == "2026-07-01T10:00:00Z");
  CHECK(to_rfc3339(berlin.to_utc({2026, 1, 1, 12, 0, 0, 0})) == "2026-01-01T11:00:00Z");
  CHECK(to_rfc3339(berlin.to_utc({2026, 3, 29, 2, 30, 0, 0})) == "2026-03-29T01:30:00Z");   // skipped
  CHECK(to_rfc3339(berlin.to_utc({2026, 10, 25, 2, 30, 0, 0})) == "2026-10-25T00:30:00Z");  // twice: the first
  CHECK(berlin.to_local(*parse_rfc3339("2026-07-01T10:00:00Z")).hour == 12);
  CHECK(to_rfc3339(Zone::find("+02:00")->to_utc({2026, 1, 1, 2, 0, 0, 0})) == "2026-01-01T00:00:00Z");
  CHECK_FALSE(Zone::find("Mars/Olympus"));
  CHECK(Zone::find("Mars/Olympus").error().code == "E502");
}

TEST_CASE("a simulated clock stands still until it is moved") {
  SimulatedClock clock{{5}};
  CHECK(clock.now().us == 5);
  clock.advance(Duration::seconds(1));
  CHECK(clock.now().us == 1'000'005);
}
