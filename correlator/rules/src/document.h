// SPDX-License-Identifier: Apache-2.0
// All files laid together: every definition once, with overrides and templates applied.
#pragma once

#include <vector>

#include "context.h"

namespace correlator::rules {

struct Document {
  std::vector<Named> classes, events, same_errors, rules, actions, budgets, lookups, probes, settings,
      calendars, patterns, maps, any_of, templates;
  std::vector<Node> mutes, overrides, inputs;
};

// Sorts the tops of the trees into a Document. Reports unknown top keys, a missing format line, duplicate
// names and overrides that do not fit.
Document collect(Context& context, const std::vector<Node>& files);
// The rule with its template laid below it; reports an unknown template.
Node with_template(Context& context, const Document& document, const Named& rule);

}  // namespace correlator::rules
