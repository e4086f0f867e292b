// SPDX-License-Identifier: Apache-2.0
#include "pipeline/checker.h"

#include <algorithm>
#include <functional>
#include <map>

#include "check_samples.h"
#include "check_tests.h"
#include "rules/as_written.h"
#include "rules/lint.h"

namespace correlator::pipeline {
namespace {

// Samples and tests. Those of files that a later directory changes are true of the rules as they were written.
bool check_what_files_say(const std::shared_ptr<const Matcher>& matcher, CheckReport& report) {
  const rules::RuleSet& set = *matcher->rules();
  const rules::AsWritten before = rules::as_written(set);
  std::map<std::string, std::size_t> numbers;
  for (const auto& [name, text] : set.files) numbers.emplace(name, numbers.size());
  const auto later = [&](const Place& place) {
    const auto found = numbers.find(place.file);
    return found == numbers.end() || found->second >= before.changed_from;
  };
  check_samples(matcher, later, report);
  check_tests(matcher, later, report);
  if (before.rules == nullptr) return true;
  auto built = Matcher::build(before.rules);
  if (!built) {
    report.diagnostics.push_back(built.error());
    return false;
  }
  const auto earlier = std::make_shared<const Matcher>(std::move(built).value());
  check_samples(earlier, [&](const Place& place) { return !later(place); }, report);
  check_tests(earlier, [&](const Place& place) { return !later(place); }, report);
  return true;
}

}  // namespace

CheckReport check_rules(std::shared_ptr<const rules::RuleSet> rules, const CheckOptions& options) {
  CheckReport report;
  auto built = Matcher::build(rules);
  if (!built) {
    report.diagnostics.push_back(built.error());
    return report;
  }
  const auto matcher = std::make_shared<const Matcher>(std::move(built).value());
  report.matcher = matcher;
  if (!check_what_files_say(matcher, report)) return report;
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
