// SPDX-License-Identifier: Apache-2.0
// What printk, dmesg and serial console servers put before a kernel message.
#include "dates.h"
#include "names.h"
#include "parts.h"
#include "scan.h"

namespace correlator::syslog {
namespace {

// "[   12.345678]", also "[  +0.000012]" of dmesg -d, which is a difference and tells no time.
bool take_printk_time(std::string_view& text, Message& m) {
  std::string_view rest = text.substr(1);
  Duration uptime;
  skip_blanks(rest);
  const bool difference = take(rest, '+');
  if (!take_uptime(rest, uptime) || !take(rest, ']')) return false;
  if (!difference && !m.uptime) m.uptime = uptime;
  text = rest;
  return true;
}

// "[    C1]", "[ T593001]"
bool take_caller(std::string_view& text, Message& m) {
  std::string_view rest = text.substr(1);
  skip_blanks(rest);
  const std::string_view caller = rest.substr(0, rest.find(']'));
  if (caller.size() < 2 || caller.size() > 12 || (caller[0] != 'T' && caller[0] != 'C')) return false;
  std::string_view digits = caller.substr(1);
  if (!take_number(digits, 10) || !digits.empty()) return false;
  rest.remove_prefix(caller.size());
  if (!take(rest, ']')) return false;
  if (m.caller.empty()) m.caller = caller;
  text = rest;
  return true;
}

// "[Wed Apr 12 11:05:16 2023]" of dmesg -T, also in another language, "[2023-06-22 21:55:31.352444]" of console servers, "[Oct  4 06:51]" of dmesg -H
bool take_bracketed_date(std::string_view& text, Message& m) {
  std::string_view rest = text.substr(1);
  Stamp stamp;
  if (!take_ctime(rest, stamp) && !take_iso_date(rest, stamp) && !take_minute_date(rest, stamp) && !skip_foreign_ctime(rest)) return false;
  if (!take(rest, ']')) return false;
  if (m.stamp.kind == Stamp::Kind::none) m.stamp = stamp;
  text = rest;
  return true;
}

// "<4>" that a relay left in place
bool take_level(std::string_view& text, Message& m) {
  std::string_view rest = text.substr(1);
  const auto priority = take_number(rest, 3);
  if (!priority || *priority > 191 || !take(rest, '>')) return false;
  if (!m.level) m.level = static_cast<std::uint8_t>(*priority & 7);
  if (!m.facility) m.facility = static_cast<std::uint8_t>(*priority >> 3);
  text = rest;
  return true;
}

}  // namespace

bool strip_printk(std::string_view& text, Message& m) {
  bool any = false;
  std::string_view rest = text;
  // Only what ends in a known prefix may lose blanks: "[   1.0]  Northbridge" keeps its second one.
  while (!rest.empty()) {
    std::string_view next = rest;
    if (any && next[0] == ' ' && next.size() > 1 && next[1] == '[') next.remove_prefix(1);
    bool took = false;
    if (next[0] == '[') {
      took = take_printk_time(next, m) || take_caller(next, m) || take_bracketed_date(next, m);
    } else if (next[0] == '<') {
      took = take_level(next, m);
    }
    if (!took) break;
    any = true;
    rest = next;
  }
  if (!any) return false;
  take(rest, ' ');
  text = rest;
  if (m.stamp.kind == Stamp::Kind::none && m.uptime) m.stamp.kind = Stamp::Kind::uptime;
  return true;
}

bool take_dmesg_prefix(std::string_view& rest, Message& m) {
  auto padded_word = [](std::string_view& from) {
    std::size_t n = 0;
    while (n < from.size() && n < 9 && (is_lower(from[n]) || is_digit(from[n]))) ++n;
    const std::string_view word = from.substr(0, n);
    from.remove_prefix(n);
    skip_blanks(from);
    return take(from, ':') ? word : std::string_view{};
  };
  if (rest.empty() || !is_lower(rest[0])) return false;
  std::string_view behind = rest;
  const auto facility = facility_of(padded_word(behind));
  if (!facility) return false;
  const auto level = level_of(padded_word(behind));
  if (!level || !take(behind, ' ')) return false;
  m.facility = facility;
  m.level = level;
  rest = behind;
  return true;
}

void unwrap_repeats(Message& m) {
  std::string_view rest = m.text;
  skip_blanks(rest);
  if (take(rest, "message repeated ")) {
    const auto times = take_id(rest);
    if (!times || !take(rest, " times: [") || !rest.ends_with(']')) return;
    rest.remove_suffix(1);
    take(rest, ' ');
    m.repeated = *times;
    m.text = rest;
    if (m.program.empty()) read_tag(rest, m, TagPlace::behind_host);
    if (m.program == kKernel) strip_printk(m.text, m);
    return;
  }
  take(rest, "--- ");
  if (!take(rest, "last message repeated ")) return;
  const auto times = take_id(rest);
  if (times && rest.starts_with(" time")) m.repeats_previous = *times;
}

}  // namespace correlator::syslog
