// SPDX-License-Identifier: Apache-2.0
// SEC's programme: rules, inputs, outputs, children, signals, and the loop that joins them.
#pragma once

#include <string>
#include <vector>

namespace correlator::sec {

// Runs until its inputs or a signal end it. The exit code.
int serve(const std::vector<std::string>& words);

}  // namespace correlator::sec
