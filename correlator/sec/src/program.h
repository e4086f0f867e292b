// SPDX-License-Identifier: Apache-2.0
// Rule files from globs, read again where they have changed.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "rules/procedure.h"
#include "rules/sec/reader.h"
#include "sec/options.h"

namespace correlator::sec {

// As SEC's globs: words at blanks or in quotes, braces, an order without case; a name without wildcards stands for itself also where
// there is no such file.
std::vector<std::string> expand_glob(const std::string& pattern);

struct LoadedProgram {
  std::shared_ptr<const rules::procedure::ProcedureProgram> program;
  Diagnostics diagnostics;
  bool flawless = true;  // each file was read and each rule taken
};

// Files that did not change since `before` stay the same object.
LoadedProgram load_program(const std::vector<std::string>& globs, const rules::sec::ReadOptions& options,
                           const rules::procedure::ProcedureProgram* before = nullptr);

// --testonly: the exit code.
int test_rules(const Options& options);

}  // namespace correlator::sec
