// SPDX-License-Identifier: Apache-2.0
// Which patterns of a program can match a text at all. It only ever says no.
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "pattern/pattern_set.h"
#include "rules/procedure.h"

namespace correlator::engine {

class Filter {
 public:
  static constexpr std::uint32_t kAlways = ~0U;  // may match anything
  static constexpr std::uint32_t kNever = ~0U - 1;  // is not asked for itself: a cached match, which a filler brings

  // Numbers for the members of a rule, in their order.
  std::vector<std::uint32_t> add(const rules::procedure::ProcedureRule& rule);
  void build(bool used);

  const pattern::PatternSet* set() const { return set_ ? set_.get() : nullptr; }
  bool asks_every_line() const { return asks_every_line_; }

  // The text at hand. Without `candidates` it is scanned.
  void begin(std::string_view text, const std::vector<std::uint32_t>* candidates);
  // The text changed under way: everything is possible.
  void forget() { all_ = true; }
  bool may_match(std::uint32_t id) const { return all_ || id >= kNever || seen_[id] == turn_; }

 private:
  std::uint32_t add(const rules::procedure::LinePattern& pattern, const rules::procedure::ProcedureRule& rule);

  std::vector<pattern::Regex> regexes_;
  std::unique_ptr<pattern::PatternSet> set_;
  pattern::PatternSet::Scratch scratch_;
  std::vector<std::uint32_t> found_;
  std::vector<std::uint32_t> seen_;
  std::uint32_t turn_ = 0;
  bool all_ = true;
  bool asks_every_line_ = false;
};

// The text as a pattern that matches it and nothing else.
std::string quoted_pattern(std::string_view text);

}  // namespace correlator::engine
