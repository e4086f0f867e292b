// SPDX-License-Identifier: Apache-2.0
#include "engine_metrics.h"

#include <algorithm>
#include <set>

namespace correlator::cli {

using engine::Trust;
using report::Metric;
using report::MetricPage;

void StepCounts::observe(const engine::StepOutput& out, const rules::RuleSet& rules) {
  for (const engine::Event& event : out.events) {
    Class& counts = classes_[rules.classes[event.cls].name];
    ++counts.by_trust[static_cast<std::size_t>(event.trust)];
    counts.weight += event.weight;
  }
  for (const engine::Decision& decision : out.decisions) {
    Fate fate = Fate::decided;
    if (decision.fate == engine::Decision::Fate::held) fate = Fate::held;
    if (decision.fate == engine::Decision::Fate::dropped) fate = Fate::dropped;
    const auto action = rules.find_action(decision.action);
    if (fate == Fate::decided && action && rules.actions[*action].shadow) fate = Fate::shadow;
    ++rules_[decision.rule][fate];
  }
}

void StepCounts::tell(MetricPage& page, const rules::RuleSet& rules) const {
  std::set<std::string> names;  // sorted: pages can be compared
  for (const rules::ClassDef& cls : rules.classes) names.insert(cls.name);
  for (const auto& [name, counts] : classes_) names.insert(name);
  for (const std::string& name : names) {
    const auto found = classes_.find(name);
    if (found == classes_.end()) continue;  // shipped rules have classes that most machines never see
    for (const Trust trust : {Trust::vouched, Trust::claimed, Trust::none}) {
      const std::uint64_t n = found->second.by_trust[static_cast<std::size_t>(trust)];
      if (n > 0) page.add(Metric::events, n, {name, std::string(engine::to_string(trust))});
    }
    page.add(Metric::event_weight, found->second.weight, {name});
  }
  names.clear();
  for (const rules::Rule& rule : rules.rules) names.insert(rule.id);
  for (const auto& [name, counts] : rules_) names.insert(name);
  for (const std::string& name : names) {
    const auto found = rules_.find(name);
    const std::array<std::uint64_t, 4> counts = found == rules_.end() ? std::array<std::uint64_t, 4>{} : found->second;
    page.add(Metric::decisions, counts[Fate::decided], {name, "decided"});
    if (counts[Fate::shadow] > 0) page.add(Metric::decisions, counts[Fate::shadow], {name, "shadow"});
    if (counts[Fate::held] > 0) page.add(Metric::decisions, counts[Fate::held], {name, "held"});
    if (counts[Fate::dropped] > 0) page.add(Metric::decisions, counts[Fate::dropped], {name, "dropped"});
  }
}

void tell_engine(MetricPage& page, const engine::Engine& engine) {
  const engine::Counters& c = engine.counters();
  page.add(Metric::open_cases, engine.open_cases());
  page.add(Metric::windows, engine.live_windows());
  page.add(Metric::windows_evicted, c.evicted);
  page.add(Metric::evidence_bytes, engine.evidence_bytes());
  const std::array<std::pair<const char*, std::uint64_t>, 6> remarks = {{{"incomplete", c.incomplete},
                                                                         {"keyless", c.keyless},
                                                                         {"ambiguous", c.ambiguous},
                                                                         {"cooled", c.cooled},
                                                                         {"folded", c.folded},
                                                                         {"cut_chains", c.cut_chains}}};
  for (const auto& [name, n] : remarks) page.add(Metric::engine_remarks, n, {name});
  page.add(Metric::intake_records, engine.seq());
  page.add(Metric::outcomes, c.outcomes);
  page.add(Metric::log_clock, engine.clock().value_or(Timestamp{}));
  page.add(Metric::rules_generation, c.reloads);
  if (const auto rules = engine.rules()) {
    std::uint64_t limit = 0;
    for (const rules::Rule& rule : rules->rules) limit += rule.max_keys;
    page.add(Metric::windows_limit, limit);
    page.add(Metric::rules, rules->rules.size());
    page.add(Metric::rules_info, 1, {rules->hash.substr(0, 12)});
  }
}

void tell_inputs(MetricPage& page, const pipeline::Live& live) {
  for (const pipeline::InputCounters& in : live.inputs()) {
    page.add(Metric::input_lines, in.matched, {in.name, "matched"});
    page.add(Metric::input_lines, in.marks, {in.name, "mark"});
    page.add(Metric::input_lines, in.unmatched, {in.name, "unmatched"});
    page.add(Metric::input_lines, in.repeated, {in.name, "duplicate"});
    for (const auto& [module, lines] : in.modules.counts()) page.add(Metric::input_module_lines, lines, {in.name, module});
    page.add(Metric::input_remarks, in.malformed, {in.name, "malformed"});
    page.add(Metric::input_remarks, in.truncated, {in.name, "truncated"});
    page.add(Metric::input_remarks, in.late, {in.name, "late"});
    page.add(Metric::input_remarks, in.future, {in.name, "future"});
    page.add(Metric::input_remarks, in.undated, {in.name, "undated"});
    page.add(Metric::input_remarks, in.forged, {in.name, "forged"});
    page.add(Metric::input_refused, in.refused, {in.name});
    if (in.lost) page.add(Metric::input_lost, *in.lost, {in.name});
    page.add(Metric::input_last_line, in.last.value_or(Timestamp{}), {in.name});
    page.add(Metric::input_lag, in.lag, {in.name});
  }
}

void tell_store(MetricPage& page, const store::EngineDb& db, const pipeline::Live& live, bool strict) {
  const std::string_view in_force = db.spooling() ? "spooling" : strict ? "strict" : live.batching() ? "batched" : "synced";
  for (const std::string_view mode : {"strict", "synced", "batched", "spooling"}) {
    page.add(Metric::durability, std::uint64_t{mode == in_force}, {std::string(mode)});
  }
  page.add(Metric::commit_duration, live.commit_latency(true), {"true"});
  page.add(Metric::commit_duration, live.commit_latency(false), {"false"});
  page.add(Metric::spool_bytes, db.spool_bytes());
  page.add(Metric::spool_size, db.spool_size());
  page.add(Metric::spool_batches, db.spooled());
}

}  // namespace correlator::cli
