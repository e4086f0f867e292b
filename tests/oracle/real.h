// SPDX-License-Identifier: Apache-2.0
// The real engine on the whole real path: rules are loaded from TOML, lines go through a session.
#pragma once

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "model.h"
#include "pipeline/matcher.h"
#include "pipeline/session.h"
#include "rules/loader.h"

namespace correlator::oracle {

// Null, and what is wrong in `errors`, if the rules do not load.
std::shared_ptr<const rules::RuleSet> load(const Spec& spec, std::string& errors);

class Real {
 public:
  // `matchers`: of the rules of each spec of the world, which must outlive this.
  Real(std::vector<std::shared_ptr<const pipeline::Matcher>> matchers, const World& world);
  // Steps one record and returns what it gave, in the oracle's words, in no particular order.
  std::vector<std::string> step(const Input& input);

 private:
  void line(const Input& input);
  // Takes the state out as rows and puts it into a new engine. The rows are kept up to date by each call.
  void restart();

  void start(std::size_t spec);
  void reload(std::size_t spec);

  std::vector<std::shared_ptr<const pipeline::Matcher>> matchers_;
  const World& world_;
  std::size_t spec_ = 0;  // in force
  std::unique_ptr<pipeline::Session> session_;
  std::uint64_t lines_ = 0;
  std::vector<std::string> out_;
  std::set<std::string> ids_;
  std::map<std::uint64_t, std::uint64_t> line_of_;  // by intake number
  std::map<std::pair<engine::StateKind, std::uint64_t>, engine::StateRow> rows_;
};

}  // namespace correlator::oracle
