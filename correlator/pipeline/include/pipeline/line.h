// SPDX-License-Identifier: Apache-2.0
// A line as it enters a session, and its form in the intake: both ways, so that live, replay and `--recorded` step
// the same thing.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "store/engine_db.h"
#include "syslog/parser.h"
#include "time/timestamp.h"

namespace correlator::pipeline {

struct Line {
  std::string_view frame;   // bytes as read; for "last message repeated N times" those of the repeated line
  std::string_view stream;  // file or input name
  std::uint64_t line_number = 0;
  Timestamp time;  // effective
  std::optional<Timestamp> arrival;
  bool undated = false, clamped = false;
  std::uint32_t times = 1;
  bool truncated = false;
  bool own_kmsg = false;  // our own reader of /dev/kmsg got it: facility kern is vouched for
  std::string_view id;    // identity given upstream; empty: none
  std::string_view host;  // taken if the frame names none
};

// E304 for a row that cannot be read.
Diagnostic damaged_row(const store::IntakeRow& row);

// The options of a parser for lines that are `own_kmsg`.
syslog::ParserOptions own_kmsg(syslog::ParserOptions options);

store::IntakeRow to_row(const Line& line, std::uint64_t seq);
// Views point into the row and into `host`. E304 if the row does not hold a line.
Result<Line> to_line_record(const store::IntakeRow& row, std::string& host);

}  // namespace correlator::pipeline
