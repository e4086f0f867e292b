// SPDX-License-Identifier: Apache-2.0
// From a firing to decisions: steps, fan-out, argv, ids.
#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "core.h"

namespace correlator::engine {
namespace {

constexpr std::size_t kMaxAlike = 100'000;
constexpr std::size_t kMaxArgument = 100 << 10;  // no program can be started with one much longer

void put_in(std::string& text, std::string_view mark, std::string_view what) {
  if (const std::size_t at = text.find(mark); at != std::string::npos) text.replace(at, mark.size(), what);
}

// A firing that no event caused still knows the fields that its key is made of.
void fill_from_key(Scene& scene, const rules::Rule& rule, const std::vector<expr::Value>& key,
                   const rules::RuleSet& rules) {
  for (std::size_t i = 0; i < key.size() && i < rule.key.size(); ++i) {
    const rules::FieldId field = rules.field(rule.key[i].text());
    if (field != rules::kNoField && scene.fields.find(field) == nullptr) scene.fields.set(field, key[i]);
  }
}

// One text, or the elements of a list.
std::vector<std::string> lines_of(const expr::Value& value) {
  std::vector<std::string> out;
  if (value.list() != nullptr) {
    for (const expr::Value& one : *value.list()) out.push_back(expr::to_text(one));
  } else if (!value.is_none()) {
    out.push_back(expr::to_text(value));
  }
  return out;
}

const rules::Lookup& lookup_of(const rules::RuleSet& rules, std::uint32_t index) {
  return rules.lookups[index];
}

std::vector<const std::vector<std::string>*> rows_of(const rules::Lookup& lookup,
                                                     const rules::LookupTable& table,
                                                     const std::vector<expr::Value>& args) {
  std::vector<std::pair<std::size_t, std::string>> wanted;
  for (std::size_t i = 0; i < args.size() && i < lookup.key.size(); ++i) {
    const auto column = std::find(lookup.columns.begin(), lookup.columns.end(), lookup.key[i]);
    wanted.emplace_back(static_cast<std::size_t>(column - lookup.columns.begin()), expr::to_text(args[i]));
  }
  std::vector<const std::vector<std::string>*> out;
  for (const auto& row : table.rows) {
    const bool all = std::all_of(wanted.begin(), wanted.end(), [&](const auto& want) {
      return want.first < row.size() && row[want.first] == want.second;
    });
    if (all) out.push_back(&row);
  }
  return out;
}

}  // namespace

FiringRef Core::make_firing(Firing firing) {
  firing.evidence.keep(evidence);
  return {new Firing(std::move(firing)), [store = &evidence](const Firing* gone) {
            gone->evidence.release(*store);
            delete gone;
          }};
}

Case* Core::case_of(const Firing& firing) const {
  const auto found = cases_by_id.find(firing.of_case);
  return found == cases_by_id.end() ? nullptr : found->second;
}

bool Core::cools_down(RuleRun& run, std::span<KeyState* const> members, std::span<KeyState* const> hitting, Timestamp t) {
  if (run.latches || run.rule.cooldown.us == 0) return false;
  const bool cooling = std::any_of(members.begin(), members.end(), [&](const KeyState* key) {
    return key->extra && key->extra->decided_at > Timestamp::min() && t < key->extra->decided_at + run.rule.cooldown;
  });
  if (cooling) {
    ++counters.cooled;
    for (KeyState* key : hitting) run.op->fired(*key, run);
    return true;
  }
  for (KeyState* key : members) {
    if (!key->extra) key->extra = std::make_unique<KeyExtra>();
    key->extra->decided_at = t;
    run.mark(*key);
  }
  return false;
}

void Core::fire(RuleRun& run, std::span<KeyState* const> members, std::vector<expr::Value> case_key, Hit hit,
                std::shared_ptr<Scene> scene, std::span<KeyState* const> hitting) {
  const rules::Rule& rule = run.rule;
  fill_from_key(*scene, rule, case_key, *rules);
  Firing fresh;
  fresh.id = next_id();
  fresh.rule = run.index;
  fresh.of_case = run.latches ? next_id() : 0;
  fresh.time = hit.time;
  fresh.scene = std::move(*scene);
  fresh.have = hit.have;
  fresh.depth = std::max(depth, std::uint32_t{1});
  if (hit.evidence) {
    fresh.evidence = std::move(*hit.evidence);
  } else {
    for (const KeyState* key : hitting) fresh.evidence.merge(key->trail.between(hit.first, hit.last));
  }
  const std::string key_text = to_text(named(rule.key_names, case_key));
  fresh.why = std::move(hit.why);
  const expr::Value cls = fresh.scene.fields.get(rules::kClass);
  put_in(fresh.why, "{what}", cls.is_none() ? "events" : expr::to_text(cls));
  put_in(fresh.why, "{key}", key_text.empty() ? "" : " for " + key_text);
  if (fresh.evidence.total > 0) fresh.why += "; " + counted(fresh.evidence.total, "line");
  fresh.key = std::move(case_key);

  const FiringRef firing = make_firing(std::move(fresh));
  if (run.latches) {
    open_case_for(run, pack(firing->key), {members.begin(), members.end()}, firing, hit.first, hit.last);
    if (step_out != nullptr) {
      step_out->cases.push_back(
          {CaseChange::Kind::opened, rule.id, named(rule.key_names, firing->key), firing->time, firing->why});
    }
  }
  const Verdict verdict = judge(*firing, firing->time);
  if (verdict.fate == Decision::Fate::held) hold_firing(firing, verdict);
  if (!rule.set.empty()) set_contexts(run, firing, true);  // so that its steps see what it adds
  run_steps(firing, StepPlace::List::then, 0, firing->time, verdict.fate, verdict.reason);
  effects(run, firing);
  for (KeyState* key : hitting) run.op->fired(*key, run);
}

void Core::run_steps(const FiringRef& firing, StepPlace::List list, std::uint32_t set, Timestamp time,
                     Decision::Fate fate, const std::string& reason) {
  const rules::Rule& rule = rules->rules[firing->rule];
  StepPlace place{list, set, 0};
  const std::vector<rules::Step>& steps = list == StepPlace::List::then         ? rule.then
                                          : list == StepPlace::List::then_clear ? rule.then_clear
                                          : list == StepPlace::List::then_over  ? rule.then_over
                                                                                : rule.set[set].at_end;
  const bool only_collects = std::any_of(rule.set.begin(), rule.set.end(), [](const auto& one) { return one.collects.has_value(); });
  if (steps.empty() && list == StepPlace::List::then && !only_collects) {
    decide(firing, place, nullptr, time, 0, locals_of(*firing), false, fate, reason);
  }
  for (; place.index < steps.size(); ++place.index) {
    if (steps[place.index].after.us == 0) {
      decide_step(firing, place, time, fate, reason);
    } else if (fate == Decision::Fate::decided) {
      delay(firing, place, time + steps[place.index].after);
    }
  }
}

std::vector<expr::Value> Core::locals_of(const Firing& firing) const {
  const rules::Rule& rule = rules->rules[firing.rule];
  const Case* open = case_of(firing);
  std::vector<expr::Value> out(rules::kLocalRow);
  out[rules::kLocalRule] = rule.id;
  out[rules::kLocalKey] = to_text(named(rule.key_names, firing.key));
  out[rules::kLocalCount] = firing.have;
  out[rules::kLocalAcked] = open != nullptr && open->acked;
  out[rules::kLocalCleared] = firing.of_case != 0 && open == nullptr;
  return out;
}

void Core::decide_step(const FiringRef& firing, const StepPlace& place, Timestamp time, Decision::Fate fate,
                       const std::string& reason) {
  const rules::Step* step = find_step(firing->rule, place);
  if (step == nullptr) return;
  std::vector<expr::Value> locals = locals_of(*firing);
  EventBindings names(*rules, firing->scene.fields, *this);
  names.bound(firing->scene.bound);
  names.locals(locals);
  if (step->condition && !holds(*step->condition, names)) return;
  if (!step->each) return decide(firing, place, step, time, 0, std::move(locals), false, fate, reason);

  const rules::LookupTable* table = lookup(*step->each);
  if (table == nullptr) return;
  std::vector<expr::Value> args;
  for (const expr::Expression& arg : step->each_args) args.push_back(arg.eval(names));
  struct Row {
    std::vector<expr::Value> locals;
    expr::Value order;
  };
  std::vector<Row> rows;
  for (const auto* row : rows_of(lookup_of(*rules, *step->each), *table, args)) {
    Row one{locals, {}};
    for (const std::string& column : *row) one.locals.emplace_back(column);
    names.locals(one.locals);
    if (step->where && !holds(*step->where, names)) continue;
    if (step->order) one.order = step->order->eval(names);
    rows.push_back(std::move(one));
  }
  if (step->order) {
    std::stable_sort(rows.begin(), rows.end(),
                     [](const Row& a, const Row& b) { return (a.order <=> b.order) < 0; });
  }
  for (std::uint32_t i = 0; i < rows.size(); ++i) {
    decide(firing, place, step, time, i, std::move(rows[i].locals), false, fate, reason);
  }
}

const rules::Step* Core::find_step(std::uint32_t rule, const StepPlace& place) const {
  const rules::Rule& of = rules->rules[rule];
  const std::vector<rules::Step>* steps = nullptr;
  if (place.list == StepPlace::List::then) steps = &of.then;
  if (place.list == StepPlace::List::then_clear) steps = &of.then_clear;
  if (place.list == StepPlace::List::then_over) steps = &of.then_over;
  if (place.list == StepPlace::List::at_end && place.set < of.set.size()) steps = &of.set[place.set].at_end;
  return steps != nullptr && place.index < steps->size() ? &(*steps)[place.index] : nullptr;
}

std::string Core::decision_id(const Firing& firing, const Key& key, std::uint32_t step, std::uint32_t row,
                              Timestamp time) {
  const auto digest = [&](std::int64_t alike_ones) {
    Sha256 sha;
    sha.add(rules->rules[firing.rule].id).add(static_cast<std::int64_t>(key.size()));
    for (const auto& [name, value] : key) sha.add(name).add(expr::to_text(value));
    sha.add(std::int64_t{step}).add(std::int64_t{row}).add(time.us);
    for (const TrailLine& line : firing.evidence.lines) {
      const EvidenceLine* text = evidence.find(line.seq);
      if (text != nullptr) sha.add(text->time.us).add(text->host).add(text->text);
    }
    return sha.add(alike_ones).hex(16);
  };
  const std::string first = digest(0);
  if (clock) {
    while (!alike.empty() && alike.begin()->first.first <= oldest()) {
      if (alike.begin()->second.stored)
        erased.push_back({StateKind::engine, alike.begin()->second.id, "alike", {}, {}, true});
      alike.erase(alike.begin());
    }
  }
  Alike& seen = alike[{time, first}];
  if (seen.id == 0) seen.id = next_id();
  seen.dirty = true;
  const std::uint32_t before = seen.count++;
  if (alike.size() > kMaxAlike) {
    ++counters.evicted;
    if (alike.begin()->second.stored)
      erased.push_back({StateKind::engine, alike.begin()->second.id, "alike", {}, {}, true});
    alike.erase(alike.begin());
  }
  return before == 0 ? first : digest(before);
}

void Core::decide(const FiringRef& firing, const StepPlace& place, const rules::Step* step, Timestamp time,
                  std::uint32_t row, std::vector<expr::Value> locals, bool or_else, Decision::Fate fate,
                  const std::string& reason, std::shared_ptr<const Given> given) {
  const rules::Rule& rule = rules->rules[firing->rule];
  Decision decision;
  told = given != nullptr ? given->trust : Trust::vouched;
  decision.time = time;
  decision.rule = rule.id;
  decision.urgency = rule.urgency;
  decision.key = named(rule.key_names, firing->key);
  decision.step = step != nullptr ? step->number : 0;
  decision.row = row;
  decision.clearing = place.list == StepPlace::List::then_clear || place.list == StepPlace::List::then_over;
  decision.why = firing->why;
  decision.evidence_total = firing->evidence.total;
  decision.fate = fate;
  decision.fate_reason = reason;
  decision.seq = seq;
  for (const TrailLine& line : firing->evidence.lines) {
    if (const EvidenceLine* text = evidence.find(line.seq)) decision.evidence.push_back(*text);
  }
  decision.id = decision_id(*firing, decision.key, decision.step, row, time);
  const auto action = step == nullptr ? std::nullopt : or_else ? step->or_else : step->action;
  if (action) {
    decision.action = rules->actions[*action].name;
    locals[rules::kLocalDecision] = decision.id;
    EventBindings names(*rules, firing->scene.fields, *this);
    names.bound(firing->scene.bound);
    names.locals(locals);
    std::vector<expr::Value> arguments;
    for (const auto& [name, value] : step->with) {
      arguments.push_back(value.eval(names));
      names.arguments(arguments);
    }
    const auto& templates = or_else ? step->or_else_args : step->args;
    for (std::size_t i = 0; i < templates.size(); ++i) {
      decision.parts.push_back(templates[i].parts(names));
      std::string text = templates[i].assemble(decision.parts.back());
      if (templates[i].is_single() && !templates[i].is_constant() && text.starts_with('-')) {
        decision.fate = Decision::Fate::dropped;
        decision.fate_reason =
            fmt::format("argument {} of {} is a substitution that begins with \"-\"", i + 1, decision.action);
      }
      if (text.size() > kMaxArgument) {
        decision.fate = Decision::Fate::dropped;
        decision.fate_reason = fmt::format("argument {} of {} is longer than 100 KiB: give it as `lines`", i + 1, decision.action);
        text.resize(kMaxArgument);
        decision.parts.back().clear();
      }
      decision.argv.push_back(std::move(text));
    }
    if (const auto& serial = or_else ? step->or_else_serial_by : step->serial_by) {
      decision.parts.push_back(serial->parts(names));
      decision.serial = serial->assemble(decision.parts.back());
    }
    if (given != nullptr) decision.lines = given->lines;
    else if (step->lines) decision.lines = lines_of(step->lines->eval(names));
  }
  decision.trust = std::min(firing->evidence.trust(), told);
  if (decision.fate == Decision::Fate::decided) {
    ++counters.decisions;
    if (action) follow(firing, place, decision, *step, *action, std::move(locals), or_else);
  }
  if (step_out != nullptr) step_out->decisions.push_back(std::move(decision));
}

}  // namespace correlator::engine
