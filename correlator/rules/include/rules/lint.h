// SPDX-License-Identifier: Apache-2.0
// What `check` warns of: rule files that load and still are not as they should be.
#pragma once

#include <functional>
#include <string>

#include "base/diagnostic.h"
#include "rules/model.h"

namespace correlator::rules {

// What the scanner looks for on behalf of a pattern, and what that costs.
struct PatternPrice {
  std::string literal;       // the shortest of those it looks for; empty: it has none, and each line is tried
  double share = 0;          // of the lines that hold one of them
  bool measured = false;     // `share` and `ns` are of the log at hand, not what is usual
  double ns = 0;             // a line of the log, to look for it and to confirm it; 0: not known
};

struct LintOptions {
  // null: no word about prices (W001, W011, W012).
  std::function<PatternPrice(const PatternText&)> price;
  std::string log;           // the name of the log at hand, where there is one
  double scan_ns = 0;        // measured there: a line, for all literals at once; 0: what is usual is said
  double short_ns = 0;       // of it: because of literals that are too short
};

// Warnings W001-W009, W011 and W012 with their places and source lines, in the order of the files. Classes that the engine
// itself makes (logger.*, source.*, probe.*, pack.*, lookup.*) count as produced.
Diagnostics lint(const RuleSet& rules, const LintOptions& options = {});

}  // namespace correlator::rules
