// SPDX-License-Identifier: Apache-2.0
#include "decoder_build.h"

#include <algorithm>
#include <limits>

#include "base/text.h"
#include "bindings.h"

namespace correlator::engine {
namespace {

std::uint64_t times_saturating(std::uint64_t a, std::uint64_t b) {
  return a != 0 && b > std::numeric_limits<std::uint64_t>::max() / a
             ? std::numeric_limits<std::uint64_t>::max()
             : a * b;
}

// The values of the class's key without the host: which part of the machine it is about.
std::string part_of(const rules::ClassDef& cls, const Fields& fields) {
  std::vector<std::string> parts;
  for (const rules::FieldId field : cls.key) {
    const expr::Value* value = field == rules::kHost ? nullptr : fields.find(field);
    if (value != nullptr) parts.push_back(expr::to_text(*value));
  }
  return join(parts, "/");
}

}  // namespace

EventBuilder::EventBuilder(const rules::RuleSet& rules, const Questions& questions, Increases& increases)
    : rules_(rules), questions_(questions), increases_(increases) {
  for (std::size_t id = 0; id < rules.classes.size(); ++id) {
    classes_.try_emplace(rules.classes[id].name, static_cast<rules::ClassId>(id));
  }
  const auto find = [&](std::string_view name) -> std::optional<rules::ClassId> {
    const auto found = classes_.find(name);
    return found == classes_.end() ? std::nullopt : std::optional(found->second);
  };
  const auto field = [&](std::string_view name) {
    const auto found = std::find(rules.fields.begin(), rules.fields.end(), name);
    return found == rules.fields.end() ? rules::kNoField
                                       : static_cast<rules::FieldId>(found - rules.fields.begin());
  };
  forged_ = find("logger.forged");
  unknown_ = find("pack.unknown-value");
  event_field_ = field("event");
  value_field_ = field("value");
}

void EventBuilder::add_lets(const rules::EventDef& def, Fields& fields) const {
  const EventBindings bindings(rules_, fields, questions_);
  for (const rules::Let& let : def.lets) fields.set(let.field, let.value.eval(bindings));
}

bool EventBuilder::holds(const expr::Expression& condition, const Fields& fields) const {
  return engine::holds(condition, EventBindings(rules_, fields, questions_));
}

// The arm that gives the class; nullptr if no arm holds or `text`, what the template gave, is no class.
const rules::ClassArm* EventBuilder::choose(const rules::EventDef& def, const Fields& fields,
                                            rules::ClassArm& from_text, std::string& text) const {
  if (const auto* arms = std::get_if<std::vector<rules::ClassArm>>(&def.class_of)) {
    for (const rules::ClassArm& arm : *arms) {
      if (!arm.condition || holds(*arm.condition, fields)) return &arm;
    }
    return nullptr;
  }
  const auto& from = std::get<expr::Template>(def.class_of);
  text = expr::to_text(from.eval(EventBindings(rules_, fields, questions_)));
  const auto found = classes_.find(text);
  if (found == classes_.end()) return nullptr;
  from_text.is = found->second;
  return &from_text;
}

// Severity, part and class; false if a required field is missing.
bool EventBuilder::finish(Event& event, rules::ClassId cls) const {
  const rules::ClassDef& def = rules_.classes[cls];
  event.cls = cls;
  const expr::Value* severity = event.fields.find(rules::kSeverity);
  const std::string* word = severity != nullptr ? severity->text() : nullptr;
  event.severity =
      (word != nullptr ? rules::parse_severity(*word) : std::nullopt).value_or(rules::Severity::info);
  event.fields.set(rules::kSeverity, rules::to_string(event.severity));
  event.fields.set(rules::kClass, def.name);
  if (event.fields.find(rules::kPart) == nullptr) {
    std::string part = part_of(def, event.fields);
    if (!part.empty()) event.fields.set(rules::kPart, std::move(part));
  }
  return std::all_of(def.required.begin(), def.required.end(), [&](const rules::FieldSpec& spec) {
    return spec.field == rules::kWeight || event.fields.find(spec.field) != nullptr;
  });
}

std::uint64_t EventBuilder::weight(const rules::EventDef& def, std::uint64_t times,
                                   const Event& event) const {
  const EventBindings bindings(rules_, event.fields, questions_);
  if (def.increase_of) {
    // A repeated line says the same total again: it rose only once. A late one says nothing about now.
    const expr::Value value = def.increase_of->eval(bindings);
    if (value.integer() == nullptr || event.late) return 1;
    std::vector<expr::Value> per;
    for (const expr::Expression& part : def.increase_per) per.push_back(part.eval(bindings));
    return increases_.rise(def.id, std::move(per), *value.integer());
  }
  const expr::Value value = def.weight ? def.weight->eval(bindings) : expr::Value();
  return times_saturating(value.integer() != nullptr ? *value.integer() : 1, times);
}

void EventBuilder::set_weight(Event& event, std::uint64_t weight) {
  event.weight = weight;
  event.fields.set(rules::kWeight, weight);
}

EventBuilder::Outcome EventBuilder::build(const rules::EventDef& def, std::uint64_t times,
                                          Event& event) const {
  event.definition = def.index;
  rules::ClassArm from_text;
  std::string text;
  const rules::ClassArm* arm = choose(def, event.fields, from_text, text);
  if (arm == nullptr && std::holds_alternative<std::vector<rules::ClassArm>>(def.class_of))
    return Outcome::incomplete;
  if (arm == nullptr) {
    if (!unknown_) return Outcome::incomplete;
    if (event_field_ != rules::kNoField) event.fields.set(event_field_, def.id);
    if (value_field_ != rules::kNoField) event.fields.set(value_field_, text);
    event.fields.set(rules::kSeverity, {});
    finish(event, *unknown_);
    set_weight(event, 1);
    return Outcome::unknown;
  }
  // An arm knows more than the lets, but a severity that a let took from the text goes first.
  const bool has_severity = event.fields.find(rules::kSeverity) != nullptr;
  for (const rules::Let& let : arm->fields) {
    if (let.field == rules::kSeverity && has_severity) continue;
    event.fields.set(let.field, let.value.eval(EventBindings(rules_, event.fields, questions_)));
  }
  if (!finish(event, arm->is)) return Outcome::incomplete;
  set_weight(event, weight(def, times, event));
  if (event.weight == 0) return Outcome::nothing;
  event.stale = def.stale && holds(*def.stale, event.fields);
  event.implausible = def.implausible && holds(*def.implausible, event.fields);
  return Outcome::event;
}

bool EventBuilder::forged(Event& event) const {
  if (!forged_) return false;
  finish(event, *forged_);
  set_weight(event, 1);
  return true;
}

}  // namespace correlator::engine
