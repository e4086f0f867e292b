// SPDX-License-Identifier: Apache-2.0
// Rule sets: the first one, and others while the engine runs. A reload is a restart in memory: everything
// becomes rows, and what the new rules keep is read back.
#include <fmt/format.h>

#include <algorithm>

#include "core.h"
#include "rows.h"

namespace correlator::engine {
namespace {

// Which rule a row belongs to; empty if to none.
std::string rule_of(const StateRow& row, const Json* body) {
  if (row.kind == StateKind::window || row.kind == StateKind::open_case || row.kind == StateKind::timer)
    return row.owner;
  if (body != nullptr && body->is_object() && body->contains("firing")) {
    const Json& firing = body->at("firing");
    if (firing.is_object() && firing.contains("rule") && firing.at("rule").is_string())
      return firing.at("rule").get<std::string>();
  }
  return {};
}

}  // namespace

std::vector<CauseMemory*> Core::all_causes() {
  std::vector<CauseMemory*> memories;
  for (const auto& run : runs) {
    for (CauseMemory& memory : run->ignore) memories.push_back(&memory);
    for (CauseMemory& memory : run->unless) memories.push_back(&memory);
  }
  for (auto& mute : mutes) {
    for (CauseMemory& memory : mute) memories.push_back(&memory);
  }
  return memories;
}

void Core::dispose() {
  timers.clear();
  for (const auto& run : runs) {
    run->table_of_keys.each([&](KeyState& key) {
      if (key.op != nullptr) run->op->dispose(key, evidence);
      key.trail.clear(evidence);
    });
    for (const auto& [order, waiter] : run->waiters) {
      for (const LineRef& line : waiter.event.lines) evidence.release(line.seq);
    }
  }
  for (const auto& [place, orphan] : orphans) {
    for (const Evidence& lines : orphan.lines) lines.release(evidence);
  }
  orphans.clear();
  cases_by_id.clear();
  delayed.clear();
  held.clear();
  held_by_condition.clear();
  pending.clear();
  pending_of.clear();
  contexts.clear();
  collected_by.clear();
  collected_bytes = 0;
  given_bytes = 0;
  echoes.clear();
  silences.clear();
  lookups.clear();
  alike.clear();
  runs.clear();
  mutes.clear();
}

void Core::restart_rules(std::shared_ptr<const rules::RuleSet> next) {
  dispose();
  rules = std::move(next);
  decoder->set_rules(rules);
  const std::size_t classes = rules->classes.size();
  rules_of_class.assign(classes, {});
  causes_of_class.assign(classes, {});
  echoes_of_class.assign(classes, {});
  longest_record = {};
  for (const rules::EventDef& event : rules->events) {
    if (event.record) longest_record = std::max(longest_record, event.record->within);
  }
  for (std::uint32_t i = 0; i < rules->rules.size(); ++i)
    runs.push_back(std::make_unique<RuleRun>(*this, rules->rules[i], i));
  longest_hold = {};
  for (const auto& run : runs) longest_hold = std::max(longest_hold, run->hold);
  for (std::uint32_t i = 0; i < rules->mutes.size(); ++i) {
    auto& memories = mutes.emplace_back();
    const rules::Mute& mute = rules->mutes[i];
    for (std::size_t c = 0; c < mute.during.size(); ++c) {
      memories.emplace_back(mute.during[c], fmt::format("mute/{}/{}/{}", mute.text, c, mute.during[c].text));
    }
  }
  who_refers_to_what();
  fresh_rules = true;
}

void Core::who_refers_to_what() {
  for (const auto& run : runs) {
    std::vector<const rules::EventRef*> parts = run->op->parts();
    if (run->clear.event) parts.push_back(&*run->clear.event);
    if (const rules::EventRef* ref = run->op->broken_by()) parts.push_back(ref);
    rules::ClassSet all;
    for (const rules::EventRef* part : parts) {
      for (const rules::ClassId cls : part->classes.ids()) all.add(cls);
    }
    for (const rules::ClassId cls : all.ids()) rules_of_class[cls].push_back(run->index);
  }
  for (CauseMemory* memory : all_causes()) {
    if (!memory->cause().event) continue;
    for (const rules::ClassId cls : memory->cause().event->classes.ids()) causes_of_class[cls].push_back(memory);
  }
  for (std::uint32_t a = 0; a < rules->actions.size(); ++a) {
    for (std::uint32_t e = 0; e < rules->actions[a].echoes.size(); ++e) {
      for (const rules::ClassId cls : rules->actions[a].echoes[e].first.classes.ids()) echoes_of_class[cls].emplace_back(a, e);
    }
  }
}

void Core::install(std::shared_ptr<const rules::RuleSet> next) {
  if (!rules) return restart_rules(std::move(next));
  ++counters.reloads;
  std::vector<StateRow> changes;
  take_changes(changes);
  for (StateRow& row : changes) carried.insert_or_assign({row.kind, row.id}, std::move(row));
  std::map<std::string, std::string> identity;
  for (const auto& run : runs) identity[run->rule.id] = run->rule.state_identity;
  for (const auto& [id, gone] : orphan_rules) identity[id] = gone.identity;
  std::vector<StateRow> rows;
  all_rows(rows);
  const auto removed = [&](const std::string& id) { return !next->find_rule(id).has_value(); };
  const auto other = [&](const std::string& id) {
    const auto index = next->find_rule(id);
    return index && next->rules[*index].state_identity != identity[id];
  };
  for (const auto& run : runs) {
    if (removed(run->rule.id))
      orphan_rules[run->rule.id] = {run->rule.state_identity, clock.value_or(Timestamp{})};
  }
  std::vector<StateRow> kept;
  for (StateRow& row : rows) {
    std::optional<Json> body;
    if (row.kind == StateKind::engine || row.kind == StateKind::context) body = parse_json(row.body);
    const std::string rule = rule_of(row, body ? &*body : nullptr);
    const bool whole = row.kind == StateKind::engine || row.kind == StateKind::context;
    // Events in a hold buffer do not wait for a rule to come back.
    const bool waits = row.kind == StateKind::timer && row.body.starts_with("{\"waits\"");
    if (!rule.empty() && (other(rule) || ((whole || waits) && removed(rule)))) {
      erased.push_back({row.kind, row.id, row.owner, row.key, {}, true});
    } else {
      kept.push_back(std::move(row));
    }
  }
  for (const auto& rule : next->rules) orphan_rules.erase(rule.id);
  const auto gone = orphan_rules;
  restart_rules(std::move(next));
  // These rows were written by this very process: one that cannot be read is a mistake of the engine.
  RowList source(kept);
  [[maybe_unused]] const Status read = restore_rows(source, false);
  assert(read.ok());
  orphan_rules = gone;
  for (const auto& run : runs) {
    const auto before = identity.find(run->rule.id);
    if (before != identity.end() && before->second != run->rule.state_identity) run->in_force.reset();
  }
  fresh_rules = std::any_of(runs.begin(), runs.end(), [](const auto& run) { return !run->in_force; });
  engine_dirty = true;
}

void Core::forget_orphans() {
  for (auto at = orphan_rules.begin(); at != orphan_rules.end();) {
    if (*clock - at->second.since < Duration::days(7)) {
      ++at;
      continue;
    }
    std::erase_if(orphans, [&](const auto& item) {
      if (item.second.row.owner != at->first) return false;
      for (const Evidence& lines : item.second.lines) lines.release(evidence);
      erased.push_back({item.first.first, item.first.second, at->first, item.second.row.key, {}, true});
      return true;
    });
    at = orphan_rules.erase(at);
  }
}

}  // namespace correlator::engine
