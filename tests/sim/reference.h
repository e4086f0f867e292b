// SPDX-License-Identifier: Apache-2.0
// The same steps without a database, a dispatcher or any mishap: what must come out.
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "script.h"

namespace correlator::sim {

struct Outcome {
  std::vector<std::string> decisions;  // documents
  std::vector<std::string> windows;    // rule, key, how it stands
};

// `reload_at`: the step in front of which the second rules came into force; beyond the end: never. Steps whose `skip` is true
// never happened.
Outcome undisturbed(const std::vector<Step>& steps, std::size_t reload_at, const std::vector<bool>& skip = {});

std::vector<std::string> windows_of(const engine::Engine& engine);

}  // namespace correlator::sim
