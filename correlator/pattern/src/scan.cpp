// SPDX-License-Identifier: Apache-2.0
// From the occurrence of a literal to a candidate: line bounds, then the pattern's other literals.
#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>

#include "ascii.h"
#include "pattern_set_impl.h"
#include "stopwatch.h"

namespace correlator::pattern {
namespace {

constexpr std::uint64_t kMeasureOneIn = 64;

class Collector final : public LiteralSink {
 public:
  // whole: the text is one line, whatever it contains.
  Collector(const PatternSet::Impl& set, PatternSet::Scratch::Impl& scratch, std::string_view text,
            bool whole, std::vector<Hit>& hits)
      : set_(set), scratch_(scratch), text_(text), whole_(whole), hits_(hits) {
    const auto lines = static_cast<std::uint32_t>(text.size() + 1);  // a mark for each byte that a line may begin with
    const bool others = scratch.seen_in.size() != set.regexes.size() || scratch.asked.size() != set.required.size();
    if (others || scratch.marked > std::numeric_limits<std::uint32_t>::max() - lines) {
      scratch.seen_in.assign(set.regexes.size(), 0);
      scratch.asked.assign(set.required.size(), 0);
      scratch.marked = 0;
    }
    first_mark_ = scratch.marked + 1;
    scratch.marked += lines;
    if (whole) end_ = text.size();
  }

  void found(std::uint32_t literal, std::size_t end) override {
    if (!whole_) move_to(end - 1);
    for (std::uint32_t i = set_.first_user[literal]; i < set_.first_user[literal + 1]; ++i) {
      const std::uint32_t pattern = set_.users[i];
      const std::uint32_t mark = mark_of_line();
      if (scratch_.seen_in[pattern] == mark) continue;
      scratch_.seen_in[pattern] = mark;
      if (scratch_.costs != nullptr) ++scratch_.costs->of[pattern].found;
      if (has_required(pattern)) {
        hits_.push_back({static_cast<std::uint32_t>(begin_), static_cast<std::uint32_t>(end_), pattern});
      }
    }
    if (hits_.empty() || hits_.back().line_begin != begin_) ++scratch_.found_in_vain;
  }

 private:
  std::uint32_t mark_of_line() const { return first_mark_ + static_cast<std::uint32_t>(begin_); }

  // Makes the line that contains byte `at` the current one. A literal with a newline in it cannot match
  // inside a line; the line of its last byte gets a needless candidate.
  void move_to(std::size_t at) {
    if (at >= begin_ && at < end_) return;
    const void* before = at == 0 ? nullptr : memrchr(text_.data(), '\n', at);
    begin_ =
        before == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(before) - text_.data()) + 1;
    const void* behind = std::memchr(text_.data() + at, '\n', text_.size() - at);
    end_ = behind == nullptr ? text_.size()
                             : static_cast<std::size_t>(static_cast<const char*>(behind) - text_.data());
    lowered_ = false;
  }

  bool has_required(std::uint32_t pattern) {
    for (std::uint32_t i = set_.first_required[pattern]; i < set_.first_required[pattern + 1]; ++i) {
      if (!holds(set_.required_of[i])) return false;
    }
    return true;
  }

  bool holds(std::uint32_t required) {
    std::uint64_t& asked = scratch_.asked[required];
    const std::uint64_t mark = std::uint64_t{mark_of_line()} * 2;
    if ((asked & ~std::uint64_t{1}) == mark) return (asked & 1) != 0;
    if (!lowered_) ascii_lower(text_.substr(begin_, end_ - begin_), scratch_.lowered);
    lowered_ = true;
    const std::string& literal = set_.required[required];
    const void* found = memmem(scratch_.lowered.data(), scratch_.lowered.size(), literal.data(), literal.size());
    asked = mark | (found != nullptr ? 1 : 0);
    return found != nullptr;
  }

  const PatternSet::Impl& set_;
  PatternSet::Scratch::Impl& scratch_;
  std::string_view text_;
  bool whole_;
  std::vector<Hit>& hits_;
  std::uint32_t first_mark_ = 1;
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  bool lowered_ = false;
};

}  // namespace

void PatternSet::Impl::scan_literals(std::string_view text, Scratch::Impl& scratch, LiteralSink& sink) {
  if (scanned.empty() || text.empty()) return;
  const Stopwatch watch(scratch.costs == nullptr ? nullptr : &scratch.costs->scan_ns);
  if (vector && vector->scan(text, scratch.vector, sink)) return;
  // What Vectorscan found before it failed is found again; candidates are made unique afterwards.
  if (vector) scan_fallbacks.fetch_add(1, std::memory_order_relaxed);
  hashed->scan(text, sink);
}

void PatternSet::Impl::find_unfiltered(std::string_view text, Scratch::Impl& scratch, std::vector<std::uint32_t>& patterns) {
  if (unfiltered->find(text, scratch.found, patterns)) set_fallbacks.fetch_add(1, std::memory_order_relaxed);
  if (scratch.costs == nullptr || scratch.measured_texts++ % kMeasureOneIn != 0) return;
  // The caller's watch runs meanwhile.
  scratch.costs->unfiltered_ns -= unfiltered->measure_alone(text, *scratch.costs);
}

void PatternSet::scan(std::string_view block, Scratch& scratch, std::vector<Hit>& hits) const {
  assert(block.size() < std::numeric_limits<std::uint32_t>::max());
  hits.clear();
  Scratch::Impl& own = *scratch.impl_;
  Collector collector(*impl_, own, block, false, hits);
  impl_->scan_literals(block, own, collector);
  if (has_unfiltered()) {
    const Stopwatch watch(own.costs == nullptr ? nullptr : &own.costs->unfiltered_ns);
    for (std::size_t begin = 0; begin < block.size();) {
      const std::size_t newline = block.find('\n', begin);
      const std::size_t end = newline == std::string_view::npos ? block.size() : newline;
      own.extra.clear();
      impl_->find_unfiltered(block.substr(begin, end - begin), own, own.extra);
      for (const std::uint32_t pattern : own.extra) {
        hits.push_back({static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end), pattern});
      }
      begin = end + 1;
    }
  }
  if (!std::is_sorted(hits.begin(), hits.end())) std::sort(hits.begin(), hits.end());
  hits.erase(std::unique(hits.begin(), hits.end()), hits.end());
  for (const Hit& hit : hits) impl_->counters[hit.pattern].candidates.fetch_add(1, std::memory_order_relaxed);
}

void PatternSet::scan_text(std::string_view text, Scratch& scratch,
                           std::vector<std::uint32_t>& patterns) const {
  assert(text.size() < std::numeric_limits<std::uint32_t>::max());
  patterns.clear();
  Scratch::Impl& own = *scratch.impl_;
  own.hits.clear();
  Collector collector(*impl_, own, text, true, own.hits);
  impl_->scan_literals(text, own, collector);
  for (const Hit& hit : own.hits) patterns.push_back(hit.pattern);
  if (has_unfiltered()) {
    const Stopwatch watch(own.costs == nullptr ? nullptr : &own.costs->unfiltered_ns);
    impl_->find_unfiltered(text, own, patterns);
  }
  std::sort(patterns.begin(), patterns.end());
  patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
  for (const std::uint32_t pattern : patterns) {
    impl_->counters[pattern].candidates.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace correlator::pattern
