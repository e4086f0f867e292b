// SPDX-License-Identifier: Apache-2.0
// Records that are no lines: operators, lookups, probes.
#include <fmt/format.h>

#include "core.h"

namespace correlator::engine {

void Core::command(const CommandRecord& record) {
  using Verb = CommandRecord::Verb;
  const Timestamp at = clock.value_or(Timestamp{});
  now = at;
  const auto index = rules->find_rule(record.rule);
  if (record.verb == Verb::silence || record.verb == Verb::hold) {
    Silence item{next_id(), record.rule, record.key, {}, Timestamp::max()};
    const bool ends = record.verb == Verb::silence && record.lifetime.us > 0;
    if (ends) item.until = at + record.lifetime;
    item.reason = fmt::format("{} by {}", record.verb == Verb::silence ? "silenced" : "held", record.author);
    silences.emplace(item.id, std::move(item));
    return;
  }
  if (record.verb == Verb::release) {
    bool silent = false;
    std::erase_if(silences, [&](const auto& item) {
      const bool over = at >= item.second.until;  // it ended by itself
      if (over || item.second.rule != record.rule || item.second.key != record.key) return false;
      silent = true;
      if (item.second.stored) erased.push_back({StateKind::engine, item.first, "silence", {}, {}, true});
      return true;
    });
    std::vector<std::uint64_t> ids;
    for (auto& [id, item] : held) {
      const rules::Rule& rule = rules->rules[item.firing->rule];
      if (!silent || rule.id != record.rule) continue;
      if (!record.key.empty() && record.key != to_text(named(rule.key_names, item.firing->key))) continue;
      if (item.deadline) {
        timers.cancel({*item.deadline, TimerKind::held, item.firing->rule, item.order, item.id, &item});
        item.deadline.reset();
        held_by_condition.insert({item.firing->rule, id});
      }
      ids.push_back(id);
    }
    for (const std::uint64_t id : ids) judge_held(id, at);
    return settle();
  }
  if (!index || record.verb == Verb::approve) return;  // approval is the dispatcher's
  RuleRun& run = *runs[*index];
  std::vector<std::uint64_t> targets;
  for (const auto& [key, open] : run.cases) {
    if (record.key.empty() || record.key == to_text(named(run.rule.key_names, open->firing->key)))
      targets.push_back(open->id);
  }
  for (const std::uint64_t id : targets) {
    const auto open = cases_by_id.find(id);
    if (open == cases_by_id.end()) continue;
    if (record.verb == Verb::ack) {
      open->second->acked = true;
      open->second->dirty = true;
    } else {
      close_case(run, *open->second, at, Closing::start_over,
                 fmt::format("{} by {}", record.verb == Verb::repair ? "repaired" : "reset", record.author));
    }
  }
  if (record.verb != Verb::ack) {
    // What was counted towards the next case goes as well, and what the last decision keeps back.
    for (KeyState* key : run.keys()) {
      if (!record.key.empty() && record.key != named_text(run.rule.key_names, key->key()))
        continue;
      run.op->closed(*key, Closing::start_over, at, run);
      if (key->extra) key->extra->decided_at = Timestamp::min();
      run.mark(*key);
      run.settle(*key);
    }
  }
  settle();
}

void Core::lookup_changed(const LookupRecord& record) {
  auto [at, fresh] = lookups.try_emplace(record.name);
  LookupState& state = at->second;
  if (fresh) state.id = next_id();
  const bool changed = fresh || state.table.rows != record.table.rows;
  state.table = record.table;
  state.loaded = record.loaded;
  state.index.reset();
  state.stale_told = false;
  state.dirty = true;
  if (!changed) return;  // read again because it would have become stale
  for (const auto& run : runs) {
    for (std::uint32_t i = 0; i < rules->lookups.size(); ++i) {
      if (rules->lookups[i].name != record.name || !run->op->wants_lookup(i)) continue;
      // As with a new rule: what must speak from now on is asked for with the next clock.
      run->in_force.reset();
      fresh_rules = true;
    }
  }
}

void Core::probe(const ProbeRecord& record) {
  static constexpr const char* kClasses[] = {"probe.ok", "probe.failed", "probe.broken"};
  const auto cls = rules->find_class(kClasses[static_cast<int>(record.result)]);
  if (!cls) return;
  now = record.time;
  Fields fields;
  const auto set = [&](std::string_view name, const std::string& value) {
    const rules::FieldId field = rules->field(name);
    if (field != rules::kNoField) fields.set(field, value);
  };
  set("probe", record.probe);
  set("row", record.row);
  set("output", record.output);
  fields.set(rules::kText, record.output);
  fields.set(rules::kHost, record.row);
  deliver(synthetic(*cls, record.time, std::move(fields), Trust::vouched, {}));
  settle();
}

}  // namespace correlator::engine
