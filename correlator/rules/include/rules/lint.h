// SPDX-License-Identifier: Apache-2.0
// What `check` warns of: rule files that load and still are not as they should be.
#pragma once

#include <functional>

#include "base/diagnostic.h"
#include "rules/model.h"

namespace correlator::rules {

struct LintOptions {
  // Whether the scanner found literal text in the pattern; null: W001 is not given.
  std::function<bool(const PatternText&)> has_literal;
};

// Warnings W001-W009 with their places and source lines, in the order of the files. Classes that the engine
// itself makes (logger.*, source.*, probe.*, pack.*, lookup.*) count as produced.
Diagnostics lint(const RuleSet& rules, const LintOptions& options = {});

}  // namespace correlator::rules
