// SPDX-License-Identifier: Apache-2.0
// The dump file of SIGUSR1.
#pragma once

#include <string>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "children.h"
#include "inputs.h"
#include "sec/options.h"

namespace correlator::sec {

struct DumpFacts {
  const Options& options;
  const std::vector<std::string>& words;
  std::int64_t now;
  const Inputs& inputs;
  const Children& children;
};

// Never over a file that exists.
Status write_dump(const DumpFacts& facts, const Json& engine);

}  // namespace correlator::sec
