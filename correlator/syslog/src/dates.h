// SPDX-License-Identifier: Apache-2.0
// The dates that log lines begin with. Each function consumes a date from the front of `text` and fills
// `stamp`, or leaves both alone and says false.
#pragma once

#include <string_view>

#include "syslog/message.h"

namespace correlator::syslog {

// "Nov  3 17:40:22", any case, with sub-seconds, or with a year behind the day.
bool take_bsd_date(std::string_view& text, Stamp& stamp);

// "2024 Nov  3 17:40:22.123456": the year in front, as SONiC's rsyslog writes it.
bool take_year_first_date(std::string_view& text, Stamp& stamp);

// "2026-01-01T00:00:00.123456+01:00", a blank for the T, a comma for the dot, "Z", "+0100" or no offset at
// all.
bool take_iso_date(std::string_view& text, Stamp& stamp);

// "Wed 2023-04-12 11:05:16 CEST" of journalctl -o short-full.
bool take_full_date(std::string_view& text, Stamp& stamp);

// "Wed Apr 12 11:05:16 2023" of dmesg -T.
bool take_ctime(std::string_view& text, Stamp& stamp);

// "ma mrt 21 17:09:43 2022", "lun. févr. 7 …": dmesg -T in a language other than English. Which month it is stays unknown, so that it tells no time.
bool skip_foreign_ctime(std::string_view& text);

// "Oct  4 06:51" or "Feb11 22:34" in front of the "]" of dmesg -H, which dates one line a minute.
bool take_minute_date(std::string_view& text, Stamp& stamp);

// "  123.456789" as printk writes it.
bool take_uptime(std::string_view& text, Duration& uptime);

}  // namespace correlator::syslog
