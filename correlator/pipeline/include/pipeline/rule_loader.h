// SPDX-License-Identifier: Apache-2.0
// Rules from files, proven: loaded, and their samples and tests passed. The one way in which rules come into force.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "base/diagnostic.h"
#include "pipeline/matcher.h"
#include "rules/model.h"

namespace correlator::pipeline {

struct ProvenRules {
  std::shared_ptr<const rules::RuleSet> rules;  // null if anything is wrong
  std::shared_ptr<const Matcher> matcher;       // theirs: what the check has compiled need not be compiled again
  Diagnostics diagnostics;                      // all of it: errors only
};
ProvenRules load_proven(const std::vector<std::filesystem::path>& paths);

// The same in a thread of its own, while the rules in force go on.
class RuleLoader {
 public:
  RuleLoader();
  ~RuleLoader();  // waits for a load that is under way
  RuleLoader(const RuleLoader&) = delete;
  RuleLoader& operator=(const RuleLoader&) = delete;

  // One at a time; false if one is under way.
  bool start(std::vector<std::filesystem::path> paths);
  // To poll on: readable when a load has ended.
  int fd() const;
  std::optional<ProvenRules> take();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace correlator::pipeline
