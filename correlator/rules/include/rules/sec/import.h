// SPDX-License-Identifier: Apache-2.0
// SEC's rules as rules of the TOML language that decide the same, as far as it can say them.
#pragma once

#include <cstddef>
#include <set>
#include <string>

#include "base/diagnostic.h"
#include "rules/procedure.h"

namespace correlator::rules::sec {

struct Imported {
  std::string toml;
  Diagnostics diagnostics;         // W026: left out; W027: carried over, with a difference
  std::size_t whole = 0;           // rules that decide the same
  std::size_t differing = 0;       // carried over whole, with a W027
  std::size_t in_part = 0;         // some of their actions are left out
  std::size_t left_out = 0;
  std::set<std::string> programs;  // what SEC ran, for the actions directory
};

// `source`: what the rules came from, for the first line of the file.
Imported import_rules(const procedure::ProcedureProgram& program, const std::string& source);

}  // namespace correlator::rules::sec
