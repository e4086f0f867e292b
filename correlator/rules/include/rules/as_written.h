// SPDX-License-Identifier: Apache-2.0
// Rules as their own files have them, before a later directory changes settings or lays an [[override]] over them. What a vendor's
// file says of its rules, samples and tests, is true of these: a site that wants another threshold breaks none of them.
#pragma once

#include <cstdint>
#include <memory>

#include "rules/model.h"

namespace correlator::rules {

struct AsWritten {
  std::shared_ptr<const RuleSet> rules;  // null: nothing is changed
  std::uint32_t changed_from = 0;        // files from here on say what is so after the change
};

// Pure, as load(). `rules` is a set that was loaded without an error.
AsWritten as_written(const RuleSet& rules);

}  // namespace correlator::rules
