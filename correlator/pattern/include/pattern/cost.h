// SPDX-License-Identifier: Apache-2.0
// What patterns cost one thread that wants to know it. Nothing is counted and no clock is asked for those that do not.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace correlator::pattern {

struct PatternCost {
  std::uint64_t found = 0;    // lines in which one of its literals was found
  std::uint64_t tried = 0;    // texts that RE2 was asked about: the lines found that have its other literals, too
  std::uint64_t matched = 0;  // lines that went to the engine for it; counted by the caller
  std::int64_t ns = 0;        // in RE2, with the groups
  std::int64_t alone_ns = 0;  // of a pattern without a literal: on one text in 64, by itself
};

struct Costs {
  explicit Costs(std::size_t patterns = 0) : of(patterns) {}

  std::vector<PatternCost> of;     // by pattern
  std::int64_t scan_ns = 0;        // looking for the literals of all patterns at once
  std::int64_t unfiltered_ns = 0;  // trying each line for all patterns without a literal at once

  void add(const Costs& other);
  // All patterns without a literal are looked for at once: unfiltered_ns shared out, by pattern, as each would take alone.
  std::vector<std::int64_t> unfiltered_shares() const;
};

}  // namespace correlator::pattern
