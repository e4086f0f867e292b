// SPDX-License-Identifier: Apache-2.0
// The dump file of SIGUSR1, with the sections and fields that SEC's has.
#pragma once

#include <cstdint>
#include <map>
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
  std::int64_t now, started, configured;  // seconds: of the dump, when the programme began, when rules were last read
  const std::map<std::string, std::int64_t>& loaded;  // when each rule file was read
  const Inputs& inputs;
  const Children& children;
};

// `engine`: what engine::Procedure::dump() tells. Never over a file that exists.
Status write_dump(const DumpFacts& facts, Json engine);

// As text, section by section.
std::string dump_text(const Json& all);

}  // namespace correlator::sec
