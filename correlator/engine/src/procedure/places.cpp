// SPDX-License-Identifier: Apache-2.0
#include "places.h"

namespace correlator::engine {

Places::Places(const Procedure::Core& core) {
  std::map<std::string, int> twins;
  for (const auto& file : core.files) {
    for (const auto& run : file->rules) {
      const rules::procedure::ProcedureRule& rule = *run->rule;
      std::string name = file->file->name + " " + std::to_string(rule.fingerprint);
      name += " " + std::to_string(twins[name]++);
      rule_names_[run.get()] = name;
      rules_[name] = {run.get(), file};
      add(name + " action", rule.action);
      add(name + " action2", rule.action2);
      add(name + " init", rule.init);
      add(name + " slide", rule.slide);
      add(name + " end", rule.end);
      for (std::size_t i = 0; i < rule.members.size(); ++i) add(name + " count" + std::to_string(i), rule.members[i].count);
    }
  }
}

void Places::add(const std::string& name, const rules::procedure::ActionListPtr& list) {
  if (list == nullptr) return;
  list_names_[list.get()] = name;
  lists_[name] = list;
  for (std::size_t i = 0; i < list->actions.size(); ++i) {
    add(name + "." + std::to_string(i), list->actions[i].list);
    add(name + ".else" + std::to_string(i), list->actions[i].otherwise);
  }
}

std::string Places::name(const RuleState* rule) const {
  const auto found = rule_names_.find(rule);
  return found == rule_names_.end() ? std::string() : found->second;
}

std::string Places::name(const rules::procedure::ActionList* list) const {
  const auto found = list_names_.find(list);
  return found == list_names_.end() ? std::string() : found->second;
}

RuleState* Places::rule(const std::string& name) const {
  const auto found = rules_.find(name);
  return found == rules_.end() ? nullptr : found->second.first;
}

std::shared_ptr<FileState> Places::file(const std::string& name) const {
  const auto found = rules_.find(name);
  return found == rules_.end() ? nullptr : found->second.second;
}

rules::procedure::ActionListPtr Places::list(const std::string& name) const {
  const auto found = lists_.find(name);
  return found == lists_.end() ? nullptr : found->second;
}

}  // namespace correlator::engine
