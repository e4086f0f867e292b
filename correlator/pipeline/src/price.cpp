// SPDX-License-Identifier: Apache-2.0
#include "pipeline/price.h"

#include <algorithm>

#include "input/blocks.h"
#include "input/sources.h"
#include "pattern/price.h"
#include "pipeline/chunk.h"
#include "pipeline/stream.h"

namespace correlator::pipeline {
namespace {

// The patterns whose literals let the scanner pass over three bytes of four.
pattern::PatternSet long_ones(const pattern::PatternSet& set) {
  std::vector<pattern::Regex> regexes;
  for (std::uint32_t i = 0; i < set.size(); ++i) {
    if (set.literals(i).shortest().size() >= pattern::kShortestCheap) regexes.push_back(set.regex(i));
  }
  return pattern::PatternSet::build(std::move(regexes), {});
}

class Meter {
 public:
  explicit Meter(const Matcher& matcher)
      : matcher_(matcher), long_(long_ones(matcher.patterns())), costs_(matcher.patterns().size()), long_costs_(long_.size()) {
    for (std::uint32_t i = 0; i < matcher.patterns().size(); ++i) without_ += matcher.patterns().literals(i).any_of.empty() ? 1 : 0;
    scratch_.costs = &costs_;
    scratch_.scan.count_into(&costs_);
    long_scratch_.count_into(&long_costs_);
  }

  // False once there is enough.
  bool chunk(const Chunk& chunk) {
    if (chunk.bytes.empty()) return true;
    // Once unmeasured: whoever comes first would pay for bringing the bytes into the cache.
    lines_ += input::count_newlines(chunk.bytes);
    bytes_ += chunk.bytes.size();
    // In turn, so that whatever else the machine does meets both.
    if (++chunks_ % 2 == 0) long_.scan(chunk.bytes, long_scratch_, hits_);
    candidates_.clear();
    matcher_.candidates(chunk.bytes, chunk.state, chunk.traits, scratch_, candidates_);
    matcher_.confirm(scratch_, candidates_);
    for (const Candidate& candidate : candidates_) {
      for (const std::uint32_t pattern : candidate.patterns) ++costs_.of[pattern].matched;
    }
    if (chunks_ % 2 != 0) long_.scan(chunk.bytes, long_scratch_, hits_);
    return bytes_ < kMostMeasured;
  }

  bool file(const std::filesystem::path& path, LogPrice& out) {
    auto reader = input::open_reader(path);
    if (!reader) {
      out.problems.push_back(reader.error());
      return true;
    }
    if (out.log.empty()) out.log = (*reader)->name();
    input::BlockOptions options;
    options.block_size = kBlockOfOneThread;
    input::BlockReader blocks(std::move(reader).value(), options);
    Chunker chunker;
    for (;;) {
      auto block = blocks.next();
      if (!block) out.problems.push_back(block.error());
      if (!block || !block->has_value()) break;
      if (!chunk(*chunker.add(std::move(**block)))) return false;
    }
    const auto rest = chunker.end();
    return rest == nullptr || chunk(*rest);
  }

  void result(LogPrice& out) const {
    out.lines = lines_;
    out.bytes = bytes_;
    out.costs = costs_;
    out.long_scan_ns = long_.size() + without_ == matcher_.patterns().size() ? costs_.scan_ns : long_costs_.scan_ns;
  }

 private:
  const Matcher& matcher_;
  pattern::PatternSet long_;
  pattern::Costs costs_, long_costs_;
  Matcher::Scratch scratch_;
  pattern::PatternSet::Scratch long_scratch_;
  std::vector<Candidate> candidates_;
  std::vector<pattern::Hit> hits_;
  std::uint64_t lines_ = 0, bytes_ = 0, chunks_ = 0;
  std::uint32_t without_ = 0;  // patterns that have no literal
};

}  // namespace

LogPrice measure_price(const Matcher& matcher, const std::vector<std::string>& logs) {
  LogPrice out;
  input::SourceList list = input::expand_sources(logs);
  out.problems = std::move(list.diagnostics);
  Meter meter(matcher);
  bool more = true;
  for (const input::Source& source : list.sources) {
    for (const auto& path : source.files) more = more && meter.file(path, out);
  }
  meter.result(out);
  return out;
}

}  // namespace correlator::pipeline
