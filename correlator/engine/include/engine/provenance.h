// SPDX-License-Identifier: Apache-2.0
// Whose word a rule set lets count.
#pragma once

#include "rules/model.h"
#include "syslog/sources.h"

namespace correlator::engine {

// [input] trusted and writers of the rules, for the questions of syslog/sources.h.
syslog::Sources sources_of(const rules::RuleSet& rules);

}  // namespace correlator::engine
