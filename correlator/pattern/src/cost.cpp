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
    of[i].alone_ns += other.of[i].alone_ns;
  }
  scan_ns += other.scan_ns;
  unfiltered_ns += other.unfiltered_ns;
}

std::vector<std::int64_t> Costs::unfiltered_shares() const {
  double all = 0;
  for (const PatternCost& cost : of) all += static_cast<double>(cost.alone_ns);
  std::vector<std::int64_t> shares(of.size(), 0);
  if (all <= 0) return shares;
  for (std::size_t i = 0; i < of.size(); ++i) {
    shares[i] = static_cast<std::int64_t>(static_cast<double>(unfiltered_ns) * (static_cast<double>(of[i].alone_ns) / all));
  }
  return shares;
}

}  // namespace correlator::pattern
