// SPDX-License-Identifier: Apache-2.0
// Points and spans of time, in whole microseconds: the resolution of printk, RFC 5424 and journald.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

namespace correlator {

struct Duration {
  std::int64_t us = 0;

  static constexpr Duration milliseconds(std::int64_t n) { return {n * 1000}; }
  static constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
  static constexpr Duration minutes(std::int64_t n) { return seconds(n * 60); }
  static constexpr Duration hours(std::int64_t n) { return seconds(n * 3600); }
  static constexpr Duration days(std::int64_t n) { return hours(n * 24); }
  static constexpr Duration max() { return {std::numeric_limits<std::int64_t>::max() / 4}; }

  constexpr auto operator<=>(const Duration&) const = default;
  constexpr Duration operator+(Duration o) const { return {us + o.us}; }
  constexpr Duration operator-(Duration o) const { return {us - o.us}; }
};

// Microseconds since 1970-01-01T00:00:00Z.
struct Timestamp {
  std::int64_t us = 0;

  static constexpr Timestamp min() { return {std::numeric_limits<std::int64_t>::min() / 4}; }
  static constexpr Timestamp max() { return {std::numeric_limits<std::int64_t>::max() / 4}; }

  constexpr auto operator<=>(const Timestamp&) const = default;
  constexpr Timestamp operator+(Duration d) const { return {us + d.us}; }
  constexpr Timestamp operator-(Duration d) const { return {us - d.us}; }
  constexpr Duration operator-(Timestamp o) const { return {us - o.us}; }
};

// "10s", "1h30m", "500ms", "7d", "2w", "250us"; units from large to small, each at most once, no sign.
std::optional<Duration> parse_duration(std::string_view text);
// The shortest such text that parse_duration reads back: 90 s is "1m30s", 0 is "0s".
std::string to_string(Duration duration);
// For people: the two largest units, "3 days 4 hours" style short: "3d4h".
std::string roughly(Duration duration);

// RFC 3339 in UTC with as many sub-seconds as the value has: none, 3 or 6 digits.
std::string to_rfc3339(Timestamp time);
// Accepts "2026-01-01T00:00:00[.ffffff](Z|±hh:mm|±hhmm)"; a blank may stand for the T; "," for the dot.
std::optional<Timestamp> parse_rfc3339(std::string_view text);

struct CivilTime {
  int year = 1970;
  unsigned month = 1;  // 1..12
  unsigned day = 1;    // 1..31
  unsigned hour = 0, minute = 0, second = 0;
  std::uint32_t us = 0;
};

bool is_valid(const CivilTime& civil);  // 29 February only in leap years; second 60 is accepted
Timestamp from_civil(const CivilTime& utc);
CivilTime to_civil(Timestamp time);
unsigned weekday(Timestamp time);  // 0 = Sunday, UTC

}  // namespace correlator
