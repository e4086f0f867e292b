// SPDX-License-Identifier: Apache-2.0
// `check --expand`: what a rule is after templates and overrides.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "rules/loader.h"

namespace correlator::rules {

// The rule as TOML that loads by itself in the place of the written one. E013 if there is no such rule, E001
// if a file is not valid TOML.
Result<std::string> expand(const std::vector<RuleFile>& files, std::string_view rule_id);

}  // namespace correlator::rules
