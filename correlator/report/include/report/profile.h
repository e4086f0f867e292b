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
  std::int64_t ns = 0;
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
  std::int64_t engine_ns = 0;
};

// Rows that cost nothing are only counted.
std::string profile_text(ProfilePage page);
Json profile_json(ProfilePage page);  // with all rows

}  // namespace correlator::report
