// SPDX-License-Identifier: Apache-2.0
// The prefilter against a plain loop over all patterns: it may give too much, never too little.
#include <cstdlib>
#include <random>
#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "catch.h"
#include "effort.h"
#include "pattern/pattern_set.h"

using namespace correlator;
using namespace correlator::pattern;

namespace {

std::uint64_t first_seed() {
  const char* given = std::getenv("CORRELATOR_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

class Source {
 public:
  explicit Source(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <std::size_t N>
  const char* pick(const char* const (&choices)[N]) {
    return choices[below(N)];
  }

  // A few letters only, so that random patterns do meet random texts.
  std::string word(bool in_pattern) {
    static const char* const kWords[] = {"edac",  "EDAC",   "mce", "Error",         "ce", "ab",
                                         "a",     "k",      "S",   "page",          "0x", " ",
                                         "page:", "kernel", "foo", "Hardware Error"};
    if (!one_in(6)) return pick(kWords);
    if (in_pattern) {
      static const char* const kEscaped[] = {"\\xe9", "\\xc9", "\\x00",    "\\x{df}", "\\.",
                                             "\\t",   "\\[",   "\xc3\xa9", "\\r",     "\\n"};
      return pick(kEscaped);
    }
    static const std::string kBytes[] = {"\xe9", "\xc9", std::string(1, '\0'), "\xdf", ".",
                                         "\t",   "[",    "\xc3\xa9",           "\r",   "\xff"};
    return kBytes[below(10)];
  }

  std::string pattern(int depth) {
    if (depth == 0) return word(true);
    // Step by step: the order in which operands of + are evaluated is the compiler's, and a seed must mean
    // one run.
    std::string inner = pattern(depth - 1);
    switch (below(13)) {
      case 0:
        return inner += pattern(depth - 1);
      case 1:
        return "(?:" + alternatives(inner, depth, 1) + ")";
      case 2:
        return "(" + alternatives(inner, depth, 2) + ")";
      case 3:
        return "(?:" + inner + ")" + pick({"*", "+", "?", "{2}", "{0,2}", "*?", "+?", "{0}"});
      case 4:
        return pick({"\\d+", "[a-f0-9]+", ".*", ".", "\\S+", "[^ ]*", "[ab]", "[Ee]", "\\s", "[[:upper:]]",
                     "\\w"}) +
               inner;
      case 5:
        return inner + pick({"\\d+", ".*?", ".", "[xyz]?", "[\\xe0-\\xe9]", "[^a]"});
      case 6:
        return "(?i:" + inner + ")";
      case 7:
        return pick({"^", "\\b", "\\A", "\\B", "(?m:^)", "(?:^| )"}) + inner;
      case 8:
        return inner + pick({"$", "\\b", "\\z", "\\B", "(?:$| )"});
      case 9:
        return "(?<n>" + inner + ")";
      case 10:
        return inner + "\\Q" + pick({"a.b", "e[", "mce", ""}) + "\\E";
      default:
        inner += pattern(depth - 1);
        return inner += word(true);
    }
  }

  std::string alternatives(std::string first, int depth, int more) {
    for (; more > 0; --more) first += "|" + pattern(depth - 1);
    return first;
  }

  std::string line() {
    std::string out;
    for (std::size_t n = below(9); n > 0; --n) {
      out += word(false);
      if (one_in(4)) out += std::to_string(below(30));
    }
    return out;
  }

  std::string block() {
    std::string out;
    const bool crlf = one_in(4);
    for (std::size_t n = below(12); n > 0; --n) {
      out += line();
      if (n > 1 || !one_in(3)) out += crlf ? "\r\n" : "\n";
    }
    return out;
  }

 private:
  template <std::size_t N>
  std::string pick(const std::string (&choices)[N]) {
    return choices[below(N)];
  }
  std::string pick(std::initializer_list<const char*> choices) {
    return choices.begin()[below(choices.size())];
  }

  std::mt19937_64 engine_;
};

std::vector<Spec> random_specs(Source& source) {
  std::vector<Spec> specs;
  const std::size_t count = 1 + source.below(12);
  while (specs.size() < count) {
    Spec spec{source.one_in(40) ? "" : source.pattern(static_cast<int>(1 + source.below(4)))};
    spec.options.case_sensitive = !source.one_in(4);
    // Two groups of one name, or a repetition of an empty one: RE2 or Regex refuse some of what is made up
    // here.
    if (Regex::compile(spec.pattern, spec.options).ok()) specs.push_back(spec);
  }
  return specs;
}

using Pair = std::tuple<std::size_t, std::uint32_t>;  // line begin, pattern

struct Line {
  std::size_t begin;
  std::string_view text;
};

std::vector<Line> lines_of(std::string_view block) {
  std::vector<Line> out;
  for (std::size_t begin = 0; begin < block.size();) {
    const std::size_t end = std::min(block.find('\n', begin), block.size());
    out.push_back({begin, block.substr(begin, end - begin)});
    begin = end + 1;
  }
  return out;
}

std::set<Pair> candidates_of(const PatternSet& set, std::string_view block) {
  PatternSet::Scratch scratch;
  std::vector<Hit> hits;
  set.scan(block, scratch, hits);
  REQUIRE(std::is_sorted(hits.begin(), hits.end()));
  std::set<Pair> out;
  for (const Hit& hit : hits) {
    REQUIRE(hit.line_end <= block.size());
    REQUIRE((hit.line_begin == 0 || block[hit.line_begin - 1] == '\n'));
    REQUIRE((hit.line_end == block.size() || block[hit.line_end] == '\n'));
    REQUIRE(out.emplace(hit.line_begin, hit.pattern).second);
  }
  return out;
}

}  // namespace

TEST_CASE("property: no match is lost, whichever scanner, whichever part of the line is looked at") {
  const std::uint64_t seed = first_seed();
  std::size_t matches = 0, candidates = 0, pairs = 0;
  for (std::uint64_t round = 0; round < effort(600); ++round) {
    INFO("CORRELATOR_SEED=" << seed << " round " << round);
    Source source(seed + round * 0x9e3779b97f4a7c15ull);
    const std::vector<Spec> specs = random_specs(source);
    const auto fast = PatternSet::build(specs);
    const auto scalar = PatternSet::build(specs, {.force_scalar = true});
    const auto tight = PatternSet::build(specs, {.force_scalar = true, .set_memory = 3000});
    REQUIRE(fast.ok());
    REQUIRE(scalar.ok());
    REQUIRE(tight.ok());
    const std::string block = source.block();
    const PatternSet tuned = fast->tuned_to(block);
    const std::set<Pair> found = candidates_of(*fast, block);
    REQUIRE(candidates_of(*scalar, block) == found);
    REQUIRE(candidates_of(*tight, block) == found);
    for (const auto scanner : {PatternSet::Scanner::avx2, PatternSet::Scanner::vectorscan}) {
      const auto other = PatternSet::build(specs, {.scanner = scanner});
      REQUIRE(candidates_of(*other, block) == found);
    }
    const std::set<Pair> found_tuned = candidates_of(tuned, block);
    candidates += found.size();
    PatternSet::Scratch scratch;
    std::vector<std::uint32_t> in_text;
    for (const Line& line : lines_of(block)) {
      // The message text is some part of the line.
      const std::size_t from = source.one_in(2) ? 0 : source.below(line.text.size() + 1);
      const std::size_t length =
          source.one_in(2) ? line.text.size() - from : source.below(line.text.size() - from + 1);
      const std::string_view part = line.text.substr(from, length);
      fast->scan_text(part, scratch, in_text);
      const std::set<std::uint32_t> text_hits(in_text.begin(), in_text.end());
      REQUIRE(text_hits.size() == in_text.size());
      for (std::uint32_t p = 0; p < fast->size(); ++p) {
        ++pairs;
        const Regex& regex = fast->regex(p);
        if (!regex.matches(part)) continue;
        ++matches;
        INFO("pattern " << regex.pattern() << " case " << regex.options().case_sensitive << " on '" << part
                        << "'");
        REQUIRE(found.contains({line.begin, p}));
        REQUIRE(found_tuned.contains({line.begin, p}));
        REQUIRE(text_hits.contains(p));
      }
    }
    const std::string decoded = source.line() + "\n" + source.line();
    fast->scan_text(decoded, scratch, in_text);
    for (std::uint32_t p = 0; p < fast->size(); ++p) {
      INFO("pattern " << fast->regex(p).pattern() << " on a decoded text");
      if (fast->regex(p).matches(decoded)) REQUIRE(std::count(in_text.begin(), in_text.end(), p) == 1);
    }
  }
  INFO("CORRELATOR_SEED=" << seed);
  CHECK(matches > effort(500));
  CHECK(candidates < pairs);
}

TEST_CASE("property: all scanners agree on literals of every length at every place of a block") {
  const std::uint64_t seed = first_seed();
  for (std::uint64_t round = 0; round < effort(250); ++round) {
    INFO("CORRELATOR_SEED=" << seed << " round " << round);
    Source source(seed ^ (round * 0x9e3779b97f4a7c15ull));
    std::vector<Spec> specs;
    const std::size_t shortest = 2 + source.below(9);
    for (std::size_t n = 1 + source.below(40); n > 0; --n) {
      std::string literal;
      for (std::size_t i = shortest + source.below(12); i > 0; --i)
        literal += static_cast<char>('w' + source.below(4));
      specs.push_back({literal});
    }
    std::string block;
    for (std::size_t n = source.below(300); n > 0; --n) {
      block += source.one_in(30) ? '\n' : static_cast<char>((source.one_in(2) ? 'w' : 'W') + source.below(4));
    }
    if (!specs.empty()) block += specs[source.below(specs.size())].pattern;
    const auto fast = PatternSet::build(specs);
    const auto scalar = PatternSet::build(specs, {.force_scalar = true});
    const auto narrow = PatternSet::build(specs, {.scanner = PatternSet::Scanner::avx2});
    const auto vectorscan = PatternSet::build(specs, {.scanner = PatternSet::Scanner::vectorscan});
    REQUIRE(fast.ok());
    REQUIRE(scalar.ok());
    const std::set<Pair> found = candidates_of(*fast, block);
    REQUIRE(candidates_of(*scalar, block) == found);
    REQUIRE(candidates_of(*narrow, block) == found);
    REQUIRE(candidates_of(*vectorscan, block) == found);
    for (const Line& line : lines_of(block)) {
      for (std::uint32_t p = 0; p < specs.size(); ++p) {
        if (fast->regex(p).matches(line.text)) REQUIRE(found.contains({line.begin, p}));
      }
    }
  }
}

namespace {

std::string some_of(std::string_view letters, std::size_t n, Source& source) {
  std::string out;
  for (; n > 0; --n) out += letters[source.below(letters.size())];
  return out;
}

}  // namespace

TEST_CASE("property: few literals in small blocks at every alignment, where Vectorscan alone loses some") {
  const std::uint64_t seed = first_seed();
  std::size_t found = 0;
  for (std::uint64_t round = 0; round < effort(300); ++round) {
    INFO("CORRELATOR_SEED=" << seed << " round " << round);
    Source source(seed + round * 0x9e3779b97f4a7c15ull + 1);
    const auto letters = [&](std::size_t n) { return some_of("abcdefghijklmnopqrstuvwxyz0123456789 :=/-", n, source); };
    std::vector<Spec> specs;
    for (std::size_t n = 2 + source.below(2); n > 0; --n)
      specs.push_back({"\\Q" + letters(3 + source.below(9)) + "\\E"});
    const auto fast = PatternSet::build(specs);
    const auto scalar = PatternSet::build(specs, {.force_scalar = true});
    const auto narrow = PatternSet::build(specs, {.scanner = PatternSet::Scanner::avx2});
    const auto vectorscan = PatternSet::build(specs, {.scanner = PatternSet::Scanner::vectorscan});
    REQUIRE(fast.ok());
    REQUIRE(scalar.ok());
    for (int i = 0; i < 100; ++i) {
      const std::string padding = letters(source.below(64));
      std::string text = padding + letters(200);
      const std::string& planted = specs[source.below(specs.size())].pattern;
      const std::string_view literal = std::string_view(planted).substr(2, planted.size() - 4);
      const std::size_t at = padding.size() + source.below(201 - literal.size());
      text.replace(at, literal.size(), literal);
      const std::string_view block = std::string_view(text).substr(padding.size());
      const std::set<Pair> expected = candidates_of(*scalar, block);
      REQUIRE(candidates_of(*fast, block) == expected);
      REQUIRE(candidates_of(*narrow, block) == expected);
      REQUIRE(candidates_of(*vectorscan, block) == expected);
      found += expected.size();
    }
  }
  CHECK(found >= effort(300) * 100);
}

TEST_CASE("property: all scanners agree on many literals, and on text that nearly holds them") {
  const std::uint64_t seed = first_seed();
  std::size_t found = 0;
  for (std::uint64_t round = 0; round < effort(40); ++round) {
    INFO("CORRELATOR_SEED=" << seed << " round " << round);
    Source source(seed + round * 0x9e3779b97f4a7c15ull + 2);
    const auto letters = [&](std::size_t n) { return some_of("abcdefghijklmnop 0123456789:=[", n, source); };
    // From few windows to so many that each filter of the wide scan is full.
    const std::size_t count = std::size_t{20} << source.below(9);
    const std::size_t shortest = source.one_in(3) ? 5 : 7;
    std::vector<std::string> literals;
    std::vector<Spec> specs;
    for (std::size_t n = count; n > 0; --n) {
      literals.push_back(letters(shortest + source.below(14)));
      specs.push_back({"\\Q" + literals.back() + "\\E"});
    }
    std::string block;
    std::set<Pair> expected;
    for (std::size_t lines = 300; lines > 0; --lines) {
      const auto pattern = static_cast<std::uint32_t>(source.below(literals.size()));
      std::string planted = literals[pattern];
      const bool spoiled = source.one_in(2);
      if (spoiled) planted[source.below(planted.size())] = '#';
      if (!spoiled) expected.emplace(block.size(), pattern);
      block += letters(source.below(40)) + planted + letters(source.below(40)) + "\n";
    }
    const auto fast = PatternSet::build(specs);
    REQUIRE(fast.ok());
    const std::set<Pair> of_fast = candidates_of(*fast, block);
    CHECK(std::includes(of_fast.begin(), of_fast.end(), expected.begin(), expected.end()));
    for (const auto scanner : {PatternSet::Scanner::scalar, PatternSet::Scanner::avx2, PatternSet::Scanner::vectorscan}) {
      REQUIRE(candidates_of(*PatternSet::build(specs, {.scanner = scanner}), block) == of_fast);
    }
    // All that is found is there: the folding of the filters never shows.
    for (const auto& [begin, pattern] : of_fast) {
      const std::size_t end = std::min(block.find('\n', begin), block.size());
      REQUIRE(block.substr(begin, end - begin).find(literals[pattern].substr(0, 32)) != std::string::npos);
    }
    found += of_fast.size();
  }
  CHECK(found >= effort(40) * 100);
}
