// SPDX-License-Identifier: Apache-2.0
#include "pattern/cost.h"

namespace correlator::pattern {

void Costs::add(const Costs& other) {
  if (of.size() < other.of.size()) of.resize(other.of.size());
  for (std::size_t i = 0; i < other.of.size(); ++i) {
    of[i].found += other.of[i].found;
    of[i].tried += other.of[i].tried;
    of[i].matched += other.of[i].matched;
    of[i].ns += other.of[i].ns;
  }
  scan_ns += other.scan_ns;
  unfiltered_ns += other.unfiltered_ns;
}

}  // namespace correlator::pattern
