// SPDX-License-Identifier: Apache-2.0
// The `log` of a [[rule.test]]: log lines with short times, and what happens between them.
//
//   2026-01-01T00:00:00Z kvm1 kernel: first line
//   +1h                  kvm1 {imuxsock} kernel: an hour after the first, written through that input
//   +2h @+3h             kvm1 kernel: of 02:00, but it arrived at 03:00
//   --- restart          the engine is stopped, its state saved and read back
//   --- until +4h        the clock goes to 04:00 without a line
//   --- ack RULE [KEY]   a person acknowledges the case
//   --- action NAME fails    the latest decision of that action fails (or: succeeds)
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "time/timestamp.h"

namespace correlator::rules {

struct TimelineStep {
  enum class Kind { line, restart, until, ack, fails, succeeds, probe_ok, probe_failed, probe_broken } kind = Kind::line;
  Timestamp time;                    // line, until
  std::optional<Timestamp> arrival;  // line: `@…`
  std::string input;                 // line: in braces; empty: not given
  std::string host;                  // line; probe: the row that it was run for, or nothing
  std::string text;                  // line: all behind the host, from the tag on ("kernel: …"); probe: what it said
  std::string target;                // ack: rule id; fails, succeeds: action; probe: its name
  std::string key;                   // ack: printed key; empty: every key of the rule
  Place place;
};

struct Timeline {
  Timestamp base;  // time of the first line: what + counts from
  std::vector<TimelineStep> steps;
  Diagnostics diagnostics;  // E035, one for each line that does not parse
};

// `first` is where the first line of `log` stands in its file. Empty lines and lines that begin with # are
// skipped. If the first time is relative, the base is 2026-01-01T00:00:00Z.
Timeline parse_timeline(std::string_view log, const Place& first);

// "+23h59m" from `base`, or RFC 3339.
std::optional<Timestamp> parse_moment(std::string_view text, Timestamp base);

}  // namespace correlator::rules
