// SPDX-License-Identifier: Apache-2.0
// The state for a person to read.
#include "base/json.h"
#include "core.h"

namespace correlator::engine {
namespace {

Json operation_json(const OpenOperation& op) {
  const rules::procedure::ProcedureRule& rule = *op.owner->rule;
  Json out = {{"key", op.owner->file->file->name + " | " + std::to_string(rule.number) + " | " + op.description},
              {"type", rules::procedure::rule_type_name(rule.type)},
              {"window_start", op.start},
              {"window", rule.type == rules::procedure::RuleType::two_thresholds && op.fired ? rule.window2 : rule.window},
              {"fired", op.fired},
              {"action", rule.action == nullptr ? "" : rule.action->text}};
  if (!op.times.empty()) out["events"] = std::vector<Second>(op.times.begin(), op.times.end());
  if (!op.tokens.empty()) out["tokens"] = std::vector<std::string>(op.tokens.begin(), op.tokens.end());
  for (const auto& [time, member] : op.marks) out["events"].push_back(time);
  if (!op.second_text.empty()) out["pattern2"] = op.second_text;
  return out;
}

Json store_json(const EventStore& store) {
  Json out = {{"names", store.names}, {"created", store.created}, {"lifetime", store.lifetime}, {"internal", store.internal}};
  if (store.at_end.list != nullptr) out["action"] = store.at_end.list->text;
  out["lines"] = Json::array();
  for (const auto& [time, line] : store.lines) out["lines"].push_back({{"time", time}, {"text", line}});
  return out;
}

}  // namespace

Json Procedure::dump(std::int64_t now) const {
  const Core& core = *core_;
  Json out = {{"time", now}, {"lines", core.lines}};
  for (const auto& file : core.files) {
    Json rules = Json::array();
    for (const auto& run : file->rules) {
      rules.push_back({{"number", run->rule->number + 1}, {"line", run->rule->place.line}, {"type", run->rule->type_text},
                       {"desc", run->rule->description}, {"matches", run->matches}});
      if (core.options.cpu_time != nullptr) {
        rules.back()["events"] = run->met;
        rules.back()["cpu"] = static_cast<double>(run->cpu) / 1e9;
      }
    }
    out["files"].push_back({{"name", file->file->name}, {"sets", file->file->sets}, {"rules", std::move(rules)}});
  }
  out["operations"] = Json::array();
  for (const auto& file : core.files) {
    for (const auto& run : file->rules) {
      for (const auto& [description, op] : run->open) out["operations"].push_back(operation_json(*op));
    }
  }
  out["contexts"] = Json::array();
  for (const auto& [name, store] : core.stores) {
    if (!store->names.empty() && store->names.front() == name) out["contexts"].push_back(store_json(*store));
  }
  out["queued"] = Json::array();
  for (const auto& event : core.queued) out["queued"].push_back({{"text", event.text}, {"context", event.context}});
  out["delayed"] = Json::array();
  for (const auto& [at, event] : core.delayed) out["delayed"].push_back({{"at", at}, {"text", event.text}, {"context", event.context}});
  out["match_cache"] = Json::object();
  for (const auto& [name, entry] : *core.cache) {
    for (std::size_t i = 0; i < entry->numbered.size(); ++i) out["match_cache"][name][std::to_string(i)] = entry->numbered[i].value_or("");
    for (const auto& [field, value] : entry->named) out["match_cache"][name][field] = value.value_or("");
  }
  out["variables"] = Json::object();
  for (const auto& [name, variable] : core.variables) out["variables"][name] = variable.function ? "(function)" : variable.value;
  for (const auto& [source, buffer] : core.buffers.all()) {
    for (const auto& line : buffer) out["buffers"][source].push_back({{"source", line.source}, {"text", line.text}});
  }
  return out;
}

}  // namespace correlator::engine
