// SPDX-License-Identifier: Apache-2.0
#include "dates.h"

#include <array>

#include "scan.h"

namespace correlator::syslog {
namespace {

constexpr std::uint32_t letters(char a, char b, char c) {
  return static_cast<std::uint32_t>(static_cast<unsigned char>(a) | 0x20) << 16 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(b) | 0x20) << 8 |
         static_cast<std::uint32_t>(static_cast<unsigned char>(c) | 0x20);
}

unsigned month_of(std::string_view text) {
  switch (letters(text[0], text[1], text[2])) {
    case letters('j', 'a', 'n'):
      return 1;
    case letters('f', 'e', 'b'):
      return 2;
    case letters('m', 'a', 'r'):
      return 3;
    case letters('a', 'p', 'r'):
      return 4;
    case letters('m', 'a', 'y'):
      return 5;
    case letters('j', 'u', 'n'):
      return 6;
    case letters('j', 'u', 'l'):
      return 7;
    case letters('a', 'u', 'g'):
      return 8;
    case letters('s', 'e', 'p'):
      return 9;
    case letters('o', 'c', 't'):
      return 10;
    case letters('n', 'o', 'v'):
      return 11;
    case letters('d', 'e', 'c'):
      return 12;
    default:
      return 0;
  }
}

bool is_weekday(std::string_view text) {
  switch (letters(text[0], text[1], text[2])) {
    case letters('m', 'o', 'n'):
    case letters('t', 'u', 'e'):
    case letters('w', 'e', 'd'):
    case letters('t', 'h', 'u'):
    case letters('f', 'r', 'i'):
    case letters('s', 'a', 't'):
    case letters('s', 'u', 'n'):
      return true;
    default:
      return false;
  }
}

// Two digits at `at`, or 100.
unsigned two(std::string_view text, std::size_t at) {
  if (at + 2 > text.size() || !is_digit(text[at]) || !is_digit(text[at + 1])) return 100;
  return static_cast<unsigned>(text[at] - '0') * 10 + static_cast<unsigned>(text[at + 1] - '0');
}

bool is_leap(int year) {
  return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

// `year` 0 stands for an unknown year: 29 February may exist.
bool good_day(int year, unsigned month, unsigned day) {
  constexpr std::array<unsigned char, 13> kDays = {0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12 || day < 1 || day > kDays[month]) return false;
  return month != 2 || day < 29 || year == 0 || is_leap(year);
}

// "17:40:22"
bool take_clock(std::string_view& text, CivilTime& civil) {
  const unsigned hour = two(text, 0), minute = two(text, 3), second = two(text, 6);
  if (hour > 23 || minute > 59 || second > 60 || text[2] != ':' || text[5] != ':') return false;
  civil.hour = hour;
  civil.minute = minute;
  civil.second = second;
  text.remove_prefix(8);
  return true;
}

// ".123456789": microseconds are kept. Nothing is taken if no digit follows.
void take_fraction(std::string_view& text, CivilTime& civil, bool comma) {
  if (text.size() < 2 || !(text[0] == '.' || (comma && text[0] == ',')) || !is_digit(text[1])) return;
  std::size_t n = 1;
  std::uint32_t us = 0;
  for (; n < text.size() && is_digit(text[n]); ++n) {
    if (n <= 6) us = us * 10 + static_cast<std::uint32_t>(text[n] - '0');
  }
  for (std::size_t have = n - 1; have < 6; ++have) us *= 10;
  civil.us = us;
  text.remove_prefix(n);
}

// Days since 1970 of a valid date of the Gregorian calendar; cheap enough to be done for each line.
std::int64_t day_number(int year, unsigned month, unsigned day) {
  const std::int64_t y = year - (month <= 2 ? 1 : 0);
  const std::int64_t era = y / 400, of_era = y - era * 400;
  const std::int64_t of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
  return era * 146'097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719'468;
}

Timestamp utc_of(const CivilTime& c, std::int64_t offset_seconds) {
  const std::int64_t seconds =
      day_number(c.year, c.month, c.day) * 86'400 + c.hour * 3600 + c.minute * 60 + c.second;
  return {(seconds - offset_seconds) * 1'000'000 + c.us};
}

void take_offset(std::string_view& text, Stamp& stamp) {
  if (take(text, 'Z') || take(text, 'z')) {
    stamp.utc = utc_of(stamp.civil, 0);
    return;
  }
  if (text.size() < 5 || (text[0] != '+' && text[0] != '-')) return;
  const std::size_t minute_at = text[3] == ':' ? 4 : 3;
  const unsigned hours = two(text, 1), minutes = two(text, minute_at);
  if (hours > 23 || minutes > 59) return;
  const std::int64_t seconds = hours * 3600 + minutes * 60;
  stamp.utc = utc_of(stamp.civil, text[0] == '-' ? -seconds : seconds);
  text.remove_prefix(minute_at + 2);
}

bool ends_word(std::string_view text) {
  return text.empty() || text[0] == ' ' || text[0] == ':' || text[0] == ']';
}

}  // namespace

bool take_bsd_date(std::string_view& text, Stamp& stamp) {
  if (text.size() < 14 || text[3] != ' ') return false;
  CivilTime civil;
  civil.year = 0;
  civil.month = month_of(text);
  if (civil.month == 0) return false;
  std::string_view rest = text.substr(4);
  skip_blanks(rest);
  const auto day = take_number(rest, 2);
  if (!day || !take(rest, ' ')) return false;
  civil.day = static_cast<unsigned>(*day);
  std::string_view behind_year = rest;
  if (const auto year = take_number(behind_year, 4); year && *year >= 1000 && take(behind_year, ' ')) {
    civil.year = static_cast<int>(*year);
    rest = behind_year;
  }
  if (!take_clock(rest, civil) || !good_day(civil.year, civil.month, civil.day)) return false;
  take_fraction(rest, civil, false);
  if (!ends_word(rest)) return false;
  stamp.kind = civil.year == 0 ? Stamp::Kind::yearless : Stamp::Kind::wall;
  stamp.civil = civil;
  stamp.utc.reset();
  text = rest;
  return true;
}

bool take_minute_date(std::string_view& text, Stamp& stamp) {
  std::string_view rest = text;
  CivilTime civil;
  civil.year = 0;
  civil.month = rest.size() < 4 ? 0 : month_of(rest);
  if (civil.month == 0) return false;
  rest.remove_prefix(3);
  skip_blanks(rest);
  const auto day = take_number(rest, 2);
  if (!day || !take(rest, ' ')) return false;
  civil.day = static_cast<unsigned>(*day);
  civil.hour = two(rest, 0);
  civil.minute = two(rest, 3);
  if (civil.hour > 23 || civil.minute > 59 || rest[2] != ':' || !good_day(0, civil.month, civil.day)) return false;
  rest.remove_prefix(5);
  if (rest.empty() || rest[0] != ']') return false;
  stamp.kind = Stamp::Kind::yearless;
  stamp.civil = civil;
  stamp.utc.reset();
  text = rest;
  return true;
}

namespace {

// Of a date without one. False if that year has no such day.
bool set_year(Stamp& stamp, std::uint64_t year) {
  stamp.kind = Stamp::Kind::wall;
  stamp.civil.year = static_cast<int>(year);
  return good_day(stamp.civil.year, stamp.civil.month, stamp.civil.day);
}

}  // namespace

bool take_year_first_date(std::string_view& text, Stamp& stamp) {
  std::string_view rest = text;
  const auto year = take_number(rest, 4);
  if (!year || *year < 1000 || !take(rest, ' ')) return false;
  Stamp found;
  if (!take_bsd_date(rest, found) || found.kind != Stamp::Kind::yearless) return false;
  if (!set_year(found, *year)) return false;
  stamp = found;
  text = rest;
  return true;
}

bool take_iso_date(std::string_view& text, Stamp& stamp) {
  if (text.size() < 19 || text[4] != '-' || text[7] != '-') return false;
  if (text[10] != 'T' && text[10] != 't' && text[10] != ' ') return false;
  const unsigned century = two(text, 0), year = two(text, 2);
  Stamp found;
  found.kind = Stamp::Kind::wall;
  found.civil.month = two(text, 5);
  found.civil.day = two(text, 8);
  if (century > 99 || year > 99) return false;
  found.civil.year = static_cast<int>(century * 100 + year);
  std::string_view rest = text.substr(11);
  if (found.civil.year == 0 || !good_day(found.civil.year, found.civil.month, found.civil.day)) return false;
  if (!take_clock(rest, found.civil)) return false;
  take_fraction(rest, found.civil, true);
  take_offset(rest, found);
  if (!ends_word(rest)) return false;
  stamp = found;
  text = rest;
  return true;
}

bool take_full_date(std::string_view& text, Stamp& stamp) {
  if (text.size() < 23 || text[3] != ' ' || !is_weekday(text)) return false;
  std::string_view rest = text.substr(4);
  Stamp found;
  if (!take_iso_date(rest, found)) return false;
  std::string_view zone = rest;
  skip_blanks(zone);
  std::size_t n = 0;
  while (n < zone.size() && n < 6 &&
         (is_upper(zone[n]) || zone[n] == '+' || zone[n] == '-' || is_digit(zone[n])))
    ++n;
  if (n >= 3 && n < zone.size() && zone[n] == ' ') {
    if (zone.substr(0, n) == "UTC" || zone.substr(0, n) == "GMT") found.utc = utc_of(found.civil, 0);
    rest = zone.substr(n);
  }
  stamp = found;
  text = rest;
  return true;
}

bool take_ctime(std::string_view& text, Stamp& stamp) {
  if (text.size() < 24 || text[3] != ' ' || !is_weekday(text)) return false;
  std::string_view rest = text.substr(4);
  Stamp found;
  if (!take_bsd_date(rest, found) || found.kind != Stamp::Kind::yearless || !take(rest, ' ')) return false;
  const auto year = take_number(rest, 4);
  if (!year || *year < 1000) return false;
  if (!set_year(found, *year)) return false;
  stamp = found;
  text = rest;
  return true;
}

bool skip_foreign_ctime(std::string_view& text) {
  std::string_view rest = text;
  // Weekday and month: no language writes them with ASCII digits alone.
  for (int word = 0; word < 2; ++word) {
    std::size_t n = 0;
    bool letters = false;
    for (; n < rest.size() && rest[n] != ' '; ++n) {
      const bool letter = is_alnum(rest[n]) ? !is_digit(rest[n]) : static_cast<unsigned char>(rest[n]) >= 0x80;
      if (!letter && !is_digit(rest[n]) && rest[n] != '.') return false;
      letters = letters || letter;
    }
    if (!letters || n > 24 || n == rest.size()) return false;
    rest.remove_prefix(n);
    skip_blanks(rest);
  }
  CivilTime civil;
  const auto day = take_number(rest, 2);
  if (!day || *day < 1 || *day > 31 || !take(rest, ' ') || !take_clock(rest, civil) || !take(rest, ' ')) return false;
  const auto year = take_number(rest, 4);
  if (!year || *year < 1000) return false;
  text = rest;
  return true;
}

bool take_uptime(std::string_view& text, Duration& uptime) {
  std::string_view rest = text;
  skip_blanks(rest);
  const auto seconds = take_number(rest, 12);
  if (!seconds || !take(rest, '.')) return false;
  std::int64_t us = 0;
  std::size_t n = 0;
  for (; n < rest.size() && n < 9 && is_digit(rest[n]); ++n) {
    if (n < 6) us = us * 10 + (rest[n] - '0');
  }
  if (n == 0) return false;
  for (std::size_t have = n; have < 6; ++have) us *= 10;
  uptime = {static_cast<std::int64_t>(*seconds) * 1'000'000 + us};
  text = rest.substr(n);
  return true;
}

}  // namespace correlator::syslog
