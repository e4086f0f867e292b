// SPDX-License-Identifier: Apache-2.0
// Names of rules and of their action lists that mean the same in the next run: the file, what the rule says, which one of
// several that say the same, and the way to the list inside of it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>

#include "core.h"

namespace correlator::engine {

class Places {
 public:
  explicit Places(const Procedure::Core& core);

  // Empty for what does not belong to the rules that run now.
  std::string name(const RuleState* rule) const;
  std::string name(const rules::procedure::ActionList* list) const;
  // Nothing where no rule has that name.
  RuleState* rule(const std::string& name) const;
  std::shared_ptr<FileState> file(const std::string& name) const;
  rules::procedure::ActionListPtr list(const std::string& name) const;

 private:
  void add(const std::string& name, const rules::procedure::ActionListPtr& list);

  std::unordered_map<const RuleState*, std::string> rule_names_;
  std::unordered_map<const rules::procedure::ActionList*, std::string> list_names_;
  std::map<std::string, std::pair<RuleState*, std::shared_ptr<FileState>>> rules_;
  std::map<std::string, rules::procedure::ActionListPtr> lists_;
};

}  // namespace correlator::engine
