// SPDX-License-Identifier: Apache-2.0
#include "report/profile.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace correlator::report {
namespace {

constexpr std::size_t kMaxLiterals = 40;  // bytes that people see of them

double in_seconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

void sort(ProfilePage& page) {
  const auto dearer = [](const auto& a, const auto& b) { return a.ns > b.ns; };
  std::stable_sort(page.patterns.begin(), page.patterns.end(), dearer);
  std::stable_sort(page.rules.begin(), page.rules.end(), dearer);
}

std::string literals_text(const PatternRow& row) {
  if (row.literals.empty()) return "no literal: each line is tried";
  std::string out;
  for (const std::string& literal : row.literals) out += fmt::format("{}\"{}\"", out.empty() ? "" : " ", literal);
  return shorten(printable(out), kMaxLiterals);
}

std::string patterns_text(const ProfilePage& page) {
  std::int64_t confirmed = 0;
  for (const PatternRow& row : page.patterns) confirmed += row.ns;
  std::string out = fmt::format("Patterns: {:.3f} s for all literals at once, {:.3f} s for the patterns without one, {:.3f} s to confirm:\n",
                                in_seconds(page.scan_ns), in_seconds(page.unfiltered_ns), in_seconds(confirmed));
  out += fmt::format("{:>10} {:>11} {:>11} {:>11}  pattern\n", "seconds", "found", "tried", "matched");
  std::uint64_t idle = 0;
  for (const PatternRow& row : page.patterns) {
    if (row.found == 0 && row.tried == 0 && row.matched == 0 && !row.literals.empty()) {
      ++idle;
      continue;
    }
    const std::string found = row.literals.empty() ? "-" : std::to_string(row.found);
    out += fmt::format("{:>10.3f} {:>11} {:>11} {:>11}  {} ({}:{}) {}\n", in_seconds(row.ns), found, row.tried, row.matched,
                       printable(row.event), printable(row.file), row.line, literals_text(row));
  }
  if (idle > 0) out += fmt::format("{:>46}  {} found in no line\n", "", counted(idle, "pattern"));
  return out;
}

std::string rules_text(const ProfilePage& page) {
  std::int64_t in_rules = 0;
  for (const RuleRow& row : page.rules) in_rules += row.ns;
  std::string out = fmt::format("Rules: {:.3f} s in the engine, {:.3f} s of it in rules:\n", in_seconds(page.engine_ns), in_seconds(in_rules));
  out += fmt::format("{:>10} {:>11} {:>11}  rule\n", "seconds", "events", "decisions");
  std::uint64_t idle = 0;
  for (const RuleRow& row : page.rules) {
    if (row.events == 0 && row.decisions == 0 && row.ns == 0) {
      ++idle;
      continue;
    }
    out += fmt::format("{:>10.3f} {:>11} {:>11}  {}\n", in_seconds(row.ns), row.events, row.decisions, printable(row.rule));
  }
  if (idle > 0) out += fmt::format("{:>34}  {} with nothing to do\n", "", counted(idle, "rule"));
  return out;
}

}  // namespace

std::string profile_text(ProfilePage page) {
  sort(page);
  return patterns_text(page) + rules_text(page);
}

Json profile_json(ProfilePage page) {
  sort(page);
  Json patterns = Json::array(), rules = Json::array();
  for (const PatternRow& row : page.patterns) {
    patterns.push_back({{"event", row.event},
                        {"file", row.file},
                        {"line", row.line},
                        {"literals", row.literals},
                        {"found", row.found},
                        {"tried", row.tried},
                        {"matched", row.matched},
                        {"seconds", in_seconds(row.ns)}});
  }
  for (const RuleRow& row : page.rules) {
    rules.push_back({{"rule", row.rule}, {"events", row.events}, {"decisions", row.decisions}, {"seconds", in_seconds(row.ns)}});
  }
  return {{"type", "profile"},
          {"scan_seconds", in_seconds(page.scan_ns)},
          {"unfiltered_seconds", in_seconds(page.unfiltered_ns)},
          {"engine_seconds", in_seconds(page.engine_ns)},
          {"patterns", std::move(patterns)},
          {"rules", std::move(rules)}};
}

}  // namespace correlator::report
