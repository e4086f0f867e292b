// SPDX-License-Identifier: Apache-2.0
// What a rule set's patterns cost on a log, measured: for `check --log`.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "pattern/cost.h"
#include "pipeline/matcher.h"

namespace correlator::pipeline {

struct LogPrice {
  std::uint64_t lines = 0, bytes = 0;  // read: at most kMostMeasured bytes of all logs together
  pattern::Costs costs;                // behind the rule set's own two of the Matcher's
  std::int64_t long_scan_ns = 0;       // looking for the literals again, of those patterns only that have no short one
  std::string log;                     // the first one's name, for people
  Diagnostics problems;                // logs that could not be read to their end
};

inline constexpr std::uint64_t kMostMeasured = std::uint64_t{256} << 20;

// Reads the logs (files, compressed or not, directories, "-") one after the other, in one thread, with the literals as the rules load:
// a replay would pick others for what hits too often.
LogPrice measure_price(const Matcher& matcher, const std::vector<std::string>& logs);

}  // namespace correlator::pipeline
