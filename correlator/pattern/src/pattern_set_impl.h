// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <memory>
#include <optional>
#include <vector>

#include "literal_scanner.h"
#include "literals.h"
#include "pattern/pattern_set.h"
#include "unfiltered.h"

namespace correlator::pattern {

struct PatternSet::Scratch::Impl {
  VectorScanner::Scratch vector;
  std::vector<std::uint32_t> seen_in;  // per pattern: mark of the line it was last a candidate of
  std::vector<std::uint64_t> asked;    // per required literal: twice the mark of the line it was last looked for in, odd if it is there
  std::uint32_t marked = 0;            // lines of the texts so far have marks up to this: nothing is cleared for the next one
  std::vector<int> found;              // for RE2::Set
  std::vector<std::uint32_t> extra;
  std::vector<Hit> hits;
  std::string lowered;
  std::uint64_t found_in_vain = 0;
  Costs* costs = nullptr;
  std::uint64_t measured_texts = 0;  // that patterns without a literal were tried on, while costs are counted
};

struct PatternSet::Impl {
  struct Counters {
    std::atomic<std::uint64_t> candidates{0};
    std::atomic<std::uint64_t> confirmed{0};
  };

  std::vector<Regex> regexes;
  std::vector<bool> raw;
  Options options;
  std::vector<PatternLiterals> literals;

  std::vector<std::string> scanned;       // distinct literals, the scanner's index
  std::vector<std::uint32_t> first_user;  // scanned literal → its first entry in users; one more at the end
  std::vector<std::uint32_t> users;       // patterns
  // Many patterns of one kind of line ask for the same literals: each is looked for once a line.
  std::vector<std::string> required;          // distinct
  std::vector<std::uint32_t> first_required;  // pattern → its first entry in required_of; one more at the end
  std::vector<std::uint32_t> required_of;     // indices into required
  std::unique_ptr<HashScanner> hashed;
  std::unique_ptr<VectorScanner> vector;
  std::unique_ptr<Unfiltered> unfiltered;

  std::unique_ptr<Counters[]> counters;
  std::atomic<std::uint64_t> set_fallbacks{0};
  std::atomic<std::uint64_t> scan_fallbacks{0};

  Impl(std::vector<Regex> compiled, std::vector<bool> raw_flags, const Options& how, const Share& share);
  void index_literals();
  void make_scanners();
  void scan_literals(std::string_view text, Scratch::Impl& scratch, LiteralSink& sink);
  void find_unfiltered(std::string_view text, Scratch::Impl& scratch, std::vector<std::uint32_t>& patterns);
};

}  // namespace correlator::pattern
