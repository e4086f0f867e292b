// SPDX-License-Identifier: Apache-2.0
// Samples of events: each line decoded, and what came out compared with what its file says.
#pragma once

#include "pipeline/checker.h"

namespace correlator::pipeline {

void check_samples(const std::shared_ptr<const Matcher>& matcher, CheckReport& report);

}  // namespace correlator::pipeline
