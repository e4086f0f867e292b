// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "core.h"
#include "engine/engine.h"

namespace correlator::engine {

struct Engine::State {
  explicit State(Options options) : core(options) {}
  Core core;
};

}  // namespace correlator::engine
