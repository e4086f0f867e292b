// SPDX-License-Identifier: Apache-2.0
// Tests of rules: timelines stepped in virtual time, decisions compared exactly; and the boundary timelines that are
// made for each counting rule.
#pragma once

#include <functional>

#include "pipeline/checker.h"

namespace correlator::pipeline {

// Of the tests those whose place is `wanted`.
void check_tests(const std::shared_ptr<const Matcher>& matcher, const std::function<bool(const Place&)>& wanted, CheckReport& report);
void check_boundaries(const std::shared_ptr<const Matcher>& matcher, CheckReport& report);

}  // namespace correlator::pipeline
