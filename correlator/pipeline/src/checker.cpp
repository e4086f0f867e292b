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

// What each pattern costs: as measured, or as is usual.
rules::LintOptions prices(const Matcher& matcher, const std::optional<LogPrice>& measured) {
  rules::LintOptions lint;
  const std::vector<rules::PatternText>& patterns = matcher.rules()->patterns;
  const bool known = measured && measured->lines > 0;
  const auto lines = known ? static_cast<double>(measured->lines) : 1.0;
  if (known) {
    lint.log = measured->log;
    lint.scan_ns = static_cast<double>(measured->costs.scan_ns) / lines;
    lint.short_ns = static_cast<double>(std::max<std::int64_t>(measured->costs.scan_ns - measured->long_scan_ns, 0)) / lines;
  }
  const std::vector<std::int64_t> shares = known ? measured->costs.unfiltered_shares() : std::vector<std::int64_t>();
  lint.price = [&matcher, &patterns, known, measured, lines, shares](const rules::PatternText& text) {
    const auto index = static_cast<std::uint32_t>(&text - patterns.data());
    const pattern::PatternLiterals& literals = matcher.patterns().literals(index);
    rules::PatternPrice price{literals.shortest(), literals.per_line, known};
    if (!known) return price;
    const pattern::PatternCost& cost = measured->costs.of[index];
    price.share = static_cast<double>(cost.found) / lines;
    price.ns = static_cast<double>(cost.ns + shares[index]) / lines;
    return price;
  };
  return lint;
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
  if (!options.logs.empty()) report.price = measure_price(*matcher, options.logs);
  const rules::LintOptions lint = prices(*matcher, report.price);
  Diagnostics warnings = rules::lint(*rules, lint);
  report.diagnostics.insert(report.diagnostics.end(), warnings.begin(), warnings.end());
  return report;
}

}  // namespace correlator::pipeline
