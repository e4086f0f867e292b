// SPDX-License-Identifier: Apache-2.0
// Contexts, and the synthetic events that rules emit: what a firing does beside its steps. What contexts collect: collected.cpp.
#include <algorithm>

#include "base/text.h"
#include "core.h"

namespace correlator::engine {
namespace {

constexpr std::size_t kMaxContexts = 100'000;

std::optional<std::string> context_key(const std::vector<expr::Expression>& key,
                                       const expr::Bindings& names) {
  std::vector<expr::Value> values;
  for (const expr::Expression& part : key) {
    values.push_back(part.eval(names));
    if (values.back().is_none()) return std::nullopt;
  }
  return pack(values);
}

}  // namespace

void Core::effects(RuleRun& run, const FiringRef& firing) {
  for (std::uint32_t i = 0; i < run.rule.emit.size(); ++i) {
    const rules::Emit& spec = run.rule.emit[i];
    if (spec.after.us > 0) delay(firing, {StepPlace::List::emit, 0, i}, firing->time + spec.after);
    else emit(firing, spec, firing->time);
  }
  if (!run.rule.set.empty()) set_contexts(run, firing, false);
  if (!run.rule.unset.empty()) unset_contexts(run, firing);
}

void Core::emit(const FiringRef& firing, const rules::Emit& spec, Timestamp time) {
  const std::vector<expr::Value> locals = locals_of(*firing);
  EventBindings names(*rules, firing->scene.fields, *this);
  names.bound(firing->scene.bound);
  names.locals(locals);
  told = firing->evidence.trust();
  const expr::Value host = firing->scene.fields.get(rules::kHost);
  if (spec.line) {
    const std::string text = expr::to_text(spec.line->eval(names));
    for (const std::string_view line : split(text, "\n")) {
      if (!line.empty()) made_lines.push_back({std::string(line), expr::to_text(host), time, firing, told, depth});
    }
    return;
  }
  Fields fields;
  fields.set(rules::kHost, host);
  for (const rules::Let& let : spec.fields) fields.set(let.field, let.value.eval(names));
  deliver(synthetic(spec.cls, time, std::move(fields), told, firing->evidence));
}

Event Core::synthetic(rules::ClassId cls, Timestamp time, Fields fields, Trust trust,
                      const Evidence& lines) const {
  Event event;
  event.cls = cls;
  event.time = time;
  event.trust = trust;
  const expr::Value severity = fields.get(rules::kSeverity);
  if (severity.text() != nullptr)
    event.severity = rules::parse_severity(*severity.text()).value_or(rules::Severity::info);
  fields.set(rules::kSeverity, std::string(rules::to_string(event.severity)));
  const rules::ClassDef& def = rules->classes[cls];
  if (fields.find(rules::kPart) == nullptr) {
    std::string part;
    for (const rules::FieldId field : def.key) {
      if (field == rules::kHost) continue;
      append_item(part, "/", expr::to_text(fields.get(field)));
    }
    fields.set(rules::kPart, part);
  }
  fields.set(rules::kTime, time);
  fields.set(rules::kClass, def.name);
  fields.set(rules::kWeight, std::uint64_t{1});
  event.fields = std::move(fields);
  for (const TrailLine& line : lines.lines) {
    const EvidenceLine* text = evidence.find(line.seq);
    event.lines.push_back({line.seq, text != nullptr ? text->time : line.time});
  }
  return event;
}

bool Core::deliver(Event event) {
  for (const rules::FieldSpec& field : rules->classes[event.cls].required) {
    if (event.fields.find(field.field) == nullptr) {
      ++counters.incomplete;
      return false;
    }
  }
  queue.push_back({std::move(event), depth});
  return true;
}

// `collecting`: those that also collect a text, else the others.
void Core::set_contexts(RuleRun& run, const FiringRef& firing, bool collecting) {
  const std::vector<expr::Value> locals = locals_of(*firing);
  EventBindings names(*rules, firing->scene.fields, *this);
  names.bound(firing->scene.bound);
  names.locals(locals);
  for (std::uint32_t i = 0; i < run.rule.set.size(); ++i) {
    const rules::SetContext& spec = run.rule.set[i];
    if (spec.collects.has_value() != collecting) continue;
    auto key = context_key(spec.key, names);
    if (!key) continue;
    end_context_before({spec.name, *key}, firing->time);
    told = firing->evidence.trust();
    const std::string text = collecting ? expr::to_text(spec.collects->eval(names)) : std::string();
    Context& context = open_context(firing, i, std::move(*key));
    if (collecting) collect(context, spec, text, told);
    if (contexts.size() <= kMaxContexts) continue;
    ++counters.evicted;
    end_context(std::min_element(contexts.begin(), contexts.end(), [](const auto& a, const auto& b) {
      return std::pair(a.second.end, a.second.id) < std::pair(b.second.end, b.second.id);
    }));
  }
}

// The context as it is after the firing. Setting it again moves its end to the later one; collecting in one that is open
// leaves the end to whoever opened it, unless each text renews it.
Context& Core::open_context(const FiringRef& firing, std::uint32_t set, std::string key) {
  const rules::SetContext& spec = rules->rules[firing->rule].set[set];
  const Timestamp end = spec.lifetime.us == 0 ? Timestamp::max() : firing->time + spec.lifetime;
  auto [at, fresh] = contexts.try_emplace({spec.name, key});
  Context& context = at->second;
  if (fresh) {
    context.id = next_id();
    context.name = spec.name;
    context.key = std::move(key);
  }
  if (fresh || !spec.collects || spec.renewed) {
    if (!fresh && context.end != Timestamp::max())
      timers.cancel({context.end, TimerKind::context, 0, context.key, context.id, &context});
    context.end = fresh ? end : std::max(context.end, end);
    context.dirty = true;
    arm_context(context);
  }
  if (fresh || !spec.collects) {
    context.firing = firing;
    context.set = set;
  }
  return context;
}

void Core::unset_contexts(RuleRun& run, const FiringRef& firing) {
  const std::vector<expr::Value> locals = locals_of(*firing);
  EventBindings names(*rules, firing->scene.fields, *this);
  names.bound(firing->scene.bound);
  names.locals(locals);
  for (const rules::UnsetContext& spec : run.rule.unset) {
    const auto key = context_key(spec.key, names);
    if (!key) continue;
    end_context_before({spec.name, *key}, firing->time);
    const auto at = contexts.find({spec.name, *key});
    if (at == contexts.end()) continue;
    if (spec.texts_only) let_go(at->second, 0);
    else end_context(at);
  }
}

// A context whose end is behind `t` has ended by itself, also where its timer still waits for what may come late.
void Core::end_context_before(const std::pair<std::string, std::string>& name, Timestamp t) {
  const auto at = contexts.find(name);
  if (at != contexts.end() && at->second.end <= t) on_context_end(at->second);
}

void Core::arm_context(Context& context) {
  if (context.end == Timestamp::max()) return;
  timers.arm({context.end, TimerKind::context, 0, context.key, context.id, &context});
}

void Core::end_context(std::map<std::pair<std::string, std::string>, Context>::iterator at) {
  Context& context = at->second;
  timers.cancel({context.end, TimerKind::context, 0, context.key, context.id, &context});
  if (context.stored) erased.push_back({StateKind::context, context.id, context.name, {}, {}, true});
  let_go(context, 0);
  contexts.erase(at);
}

void Core::on_context_end(Context& context) {
  // It is over before its steps are decided, which may still ask for what it collected.
  Context last;
  last.name = context.name;
  last.key = context.key;
  last.trust = context.trust;
  last.texts = context.texts;
  const FiringRef firing = context.firing;
  const std::uint32_t set = context.set;
  const Timestamp end = context.end;
  end_context(contexts.find({context.name, context.key}));
  if (!firing || set >= rules->rules[firing->rule].set.size()) return;
  ending = &last;
  run_steps(firing, StepPlace::List::at_end, set, end, Decision::Fate::decided, {});
  ending = nullptr;
}

bool Core::open_case(std::string_view rule, std::span<const expr::Value> key) const {
  const auto index = rules->find_rule(rule);
  if (!index || *index >= runs.size()) return false;
  return runs[*index]->cases.contains(pack(key));
}

bool Core::context(std::string_view name, std::span<const expr::Value> key) const {
  const auto at = contexts.find({std::string(name), pack(key)});
  return at != contexts.end() && now < at->second.end;
}

const rules::LookupTable* Core::lookup(std::uint32_t index) const {
  const rules::Lookup& spec = rules->lookups[index];
  const auto found = lookups.find(spec.name);
  if (found == lookups.end()) return nullptr;
  const LookupState& state = found->second;
  if (spec.max_age.us > 0 && clock && *clock - state.loaded > spec.max_age) {
    if (!state.stale_told) {
      state.stale_told = true;
      state.dirty = true;
      stale_lookups.push_back(spec.name);
    }
    return nullptr;
  }
  return &state.table;
}

const LookupIndex* Core::lookup_index(std::uint32_t index) const {
  const auto found = lookups.find(rules->lookups[index].name);
  if (found == lookups.end()) return nullptr;
  if (!found->second.index) {
    found->second.index = std::make_unique<LookupIndex>(rules->lookups[index], found->second.table);
  }
  return found->second.index.get();
}

}  // namespace correlator::engine
