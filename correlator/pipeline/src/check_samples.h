// SPDX-License-Identifier: Apache-2.0
// Samples of events: each line decoded, and what came out compared with what its file says.
#pragma once

#include <functional>

#include "pipeline/checker.h"

namespace correlator::pipeline {

// Of the samples those whose place is `wanted`.
void check_samples(const std::shared_ptr<const Matcher>& matcher, const std::function<bool(const Place&)>& wanted, CheckReport& report);

}  // namespace correlator::pipeline
