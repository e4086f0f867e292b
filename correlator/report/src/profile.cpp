// SPDX-License-Identifier: Apache-2.0
#include "report/profile.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "base/json.h"
#include "base/text.h"

namespace correlator::report {
namespace {

constexpr std::size_t kMaxLiterals = 40;  // bytes that people see of them

double in_seconds(std::int64_t ns) {
  return static_cast<double>(ns) / 1e9;
}

template <class Rows>
void sort(Rows& rows) {
  std::stable_sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.ns > b.ns; });
}

void sort(ProfilePage& page) {
  sort(page.patterns);
  sort(page.rules);
}

std::string literals_text(const PatternRow& row) {
  if (row.literals.empty()) return "no literal: each line is tried";
  std::string out;
  for (const std::string& literal : row.literals) out += fmt::format("{}\"{}\"", out.empty() ? "" : " ", literal);
  return shorten(printable(out), kMaxLiterals);
}

std::string where_text(const PatternRow& row) {
  return fmt::format("{} ({}:{}) {}", printable(row.event), printable(row.file), row.line, literals_text(row));
}

bool idle_row(const PatternRow& row) {
  return row.found == 0 && row.tried == 0 && row.matched == 0 && !row.literals.empty();
}

Json row_json(const PatternRow& row) {
  return {{"event", row.event}, {"file", row.file},   {"line", row.line},      {"literals", row.literals},
          {"found", row.found}, {"tried", row.tried}, {"matched", row.matched}};
}

std::string patterns_text(const ProfilePage& page) {
  std::string out = fmt::format("Patterns: {:.3f} s for all literals at once, {:.3f} s for the patterns without one (shared out among them), {:.3f} s to confirm:\n",
                                in_seconds(page.scan_ns), in_seconds(page.unfiltered_ns), in_seconds(page.confirm_ns));
  out += fmt::format("{:>10} {:>11} {:>11} {:>11}  pattern\n", "seconds", "found", "tried", "matched");
  std::uint64_t idle = 0;
  for (const PatternRow& row : page.patterns) {
    if (idle_row(row)) {
      ++idle;
      continue;
    }
    const std::string found = row.literals.empty() ? "-" : std::to_string(row.found);
    out += fmt::format("{:>10.3f} {:>11} {:>11} {:>11}  {}\n", in_seconds(row.ns), found, row.tried, row.matched, where_text(row));
  }
  if (idle > 0) out += fmt::format("{:>46}  {} found in no line\n", "", counted(idle, "pattern"));
  return out;
}

std::int64_t total(const std::vector<RuleRow>& rules) {
  return std::accumulate(rules.begin(), rules.end(), std::int64_t{0}, [](std::int64_t sum, const RuleRow& row) { return sum + row.ns; });
}

// The table below a head line; the columns of counts have these names.
std::string rules_table(const std::vector<RuleRow>& rules, const char* first, const char* second) {
  std::string out = fmt::format("{:>10} {:>11} {:>11}  rule\n", "seconds", first, second);
  std::uint64_t idle = 0;
  for (const RuleRow& row : rules) {
    if (row.events == 0 && row.decisions == 0 && row.ns == 0) {
      ++idle;
      continue;
    }
    out += fmt::format("{:>10.3f} {:>11} {:>11}  {}\n", in_seconds(row.ns), row.events, row.decisions, printable(row.rule));
  }
  if (idle > 0) out += fmt::format("{:>34}  {} with nothing to do\n", "", counted(idle, "rule"));
  return out;
}

std::string rules_text(const ProfilePage& page) {
  return fmt::format("Rules: {:.3f} s in the engine, {:.3f} s of it decoding events, {:.3f} s in rules:\n", in_seconds(page.engine_ns),
                     in_seconds(page.decoding_ns), in_seconds(total(page.rules))) +
         rules_table(page.rules, "events", "decisions");
}

}  // namespace

std::string price_text(PricePage page) {
  sort(page.patterns);
  const double lines = std::max(1.0, static_cast<double>(page.lines));
  const auto ns = [lines](std::int64_t all) { return static_cast<double>(all) / lines; };
  std::string out = fmt::format(
      "{}: {} of {:.0f} bytes. Of each line, on the average: {:.1f} ns to look for all literals at once ({:.1f} of them because of short ones), {:.1f} ns to try the "
      "patterns without one, {:.1f} ns to confirm what was found:\n",
      printable(page.log), counted(page.lines, "line"), static_cast<double>(page.bytes) / lines, ns(page.scan_ns), ns(page.short_ns),
      ns(page.unfiltered_ns), ns(page.confirm_ns));
  out += fmt::format("{:>10} {:>9} {:>11} {:>11} {:>11}  pattern\n", "ns a line", "share", "found", "tried", "matched");
  std::uint64_t idle = 0;
  for (const PatternRow& row : page.patterns) {
    if (idle_row(row)) {
      ++idle;
      continue;
    }
    const bool without = row.literals.empty();
    out += fmt::format("{:>10.1f} {:>9} {:>11} {:>11} {:>11}  {}\n", ns(row.ns), without ? "all" : fmt::format("{:.3f} %", 100 * static_cast<double>(row.found) / lines),
                       without ? "-" : std::to_string(row.found), row.tried, row.matched, where_text(row));
  }
  if (idle > 0) out += fmt::format("{:>56}  {} found in no line\n", "", counted(idle, "pattern"));
  return out;
}

Json price_json(PricePage page) {
  sort(page.patterns);
  const double lines = std::max(1.0, static_cast<double>(page.lines));
  const auto ns = [lines](std::int64_t all) { return static_cast<double>(all) / lines; };
  Json patterns = Json::array();
  for (const PatternRow& row : page.patterns) {
    Json json = row_json(row);
    json["share"] = row.literals.empty() ? 1.0 : static_cast<double>(row.found) / lines;
    json["ns_per_line"] = ns(row.ns);
    patterns.push_back(std::move(json));
  }
  return {{"type", "price"},
          {"log", page.log},
          {"lines", page.lines},
          {"bytes", page.bytes},
          {"scan_ns_per_line", ns(page.scan_ns)},
          {"short_literals_ns_per_line", ns(page.short_ns)},
          {"unfiltered_ns_per_line", ns(page.unfiltered_ns)},
          {"confirm_ns_per_line", ns(page.confirm_ns)},
          {"patterns", std::move(patterns)}};
}

std::string sec_profile_text(std::vector<RuleRow> rules) {
  sort(rules);
  return fmt::format("Rules: {:.3f} s:\n", in_seconds(total(rules))) + rules_table(rules, "lines", "matched");
}

std::string profile_text(ProfilePage page) {
  sort(page);
  return patterns_text(page) + rules_text(page);
}

Json profile_json(ProfilePage page) {
  sort(page);
  Json patterns = Json::array(), rules = Json::array();
  for (const PatternRow& row : page.patterns) {
    patterns.push_back(row_json(row));
    patterns.back()["seconds"] = in_seconds(row.ns);
  }
  for (const RuleRow& row : page.rules) {
    rules.push_back({{"rule", row.rule}, {"events", row.events}, {"decisions", row.decisions}, {"seconds", in_seconds(row.ns)}});
  }
  return {{"type", "profile"},
          {"scan_seconds", in_seconds(page.scan_ns)},
          {"unfiltered_seconds", in_seconds(page.unfiltered_ns)},
          {"confirm_seconds", in_seconds(page.confirm_ns)},
          {"engine_seconds", in_seconds(page.engine_ns)},
          {"decoding_seconds", in_seconds(page.decoding_ns)},
          {"patterns", std::move(patterns)},
          {"rules", std::move(rules)}};
}

}  // namespace correlator::report
