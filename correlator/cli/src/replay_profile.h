// SPDX-License-Identifier: Apache-2.0
// `replay --profile` and `check --log`: which pattern and which rule costs what.
#pragma once

#include "pipeline/price.h"
#include "pipeline/profile.h"
#include "report/printer.h"
#include "rules/model.h"

namespace correlator::cli {

// For people on stderr, beside the results; with --json as one object among them.
void print_profile(report::Printer& printer, const pipeline::Profile& profile, const rules::RuleSet& rules);

// What was measured on a log, on stdout.
void print_price(const pipeline::LogPrice& price, const pipeline::Matcher& matcher, bool json);

}  // namespace correlator::cli
