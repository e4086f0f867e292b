// SPDX-License-Identifier: Apache-2.0
// `replay --profile`: which pattern and which rule costs what.
#pragma once

#include "pipeline/profile.h"
#include "report/printer.h"
#include "rules/model.h"

namespace correlator::cli {

// For people on stderr, beside the results; with --json as one object among them.
void print_profile(report::Printer& printer, const pipeline::Profile& profile, const rules::RuleSet& rules);

}  // namespace correlator::cli
