// SPDX-License-Identifier: Apache-2.0
#include "operations/operation.h"
#include "base/json.h"

#include <fmt/format.h>

#include <array>

namespace correlator::engine {
namespace {

struct Maker {
  const rules::Rule& rule;
  std::unique_ptr<Operation> operator()(const rules::Each&) const { return make_each(rule); }
  std::unique_ptr<Operation> operator()(const rules::Count& o) const {
    return o.tumbling ? make_tumbling(rule, o) : make_count(rule, o);
  }
  std::unique_ptr<Operation> operator()(const rules::Rate& o) const { return make_rate(rule, o); }
  std::unique_ptr<Operation> operator()(const rules::Distinct& o) const { return make_distinct(rule, o); }
  std::unique_ptr<Operation> operator()(const rules::Streak& o) const { return make_streak(rule, o); }
  std::unique_ptr<Operation> operator()(const rules::Sequence& o) const { return make_sequence(rule, o); }
  std::unique_ptr<Operation> operator()(const rules::Absence& o) const {
    return o.after ? make_absence(rule, o) : make_heartbeat(rule, o);
  }
  std::unique_ptr<Operation> operator()(const rules::Group& o) const { return make_group(rule, o); }
  std::unique_ptr<Operation> operator()(const rules::Level& o) const { return make_level(rule, o); }
  std::unique_ptr<Operation> operator()(const rules::Schedule& o) const { return make_schedule(rule, o); }
};

}  // namespace

std::unique_ptr<Operation> make_operation(const rules::Rule& rule) {
  return std::visit(Maker{rule}, rule.operation);
}

std::string ordinal(std::uint64_t n) {
  static constexpr std::array<std::string_view, 13> kWords = {
      "",        "first",  "second", "third", "fourth",   "fifth",  "sixth",
      "seventh", "eighth", "ninth",  "tenth", "eleventh", "twelfth"};
  if (n > 0 && n < kWords.size()) return std::string(kWords[n]);
  const std::uint64_t tens = n % 100;
  const char* ending = tens >= 11 && tens <= 13 ? "th"
                       : n % 10 == 1            ? "st"
                       : n % 10 == 2            ? "nd"
                       : n % 10 == 3            ? "rd"
                                                : "th";
  return fmt::format("{}{}", n, ending);
}

std::string counted_why(std::uint64_t have, std::string_view what, std::uint64_t need, Duration within,
                        Timestamp first, Timestamp last) {
  std::string out = fmt::format("{} {} of {} in {}{{key}}: ", have, what, need, to_string(within));
  if (have == 1 || first == last)
    return out + fmt::format("{} at {}", have == 1 ? "it came" : "all", to_rfc3339(last));
  return out +
         fmt::format("the first at {}, the {} at {}", to_rfc3339(first), ordinal(have), to_rfc3339(last));
}

std::string class_name(const Event& event, const rules::RuleSet& rules) {
  return event.cls < rules.classes.size() ? rules.classes[event.cls].name : "event";
}

Json fields_json(const Fields& fields, const rules::RuleSet& rules) {
  Json out = Json::object();
  for (const auto& [field, value] : fields.all()) {
    if (!value.is_none()) out[rules.fields[field]] = expr::to_json(value);
  }
  return out;
}

Fields fields_from(const Json& json, const rules::RuleSet& rules) {
  Fields out;
  if (!json.is_object()) return out;
  for (const auto& [name, value] : json.items()) {
    const rules::FieldId field = rules.field(name);
    if (field == rules::kNoField) continue;
    if (auto read = expr::from_json(value)) out.set(field, std::move(*read));
  }
  return out;
}

Json scene_json(const Scene& scene, const rules::RuleSet& rules) {
  Json out = {{"fields", fields_json(scene.fields, rules)}};
  for (const Fields& step : scene.bound) out["bound"].push_back(fields_json(step, rules));
  return out;
}

Scene scene_from(const Json& json, const rules::RuleSet& rules) {
  Scene out;
  if (!json.is_object()) return out;
  if (const auto fields = json.find("fields"); fields != json.end()) out.fields = fields_from(*fields, rules);
  if (const auto bound = json.find("bound"); bound != json.end()) {
    for (const Json& step : *bound) out.bound.push_back(fields_from(step, rules));
  }
  return out;
}

Scene scene_of(const Occurrence& x) {
  Scene out{x.event.fields, {}};
  for (const auto& [field, value] : x.lets.all()) out.fields.set(field, value);
  return out;
}

}  // namespace correlator::engine
