// SPDX-License-Identifier: Apache-2.0
// From the text of rule files to a RuleSet, or to all that is wrong with them.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "rules/model.h"

namespace correlator::rules {

struct RuleFile {
  std::string name;  // as diagnostics print it
  std::string text;
};

struct Loaded {
  std::shared_ptr<const RuleSet> rules;  // null if there are errors
  Diagnostics diagnostics;               // every error of every file, by file, line and column
};

// Pure: no I/O, except that time zones come from the system. The order of the files is the order of
// definitions; a [settings] entry of a later file replaces one of an earlier file.
Loaded load(std::vector<RuleFile> files);

// Reads the *.toml files of directories, in the order of the paths and by name inside one, and single files.
// A file of a later directory replaces one of the same name in an earlier one; a link to /dev/null there
// masks it. The name of each file is its path as given. E036 for a path that does not exist or cannot be
// read.
Result<std::vector<RuleFile>> read_rule_files(const std::vector<std::filesystem::path>& paths);

}  // namespace correlator::rules
