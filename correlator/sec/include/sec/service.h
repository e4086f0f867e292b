// SPDX-License-Identifier: Apache-2.0
// SEC's programme: rules, inputs, outputs, children, signals, and the loop that joins them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "engine/procedure.h"
#include "rules/procedure.h"

namespace correlator::sec {

// Runs until its inputs or a signal end it. The exit code.
int serve(const std::vector<std::string>& words);

// What is wrong with rule files, and what they probably do not mean.
struct Checked {
  Diagnostics diagnostics;
  std::size_t rules = 0, files = 0;
  bool flawless = true;
};
Checked check(const std::vector<std::string>& files);

// Rules for who feeds them himself, with what runs their code.
struct RulesRead {
  std::shared_ptr<const rules::procedure::ProcedureProgram> program;
  engine::ScriptHost* scripts = nullptr;
  Diagnostics diagnostics;
  bool some() const { return program != nullptr && !program->files.empty(); }
};
RulesRead read_rules(const std::vector<std::string>& files);

}  // namespace correlator::sec
