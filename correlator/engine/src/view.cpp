// SPDX-License-Identifier: Apache-2.0
// Looking: where windows stand, why an event did or did not move a rule, what a reload would keep.
#include <fmt/format.h>

#include <algorithm>

#include "core.h"
#include "engine_state.h"

namespace correlator::engine {

void Engine::windows(const std::function<void(const WindowView&)>& visit) const {
  const Core& core = state_->core;
  for (const auto& run : core.runs) {
    for (const KeyState* key : run->keys()) {
      const Standing standing = run->op->standing(*key);
      WindowView view;
      view.rule = run->rule.id;
      view.key = named(run->rule.key_names, unpack(key->key()));
      view.stands = standing.text;
      view.have = standing.have;
      view.need = standing.need;
      view.newest = key->newest;
      view.open_case = key->open != nullptr;
      visit(view);
    }
  }
}

std::uint64_t Engine::live_windows() const {
  std::uint64_t n = 0;
  for (const auto& run : state_->core.runs) n += run->table_of_keys.size();
  return n;
}

std::uint64_t Engine::open_cases() const {
  return state_->core.cases_by_id.size();
}

std::optional<LookupView> Engine::lookup(std::string_view name) const {
  const auto found = state_->core.lookups.find(std::string(name));
  if (found == state_->core.lookups.end()) return std::nullopt;
  return LookupView{found->second.table.hash, found->second.loaded};
}

std::uint64_t Engine::evidence_bytes() const { return state_->core.evidence.bytes(); }

namespace {

Explanation explain_rule(const Core& core, RuleRun& run, const Event& event) {
  Explanation out{run.rule.id, false, {}};
  EventBindings names(*core.rules, event.fields, core);
  bool by_class = false, by_where = false;
  for (const rules::EventRef* ref : run.op->parts()) {
    if (!ref->matches_class(event.cls)) continue;
    by_class = true;
    by_where = by_where || run.op->judges_where() || !ref->where || holds(*ref->where, names);
  }
  if (!by_class) {
    out.text = "it does not count here: the event only ends or breaks this rule's cases";
    return out;
  }
  if (!by_where) {
    out.text = "the condition of the event reference does not hold";
    return out;
  }
  Fields lets;
  names.overlay(&lets);
  for (const rules::Let& let : run.rule.lets) lets.set(let.field, let.value.eval(names));
  if (run.rule.where && !holds(*run.rule.where, names)) {
    out.text = "where does not hold: " + run.rule.where->text();
    return out;
  }
  std::vector<expr::Value> key;
  for (const expr::Expression& element : run.rule.key) {
    key.push_back(element.eval(names));
    if (key.back().is_none()) {
      out.text = "the key has no value for " + element.text();
      return out;
    }
  }
  if (core.judged_by_causes(run.ignore, event.fields, event.time, names)) {
    out.text = "it is ignored";
    return out;
  }
  out.takes_part = true;
  const KeyState* state = run.table_of_keys.find(pack(key));
  if (state == nullptr) {
    out.text = "it counts; nothing is remembered for this key";
  } else {
    out.text = "it counts; " + run.op->standing(*state).text;
    if (state->open != nullptr)
      out.text += fmt::format("; a case is open since {}", to_rfc3339(state->open->firing->time));
  }
  return out;
}

}  // namespace

std::vector<Explanation> Engine::explain(const Event& event) const {
  std::vector<Explanation> out;
  Core& core = state_->core;
  if (!core.rules || event.cls >= core.rules_of_class.size()) return out;
  const Timestamp before = core.now;
  core.now = event.time;
  for (const std::uint32_t index : core.rules_of_class[event.cls]) {
    Explanation one = explain_rule(core, *core.runs[index], event);
    if (event.late || event.stale || event.implausible || event.folded || core.is_echo(event)) {
      one.takes_part = false;
      one.text = event.late          ? "it is late: older than what windows accept"
                 : event.stale       ? "it is stale: a record of an earlier time"
                 : event.implausible ? "it is implausible"
                 : event.folded      ? "it is the same error as one that was counted already"
                                     : "an action of ours caused it";
    }
    out.push_back(std::move(one));
  }
  core.now = before;
  return out;
}

std::vector<std::string> Engine::plan(const rules::RuleSet& next) const {
  std::vector<std::string> out;
  const Core& core = state_->core;
  for (const auto& run : core.runs) {
    const std::size_t keys = run->table_of_keys.size(), cases = run->cases.size();
    const auto index = next.find_rule(run->rule.id);
    const std::string held = fmt::format("{} live {}, {} open {}", keys, keys == 1 ? "window" : "windows",
                                         cases, cases == 1 ? "case" : "cases");
    if (!index) {
      out.push_back(fmt::format("{}: removed; {} kept for 7 days", run->rule.id, held));
    } else if (next.rules[*index].state_identity != run->rule.state_identity) {
      out.push_back(fmt::format("{}: counts something else now; {} dropped", run->rule.id, held));
    } else {
      out.push_back(fmt::format("{}: kept; {}", run->rule.id, held));
    }
  }
  for (const rules::Rule& rule : next.rules) {
    if (core.rules && core.rules->find_rule(rule.id)) continue;
    const bool back =
        core.orphan_rules.contains(rule.id) && core.orphan_rules.at(rule.id).identity == rule.state_identity;
    out.push_back(fmt::format("{}: {}", rule.id, back ? "back again; its state is taken up" : "new"));
  }
  return out;
}

}  // namespace correlator::engine
