// SPDX-License-Identifier: Apache-2.0
// What patterns cost where no log at hand says it: measured constants for words to people. They decide nothing.
#pragma once

#include <cstddef>

namespace correlator::pattern {

// No literal shorter than this: every fourth byte of a text is looked at. Shorter than the next: every second, else each.
inline constexpr std::size_t kShortestCheap = 7;
inline constexpr std::size_t kShortestHalf = 5;

// Nanoseconds; a line of 125 bytes, AVX-512. docs/performance.md, "Price of a rule", has the machine and the command.
inline constexpr double kUsualScan = 22;            // a line: all literals, none of them short
inline constexpr double kUsualShortScan = 50;       // a line: what short literals add to that
inline constexpr double kUsualWithoutLiteral = 400; // a line: one pattern without a literal
inline constexpr double kUsualCandidate = 1000;     // a line that holds a literal: its header parsed, the pattern tried

}  // namespace correlator::pattern
