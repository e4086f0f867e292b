// SPDX-License-Identifier: Apache-2.0
// What patterns and rules cost, as tables for people or one object for programs; the dearest first.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json_fwd.h"

namespace correlator::report {

struct PatternRow {
  std::string event, file;             // where it stands
  std::uint32_t line = 0;
  std::vector<std::string> literals;   // looked for; empty: each line is tried
  std::uint64_t found = 0, tried = 0, matched = 0;
  std::int64_t ns = 0;  // confirming it; without a literal also its share of looking for it
};

struct RuleRow {
  std::string rule;
  std::uint64_t events = 0, decisions = 0;
  std::int64_t ns = 0;
};

struct ProfilePage {
  std::vector<PatternRow> patterns;
  std::vector<RuleRow> rules;
  std::int64_t scan_ns = 0;        // for all literals
  std::int64_t unfiltered_ns = 0;  // for all patterns without one
  std::int64_t confirm_ns = 0;     // trying patterns on the lines that were found, with the groups
  std::int64_t engine_ns = 0;
  std::int64_t decoding_ns = 0;    // of it: making events of lines
};

// The same for patterns alone, on a log that was only measured.
struct PricePage {
  std::string log;
  std::uint64_t lines = 0, bytes = 0;
  std::vector<PatternRow> patterns;
  std::int64_t scan_ns = 0, unfiltered_ns = 0, confirm_ns = 0;
  std::int64_t short_ns = 0;  // of scan_ns: because of literals shorter than seven bytes
};
std::string price_text(PricePage page);
Json price_json(PricePage page);

// What SEC's rules cost: `events` are lines they looked at, `decisions` those they matched, `rule` says where each stands.
std::string sec_profile_text(std::vector<RuleRow> rules);

// Rows that cost nothing are only counted.
std::string profile_text(ProfilePage page);
Json profile_json(ProfilePage page);  // with all rows

}  // namespace correlator::report
