// SPDX-License-Identifier: Apache-2.0
#include "pattern/pattern_set.h"

#include <string>
#include <thread>
#include <vector>

#include "catch.h"

using namespace correlator;
using namespace correlator::pattern;
using namespace std::string_view_literals;

namespace {

PatternSet make(std::vector<std::string> patterns, PatternSet::Options options = {}) {
  std::vector<Spec> specs;
  for (std::string& pattern : patterns) specs.push_back({std::move(pattern)});
  auto set = PatternSet::build(specs, options);
  REQUIRE(set.ok());
  return std::move(set).value();
}

// "pattern@line text" per hit, in order.
std::vector<std::string> scan(const PatternSet& set, std::string_view block) {
  PatternSet::Scratch scratch;
  std::vector<Hit> hits;
  set.scan(block, scratch, hits);
  std::vector<std::string> out;
  for (const Hit& hit : hits) {
    out.push_back(std::to_string(hit.pattern) + "@" +
                  std::string(block.substr(hit.line_begin, hit.line_end - hit.line_begin)));
  }
  return out;
}

using Hits = std::vector<std::string>;

}  // namespace

TEST_CASE("hits are lines, in order, once") {
  for (const bool scalar : {false, true}) {
    const PatternSet set = make({"Hardware Error", "EDAC MC\\d", "x(?i)eDaC"}, {.force_scalar = scalar});
    CHECK(std::string(set.scanner()) == (scalar ? "scalar" : set.scanner()));
    CHECK_FALSE(set.has_unfiltered());
    CHECK(scan(set, "").empty());
    CHECK(scan(set, "\n\n").empty());
    CHECK(scan(set, "a\nEDAC MC0 EDAC MC1 Hardware Error Hardware Error\r\n\nhardware error") ==
          Hits{"0@EDAC MC0 EDAC MC1 Hardware Error Hardware Error\r",
               "1@EDAC MC0 EDAC MC1 Hardware Error Hardware Error\r", "0@hardware error"});
    CHECK(scan(set, "Hardware\nError\nEDAC MC") == Hits{"1@EDAC MC"});
    CHECK(scan(set, "\0XEDAC\0\nx\xff"sv) == Hits{std::string("2@\0XEDAC\0", 9)});
  }
}

TEST_CASE("an anchor or a word boundary of the message is not held against the line") {
  for (const bool scalar : {false, true}) {
    const PatternSet set = make({"^EDAC", "\\bmce$", "^\\d+$", "\\B\\d\\d:"}, {.force_scalar = scalar});
    CHECK(scan(set, "host kernel: EDAC").size() == 1);
    CHECK(scan(set, "{\"msg\":\"xmce\"}") == Hits{"1@{\"msg\":\"xmce\"}"});
    CHECK(set.has_unfiltered());
    CHECK(scan(set, "a 7 b") == Hits{"2@a 7 b"});
    CHECK(scan(set, "a 77: b") == Hits{"2@a 77: b", "3@a 77: b"});
  }
}

TEST_CASE("a second required literal is looked for before a line becomes a candidate") {
  const PatternSet set = make({"EDAC MC\\d+: \\d+ CE .* page:0x"});
  const PatternLiterals& literals = set.literals(0);
  REQUIRE(literals.any_of.size() == 1);
  CHECK_FALSE(literals.required.empty());
  CHECK_FALSE(literals.chatty());
  CHECK(scan(set, "x EDAC MC\nx page:0x\nEDAC MC0: 1 CE on D1 PAGE:0X").size() == 1);
}

TEST_CASE("literals: the rarest, several for an alternation, none") {
  const PatternSet set = make({"kernel: .*AER: Corrected", "(?:Uncorrected|Fatal) hardware", "foobar|quuxly",
                               "a|b", "", "session opened for user"});
  CHECK(set.literals(0).any_of == std::vector<std::string>{"aer: corrected"});
  CHECK(set.literals(2).any_of == std::vector<std::string>{"foobar", "quuxly"});
  CHECK(set.literals(3).any_of.empty());
  CHECK(set.literals(3).per_line == 1.0);
  CHECK(set.literals(3).chatty());
  CHECK(set.literals(4).any_of.empty());
  CHECK(set.literals(5).chatty());
  CHECK(set.has_unfiltered());
}

TEST_CASE("short literals have a pass of their own in the scalar scanner") {
  for (const bool scalar : {false, true}) {
    const PatternSet set = make({"zq", "mce", "MCE:", "qqqqqqq"}, {.force_scalar = scalar});
    CHECK(scan(set, "zq") == Hits{"0@zq"});
    CHECK(scan(set, "MCE") == Hits{"1@MCE"});
    CHECK(scan(set, "a\nxmcE:") == Hits{"1@xmcE:", "2@xmcE:"});
    CHECK(scan(set, "z\nq\nmc\ne\nqqqqqq\nq").empty());
  }
}

TEST_CASE("a decoded text may hold newlines") {
  for (const bool scalar : {false, true}) {
    const PatternSet set = make({"first\\nsecond", "[0-9]\\n[0-9]", "second$"}, {.force_scalar = scalar});
    PatternSet::Scratch scratch;
    std::vector<std::uint32_t> patterns = {9};
    set.scan_text("a first\nsecond", scratch, patterns);
    CHECK(patterns == std::vector<std::uint32_t>{0, 2});
    set.scan_text("1\n2", scratch, patterns);
    CHECK(patterns == std::vector<std::uint32_t>{1});
    set.scan_text("", scratch, patterns);
    CHECK(patterns.empty());
  }
}

TEST_CASE("L19: an RE2::Set that does not compile or runs out of memory loses nothing and is counted") {
  const std::vector<std::string> patterns = {"[a-f][0-9]{1,30}[^x]*[g-m]", "[0-9a-f]{2}.{0,40}[xyz]$",
                                             "^[k-z]+$"};
  const std::string block = "a12 h\nff then z\nzzz\n\nq\nb9 and more g 77 y";
  const PatternSet roomy = make(patterns);
  CHECK(roomy.has_unfiltered());
  const Hits expected = scan(roomy, block);
  CHECK(expected.size() >= 4);
  CHECK(roomy.stats().set_fallbacks == 0);
  for (const std::int64_t memory :
       {std::int64_t{1}, std::int64_t{2000}, std::int64_t{20000}, std::int64_t{60000}}) {
    const PatternSet tight = make(patterns, {.force_scalar = false, .set_memory = memory});
    CHECK(scan(tight, block) == expected);
    if (memory <= 2000) CHECK(tight.stats().set_fallbacks == 6);
  }
}

TEST_CASE("the first pattern that does not compile is the error") {
  const auto set = PatternSet::build({{"fine"}, {"(?=x)"}, {"("}});
  REQUIRE_FALSE(set.ok());
  CHECK(set.error().code == "E111");
}

TEST_CASE("no patterns at all") {
  const PatternSet set = make({});
  CHECK(set.size() == 0);
  CHECK(scan(set, "a\nb").empty());
}

TEST_CASE("a literal that turns out chatty is picked anew") {
  const PatternSet set = make({"flurbish: .* wobbling"});
  CHECK(set.literals(0).any_of.size() == 1);
  std::string sample;
  for (int i = 0; i < 100; ++i) sample += "host flurbish: all is well\n";
  const PatternSet tuned = set.tuned_to(sample);
  CHECK(tuned.literals(0).any_of == std::vector<std::string>{" wobbling"});
  std::string other;
  for (int i = 0; i < 100; ++i) other += "host is wobbling\n";
  CHECK(set.tuned_to(other).literals(0).any_of == std::vector<std::string>{"flurbish: "});
  CHECK(scan(tuned, "flurbish:  wobbling\nflurbish:").size() == 1);
  CHECK(tuned.regex(0).pattern() == "flurbish: .* wobbling");
}

TEST_CASE("tuning ends for literals that begin or end with a newline") {
  const PatternSet set = make({"\\nabcde[0-9]", "abcde[0-9]\\n", "\\n\\n\\n\\n\\n\\n[0-9]"});
  const PatternSet tuned = set.tuned_to("x\nabcde1\n\nabcde2\nabcde\n\n\n\n\n\n\n\n");
  CHECK(tuned.size() == 3);
  CHECK(set.tuned_to("").size() == 3);
}

TEST_CASE("what was tried and what matched is counted") {
  const PatternSet set = make({"EDAC (MC\\d)", "panic"});
  CHECK(scan(set, "EDAC MCx\nEDAC MC1\npanic").size() == 3);
  std::vector<std::string_view> groups;
  CHECK_FALSE(set.match(0, "EDAC MCx", groups));
  REQUIRE(set.match(0, "EDAC MC1", groups));
  CHECK(groups[1] == "MC1");
  CHECK(set.candidates(0) == 2);
  CHECK(set.confirmed(0) == 1);
  CHECK(set.stats().candidates == 3);
  CHECK(set.stats().confirmed == 1);
  CHECK(set.stats().scan_fallbacks == 0);
}

TEST_CASE("a scratch that has seen four gigabytes misses nothing") {
  const PatternSet set = make({"literal.*required"});
  // A 32nd of what 32 bits can tell apart: unless something is done about it, the 33rd time looks like the first.
  const std::string line = "a literal, required\n";
  const std::string blank((std::size_t{1} << 27) - 1, '\n');
  const std::string block = blank.substr(line.size()) + line;
  PatternSet::Scratch scratch;
  std::vector<Hit> hits;
  for (int i = 0; i <= 32; ++i) {
    const bool there = i % 32 == 0;
    set.scan(there ? block : blank, scratch, hits);
    CHECK(hits.size() == (there ? 1 : 0));
  }
}

TEST_CASE("one scratch serves several sets, several threads one set") {
  const PatternSet small = make({"panic"});
  std::vector<std::string> many;
  for (int i = 0; i < 500; ++i) many.push_back("needle" + std::to_string(i) + "x");
  many.push_back("[0-9][a-z]");
  const PatternSet large = make(many);
  std::vector<std::thread> threads;
  std::vector<int> bad(4, 0);
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      PatternSet::Scratch scratch;
      std::vector<Hit> hits;
      for (int i = 0; i < 50; ++i) {
        small.scan("x\npanic\n", scratch, hits);
        bad[t] += hits.size() != 1;
        large.scan("needle7x\n1\nneedle499x", scratch, hits);
        bad[t] += hits.size() != 4;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  CHECK(bad == std::vector<int>(4, 0));
}
