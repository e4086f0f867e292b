// SPDX-License-Identifier: Apache-2.0
#include "replay_profile.h"

#include <cstdio>

#include "base/json.h"
#include "pipeline/matcher.h"
#include "report/profile.h"

namespace correlator::cli {
namespace {

report::ProfilePage page_of(const pipeline::Profile& profile, const rules::RuleSet& rules) {
  report::ProfilePage page;
  page.scan_ns = profile.patterns.scan_ns;
  page.unfiltered_ns = profile.patterns.unfiltered_ns;
  page.engine_ns = profile.engine_ns;
  for (std::uint32_t i = 0; i < rules.patterns.size(); ++i) {
    const rules::PatternText& text = rules.patterns[i];
    const pattern::PatternCost& cost = profile.patterns.of[i];
    const std::string event = text.event < rules.events.size() ? rules.events[text.event].id : "";
    page.patterns.push_back({event, text.place.file, text.place.line, profile.matcher->patterns().literals(i).any_of, cost.found, cost.tried,
                             cost.matched, cost.ns});
  }
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

}  // namespace correlator::cli
