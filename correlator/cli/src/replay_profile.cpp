// SPDX-License-Identifier: Apache-2.0
#include "replay_profile.h"

#include <algorithm>
#include <cstdio>

#include "base/json.h"
#include "pipeline/matcher.h"
#include "report/profile.h"

namespace correlator::cli {
namespace {

std::vector<report::PatternRow> rows_of(const pattern::Costs& costs, const rules::RuleSet& rules, const pipeline::Matcher& matcher) {
  std::vector<report::PatternRow> rows;
  const std::vector<std::int64_t> shares = costs.unfiltered_shares();
  for (std::uint32_t i = 0; i < rules.patterns.size(); ++i) {
    const rules::PatternText& text = rules.patterns[i];
    const pattern::PatternCost& cost = costs.of[i];
    const std::string event = text.event < rules.events.size() ? rules.events[text.event].id : "";
    rows.push_back({event, text.place.file, text.place.line, matcher.patterns().literals(i).any_of, cost.found, cost.tried, cost.matched,
                    cost.ns + shares[i]});
  }
  return rows;
}

std::int64_t confirming(const pattern::Costs& costs) {
  std::int64_t all = 0;
  for (const pattern::PatternCost& cost : costs.of) all += cost.ns;
  return all;
}

report::ProfilePage page_of(const pipeline::Profile& profile, const rules::RuleSet& rules) {
  report::ProfilePage page;
  page.scan_ns = profile.patterns.scan_ns;
  page.unfiltered_ns = profile.patterns.unfiltered_ns;
  page.engine_ns = profile.engine_ns;
  page.decoding_ns = profile.decoding_ns;
  page.confirm_ns = confirming(profile.patterns);
  page.patterns = rows_of(profile.patterns, rules, *profile.matcher);
  for (std::size_t i = 0; i < rules.rules.size(); ++i) {
    const pipeline::RuleCost& cost = profile.rules[i];
    page.rules.push_back({rules.rules[i].id, cost.events, cost.decisions, cost.ns});
  }
  return page;
}

}  // namespace

void print_profile(report::Printer& printer, const pipeline::Profile& profile, const rules::RuleSet& rules) {
  report::ProfilePage page = page_of(profile, rules);
  if (printer.json()) return printer.object(report::profile_json(std::move(page)));
  std::fputs(report::profile_text(std::move(page)).c_str(), stderr);
}

void print_price(const pipeline::LogPrice& price, const pipeline::Matcher& matcher, bool json) {
  report::PricePage page{price.log, price.lines, price.bytes, rows_of(price.costs, *matcher.rules(), matcher), price.costs.scan_ns,
                         price.costs.unfiltered_ns, confirming(price.costs), std::max<std::int64_t>(price.costs.scan_ns - price.long_scan_ns, 0)};
  const std::string text = json ? to_line(report::price_json(std::move(page))) + "\n" : report::price_text(std::move(page));
  std::fwrite(text.data(), 1, text.size(), stdout);
}

}  // namespace correlator::cli
