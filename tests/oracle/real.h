// SPDX-License-Identifier: Apache-2.0
// The real engine on the whole real path: rules are loaded from TOML, lines go through a session.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model.h"
#include "pipeline/session.h"
#include "rules/loader.h"

namespace correlator::oracle {

// Null, and what is wrong in `errors`, if the rules do not load.
std::shared_ptr<const rules::RuleSet> load(const Spec& spec, std::string& errors);

class Real {
 public:
  explicit Real(std::shared_ptr<const rules::RuleSet> rules, const Spec& spec);
  // Steps one record and returns what it gave, in the oracle's words, in no particular order.
  std::vector<std::string> step(const Input& input);
  // Takes the state out as rows and puts it into a new engine. The rows are kept up to date by each call.
  bool restart(std::string& error);
  bool ids_unique() const { return unique_; }

 private:
  std::shared_ptr<const rules::RuleSet> rules_;
  std::vector<std::string> rule_ids_;
  std::unique_ptr<pipeline::Session> session_;
  std::uint64_t lines_ = 0;
  std::vector<std::string> out_;
  std::set<std::string> ids_;
  bool unique_ = true;
  std::map<std::pair<engine::StateKind, std::uint64_t>, engine::StateRow> rows_;
};

}  // namespace correlator::oracle
