// SPDX-License-Identifier: Apache-2.0
// What must hold when a machine has come to rest.
#pragma once

#include "machine.h"

namespace correlator::sim {

void check_lines(Machine& machine, store::EngineDb& db);       // each answered line is recorded once
void check_decisions(Machine& machine, store::EngineDb& db);   // as undisturbed, and replay --recorded
void check_starts(Machine& machine, std::uint64_t seed);       // of programs

}  // namespace correlator::sim
