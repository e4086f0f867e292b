// SPDX-License-Identifier: Apache-2.0
#include "time/timestamp.h"

#include <fmt/format.h>

#include <array>
#include <chrono>

#include "base/text.h"

namespace correlator {
namespace {

struct Unit {
  std::string_view name;
  std::int64_t us;
};
// From large to small: the order in which a duration is written.
constexpr std::array<Unit, 8> kUnits = {{{"w", 604'800'000'000},
                                         {"d", 86'400'000'000},
                                         {"h", 3'600'000'000},
                                         {"m", 60'000'000},
                                         {"s", 1'000'000},
                                         {"ms", 1'000},
                                         {"us", 1},
                                         {"", 0}}};

std::optional<unsigned> digits(std::string_view text, std::size_t at, std::size_t count) {
  if (at + count > text.size()) return std::nullopt;
  unsigned value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + static_cast<unsigned>(text[i] - '0');
  }
  return value;
}

// Reads ".123456789" at the front, keeps microseconds, drops what is finer.
std::optional<std::uint32_t> take_fraction(std::string_view& text) {
  if (text.empty() || (text[0] != '.' && text[0] != ',')) return 0;
  text.remove_prefix(1);
  std::uint32_t us = 0;
  std::size_t n = 0;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; ++n, text.remove_prefix(1)) {
    if (n < 6) us = us * 10 + static_cast<std::uint32_t>(text[0] - '0');
  }
  if (n == 0) return std::nullopt;
  for (; n < 6; ++n) us *= 10;
  return us;
}

// Reads "Z", "+02:00" or "+0200"; nullopt if there is no offset or something stands behind it.
std::optional<std::int64_t> whole_offset_seconds(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  if (text.size() < 5 || (text[0] != '+' && text[0] != '-')) return std::nullopt;
  const std::size_t minute_at = text[3] == ':' ? 4 : 3;
  const auto hours = digits(text, 1, 2);
  const auto minutes = digits(text, minute_at, 2);
  if (!hours || !minutes || *hours > 23 || *minutes > 59 || text.size() != minute_at + 2) return std::nullopt;
  const std::int64_t seconds = *hours * 3600 + *minutes * 60;
  return text[0] == '-' ? -seconds : seconds;
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t total = 0;
  std::size_t next_unit = 0;
  if (text.empty()) return std::nullopt;
  while (!text.empty()) {
    std::size_t n = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9') ++n;
    const auto number = parse_uint(text.substr(0, n));
    if (!number || *number > 1'000'000'000'000) return std::nullopt;
    text.remove_prefix(n);
    std::size_t letters = 0;
    while (letters < text.size() && text[letters] >= 'a' && text[letters] <= 'z') ++letters;
    std::size_t unit = next_unit;
    while (unit < kUnits.size() && kUnits[unit].name != text.substr(0, letters)) ++unit;
    if (letters == 0 || unit == kUnits.size()) return std::nullopt;
    std::int64_t part = 0;
    if (__builtin_mul_overflow(static_cast<std::int64_t>(*number), kUnits[unit].us, &part) ||
        __builtin_add_overflow(total, part, &total) || total > Duration::max().us) {
      return std::nullopt;
    }
    text.remove_prefix(letters);
    next_unit = unit + 1;
  }
  return Duration{total};
}

std::string to_string(Duration duration) {
  if (duration.us == 0) return "0s";
  std::string out = duration.us < 0 ? "-" : "";
  std::uint64_t rest = duration.us < 0 ? 0 - static_cast<std::uint64_t>(duration.us) : static_cast<std::uint64_t>(duration.us);
  for (const Unit& unit : kUnits) {
    if (unit.us == 0) break;
    // Weeks are read but not written: "2w" is less clear than "14d" in a sentence.
    if (unit.name == "w") continue;
    const auto size = static_cast<std::uint64_t>(unit.us);
    if (rest >= size) out += fmt::format("{}{}", rest / size, unit.name);
    rest %= size;
  }
  return out;
}

std::string roughly(Duration duration) {
  std::int64_t grain = 1;
  for (std::size_t i = 1; i + 1 < kUnits.size(); ++i) {
    if (duration.us >= kUnits[i].us && kUnits[i].us > 0) {
      grain = i + 1 < kUnits.size() && kUnits[i + 1].us > 0 ? kUnits[i + 1].us : 1;
      break;
    }
  }
  return to_string(Duration{duration.us / grain * grain});
}

std::string to_rfc3339(Timestamp time) {
  const CivilTime c = to_civil(time);
  std::string out =
      fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}", c.year, c.month, c.day, c.hour, c.minute, c.second);
  if (c.us != 0) out += c.us % 1000 == 0 ? fmt::format(".{:03}", c.us / 1000) : fmt::format(".{:06}", c.us);
  return out + "Z";
}

std::optional<Timestamp> parse_rfc3339(std::string_view text) {
  const auto year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return std::nullopt;
  if (text[4] != '-' || text[7] != '-' || (text[10] != 'T' && text[10] != 't' && text[10] != ' ') ||
      text[13] != ':' || text[16] != ':') {
    return std::nullopt;
  }
  CivilTime civil{static_cast<int>(*year), *month, *day, *hour, *minute, *second, 0};
  std::string_view rest = text.substr(19);
  const auto us = take_fraction(rest);
  const auto offset = whole_offset_seconds(rest);
  if (!us || !offset || !is_valid(civil)) return std::nullopt;
  civil.us = *us;
  return from_civil(civil) - Duration::seconds(*offset);
}

bool is_valid(const CivilTime& c) {
  const std::chrono::year_month_day date{std::chrono::year{c.year}, std::chrono::month{c.month}, std::chrono::day{c.day}};
  return date.ok() && c.hour < 24 && c.minute < 60 && c.second <= 60 && c.us < 1'000'000;
}

Timestamp from_civil(const CivilTime& c) {
  const std::chrono::sys_days days{std::chrono::year{c.year} / std::chrono::month{c.month} / std::chrono::day{c.day}};
  const std::int64_t seconds = std::int64_t{days.time_since_epoch().count()} * 86'400 + c.hour * 3600 +
                               c.minute * 60 + c.second;
  return Timestamp{seconds * 1'000'000 + c.us};
}

CivilTime to_civil(Timestamp time) {
  const std::chrono::sys_time<std::chrono::microseconds> point{std::chrono::microseconds{time.us}};
  const auto days = std::chrono::floor<std::chrono::days>(point);
  const std::chrono::year_month_day date{days};
  const std::chrono::hh_mm_ss clock{point - days};
  return {static_cast<int>(date.year()),
          static_cast<unsigned>(date.month()),
          static_cast<unsigned>(date.day()),
          static_cast<unsigned>(clock.hours().count()),
          static_cast<unsigned>(clock.minutes().count()),
          static_cast<unsigned>(clock.seconds().count()),
          static_cast<std::uint32_t>(clock.subseconds().count())};
}

unsigned weekday(Timestamp time) {
  const std::chrono::sys_time<std::chrono::microseconds> point{std::chrono::microseconds{time.us}};
  return std::chrono::weekday{std::chrono::floor<std::chrono::days>(point)}.c_encoding();
}

}  // namespace correlator
