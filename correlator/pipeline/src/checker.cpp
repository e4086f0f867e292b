// SPDX-License-Identifier: Apache-2.0
#include "pipeline/checker.h"

#include <algorithm>

#include "check_samples.h"
#include "check_tests.h"
#include "rules/lint.h"

namespace correlator::pipeline {

CheckReport check_rules(std::shared_ptr<const rules::RuleSet> rules, const CheckOptions& options) {
  CheckReport report;
  auto built = Matcher::build(rules);
  if (!built) {
    report.diagnostics.push_back(built.error());
    return report;
  }
  const auto matcher = std::make_shared<const Matcher>(std::move(built).value());
  check_samples(matcher, report);
  check_tests(matcher, report);
  if (!options.warnings) return report;
  check_boundaries(matcher, report);
  rules::LintOptions lint;
  lint.has_literal = [&](const rules::PatternText& text) {
    const auto index = static_cast<std::uint32_t>(&text - rules->patterns.data());
    return index >= rules->patterns.size() || !matcher->patterns().literals(index).any_of.empty();
  };
  Diagnostics warnings = rules::lint(*rules, lint);
  report.diagnostics.insert(report.diagnostics.end(), warnings.begin(), warnings.end());
  return report;
}

}  // namespace correlator::pipeline
