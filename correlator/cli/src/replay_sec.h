// SPDX-License-Identifier: Apache-2.0
// Rule files of SEC on archives, in the time of the log.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "time/zone.h"

namespace correlator::cli {

struct SecReplay {
  std::vector<std::string> rules, logs;
  Zone zone;
  std::optional<int> year;
  std::string state;  // directory; empty: nothing survives
  bool profile = false;  // say at the end, on stderr, what each rule cost
};
int replay_sec(const SecReplay& what);

}  // namespace correlator::cli
