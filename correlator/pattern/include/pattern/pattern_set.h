// SPDX-License-Identifier: Apache-2.0
// PatternSet: thousands of patterns behind one literal scan. A scan yields candidates, a superset of what
// matches; match() confirms one of them and gives its groups.
//
//   PatternSet::Scratch scratch;                       // one per thread
//   set.scan(block, scratch, hits);
//   for (const Hit& hit : hits) if (set.match(hit.pattern, text_of(hit), groups)) …
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "pattern/cost.h"
#include "pattern/regex.h"

namespace correlator::pattern {

struct Spec {
  std::string pattern;
  bool raw =
      false;  // sees the whole line instead of the message text; kept for the caller, see PatternSet::raw()
  Regex::Options options = {};
};

// The line [line_begin, line_end) of the scanned block, without its '\n' (a '\r' belongs to it), may contain
// text that `pattern` matches.
struct Hit {
  std::uint32_t line_begin;
  std::uint32_t line_end;
  std::uint32_t pattern;
  auto operator<=>(const Hit&) const = default;
};

// What the prefilter looks for on behalf of one pattern.
struct PatternLiterals {
  std::vector<std::string>
      any_of;  // lower-cased; a match contains at least one of them. Empty: every line is tried
  std::vector<std::string> required;  // lower-cased; looked for in the line before it becomes a candidate
  double per_line = 1.0;              // expected share of ordinary syslog lines that contain one of any_of
  bool chatty() const { return is_chatty(per_line); }
  static bool is_chatty(double share) { return share > 0.01; }
  // The shortest of any_of; empty if there is none.
  const std::string& shortest() const;
};

struct PatternSetStats {
  std::uint64_t candidates = 0;      // hits given out by scan() and scan_text()
  std::uint64_t confirmed = 0;       // of those tried by match(), the ones that matched
  std::uint64_t set_fallbacks = 0;   // texts for which RE2::Set failed and its patterns were tried one by one
  std::uint64_t scan_fallbacks = 0;  // blocks which Vectorscan refused and the other scanner read instead
};

class PatternSet {
 public:
  // Which way literals are found. Where the CPU or the build cannot do what is named, the next one that they can.
  enum class Scanner : std::uint8_t { best, avx2, vectorscan, scalar };

  struct Options {
    bool force_scalar = false;  // Scanner::scalar
    std::int64_t set_memory = std::int64_t{64}
                              << 20;  // bytes for the RE2::Set of the patterns without a literal
    Scanner scanner = Scanner::best;
  };

  // Working memory of one thread; may be used with any number of sets, one call at a time.
  class Scratch {
   public:
    Scratch();
    ~Scratch();
    Scratch(Scratch&&) noexcept;
    Scratch& operator=(Scratch&&) noexcept;
    // How many literals scan() and scan_text() have found since the last call in lines that became no candidates.
    std::uint64_t take_found_in_vain();
    // From now on scan() and scan_text() count into it; sized for the sets they are called of. nullptr: no more.
    void count_into(Costs* costs);
    struct Impl;

   private:
    friend class PatternSet;
    std::unique_ptr<Impl> impl_;
  };

  // The error is that of the first pattern that does not compile (see Regex::compile).
  static Result<PatternSet> build(const std::vector<Spec>& specs, const Options& options);
  static Result<PatternSet> build(const std::vector<Spec>& specs) { return build(specs, Options()); }
  // The same from patterns that are compiled already (all with Options::latin1); cannot fail.
  static PatternSet build(std::vector<Regex> regexes, const Options& options);

  // The same patterns with their literals picked anew by how often each occurs in `sample` (some MB of the
  // log at hand, newline-separated), for when a literal turns out to be chatty. Nothing is compiled again.
  PatternSet tuned_to(std::string_view sample) const;

  // Candidates of a block of newline-separated lines, at most 4 GiB - 1; the last line needs no newline,
  // empty lines are lines. `hits` is replaced: sorted by line, then pattern, no duplicates. Anchors and word
  // boundaries of a pattern are not held against a line, since the text it will be tried on may be a part of
  // the line.
  void scan(std::string_view block, Scratch& scratch, std::vector<Hit>& hits) const;

  // Candidates of one text, which may contain newlines. `patterns` is replaced: ascending, no duplicates.
  void scan_text(std::string_view text, Scratch& scratch, std::vector<std::uint32_t>& patterns) const;

  // Regex::match of one pattern, counted; into `costs`, too, where they are wanted.
  bool match(std::uint32_t pattern, std::string_view text, std::vector<std::string_view>& groups, Costs* costs = nullptr) const;

  std::uint32_t size() const;
  const Regex& regex(std::uint32_t pattern) const;
  bool raw(std::uint32_t pattern) const;
  const PatternLiterals& literals(std::uint32_t pattern) const;
  // Patterns without a usable literal: each line is tried by RE2, at many times the price of all others
  // together.
  bool has_unfiltered() const;
  const char* scanner() const;  // "avx512", "avx2", "vectorscan" or "scalar"
  PatternSetStats stats() const;
  std::uint64_t candidates(
      std::uint32_t pattern) const;  // of scan() and scan_text(), since the set was built
  std::uint64_t confirmed(std::uint32_t pattern) const;

  PatternSet(PatternSet&&) noexcept;
  PatternSet& operator=(PatternSet&&) noexcept;
  ~PatternSet();

  struct Impl;

 private:
  explicit PatternSet(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace correlator::pattern
