// SPDX-License-Identifier: Apache-2.0
// All files laid together: every definition once, with overrides and templates applied.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "context.h"

namespace correlator::rules {

struct Document {
  std::vector<Named> classes, events, same_errors, rules, actions, budgets, lookups, probes, settings,
      calendars, patterns, maps, any_of, templates;
  std::vector<Node> mutes, overrides, inputs;
  // The first file of the first directory that changes what an earlier directory has: a setting or by [[override]].
  std::optional<std::uint32_t> changed_from;
};

// Sorts the tops of the trees into a Document. Reports unknown top keys, a missing format line, duplicate
// names and overrides that do not fit.
// `as_written`: what a later directory changes of an earlier one stays as it was.
Document collect(Context& context, const std::vector<Node>& files, bool as_written = false);
// The rule with its template laid below it; reports an unknown template.
Node with_template(Context& context, const Document& document, const Named& rule);

}  // namespace correlator::rules
