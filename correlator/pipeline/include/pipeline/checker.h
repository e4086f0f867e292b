// SPDX-License-Identifier: Apache-2.0
// A rule set proven against what its files say of it: samples, tests, boundary timelines.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "pipeline/matcher.h"
#include "pipeline/price.h"
#include "rules/model.h"

namespace correlator::pipeline {

struct CheckReport {
  std::shared_ptr<const Matcher> matcher;  // of the rules; null if they have none
  Diagnostics diagnostics;      // failed samples and tests (errors E07x), warnings W0xx
  std::uint64_t samples = 0;
  std::uint64_t tests = 0;
  std::uint64_t boundaries = 0;  // generated boundary timelines
  std::optional<LogPrice> price = {};  // if there were logs
};

struct CheckOptions {
  bool warnings = true;  // lint, missing boundaries, patterns that cost much with their price
  std::vector<std::string> logs = {};  // to measure that price on; none: what is usual is said
};

// Pure but for CPU time and for the logs: virtual clock, state in memory.
CheckReport check_rules(std::shared_ptr<const rules::RuleSet> rules, const CheckOptions& options = {});

}  // namespace correlator::pipeline
