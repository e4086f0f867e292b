// SPDX-License-Identifier: Apache-2.0
// The patterns without a usable literal: one RE2::Set, and a loop for when it gives up.
#pragma once

#include <re2/set.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "pattern/cost.h"
#include "pattern/regex.h"

namespace correlator::pattern {

class Unfiltered {
 public:
  // `patterns` are indices into `regexes`. Assertions are taken out of the patterns: the text that a pattern
  // will be tried on may be any part of the text given here.
  Unfiltered(const std::vector<Regex>& regexes, std::vector<std::uint32_t> patterns, std::int64_t memory);

  bool empty() const { return patterns_.empty(); }
  // Appends the patterns that may match some part of the text, ascending. True if RE2::Set had failed.
  bool find(std::string_view text, std::vector<int>& found, std::vector<std::uint32_t>& out) const;
  // Tries each by itself, to say what it takes; gives the time of all.
  std::int64_t measure_alone(std::string_view text, Costs& costs) const;

 private:
  bool set_usable() const { return set_ && failures_.load(std::memory_order_relaxed) < kGiveUp; }

  // A set that ran out of memory this often will do so again; each attempt costs as much as a match.
  static constexpr std::uint32_t kGiveUp = 100;

  std::vector<std::uint32_t> patterns_;  // ascending
  std::vector<std::uint32_t> always_;    // cannot be judged on the whole text: each text is a candidate
  std::vector<std::uint32_t> set_members_;
  std::vector<Regex> loop_;  // parallel to set_members_
  std::unique_ptr<re2::RE2::Set> set_;
  mutable std::atomic<std::uint32_t> failures_{0};
};

}  // namespace correlator::pattern
