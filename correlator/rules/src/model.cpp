// SPDX-License-Identifier: Apache-2.0
#include "rules/model.h"

#include <array>

namespace correlator::rules {
namespace {

constexpr std::array<std::string_view, 6> kSeverities{"info",        "corrected",   "deferred",
                                                      "recoverable", "uncorrected", "fatal"};

}  // namespace

std::string_view to_string(Severity severity) {
  return kSeverities[static_cast<std::size_t>(severity)];
}

std::optional<Severity> parse_severity(std::string_view text) {
  for (std::size_t i = 0; i < kSeverities.size(); ++i) {
    if (kSeverities[i] == text) return static_cast<Severity>(i);
  }
  return std::nullopt;
}

std::string_view to_string(Urgency urgency) {
  switch (urgency) {
    case Urgency::notice:
      return "notice";
    case Urgency::warning:
      return "warning";
    case Urgency::critical:
      return "critical";
  }
  return "warning";
}

std::string_view operation_name(const Operation& operation) {
  constexpr std::array<std::string_view, std::variant_size_v<Operation>> kNames{
      "each", "count", "rate", "distinct", "streak", "sequence", "absence", "group", "level", "schedule"};
  return kNames[operation.index()];
}

FieldId RuleSet::field(std::string_view name) const {
  for (std::size_t i = 0; i < fields.size(); ++i) {
    if (fields[i] == name) return static_cast<FieldId>(i);
  }
  return kNoField;
}

std::optional<ClassId> RuleSet::find_class(std::string_view name) const {
  for (std::size_t i = 0; i < classes.size(); ++i) {
    if (classes[i].name == name) return static_cast<ClassId>(i);
  }
  return std::nullopt;
}

std::optional<std::uint32_t> RuleSet::find_rule(std::string_view id) const {
  for (const Rule& rule : rules) {
    if (rule.id == id) return rule.index;
  }
  return std::nullopt;
}

std::optional<std::uint32_t> RuleSet::find_action(std::string_view name) const {
  for (std::size_t i = 0; i < actions.size(); ++i) {
    if (actions[i].name == name) return static_cast<std::uint32_t>(i);
  }
  return std::nullopt;
}

}  // namespace correlator::rules
