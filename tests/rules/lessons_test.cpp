// SPDX-License-Identifier: Apache-2.0
// Failures of comparable tools (tests/LESSONS.md) that reading rule files can show.
#include "catch.h"
#include "load.h"

namespace correlator::rules {
namespace {

std::vector<std::string> codes(std::string_view text) {
  std::vector<std::string> out;
  for (const Diagnostic& d : test::load_text(text).diagnostics) {
    if (d.gravity == Gravity::error) out.push_back(d.code);
  }
  return out;
}

TEST_CASE("L5: a key that cannot take effect is an error, not a silent nothing") {
  using Codes = std::vector<std::string>;
  const std::string head = "format = 1\n[[rule]]\nid = \"r\"\non = \"memory.corrected\"\n";
  CHECK(codes(head) == Codes{});
  CHECK(codes(head + "broken_by = \"memory.uncorrected\"\n") == Codes{"E007"});
  CHECK(codes(head + "count = \"3 in 1h\"\ncooldown = \"5m\"\n") == Codes{"E007"});
  CHECK(codes(head + "then = [{ do = \"crm-standby\", at_most = 3 }]\n") == Codes{"E007"});
}

TEST_CASE("L8: two rules of one id are an error, and state is bound to the id") {
  const std::string rule = "[[rule]]\nid = \"r\"\non = \"memory.corrected\"\ncount = \"3 in 1h\"\n";
  CHECK(codes("format = 1\n" + rule + rule) == std::vector<std::string>{"E006"});
  // Also over files.
  const Loaded two = load({{"base.toml", std::string(test::kBase)}, {"a.toml", "format = 1\n" + rule}, {"b.toml", "format = 1\n" + rule}});
  CHECK_FALSE(two.rules);
  CHECK(test::errors(two).find("[E006]") != std::string::npos);
}

TEST_CASE("L17: a typo in a key is an error, and all errors come in one run") {
  CHECK(codes("format = 1\n[[rule]]\nid = \"r\"\non = \"memory.corrected\"\ncuont = \"3 in 1h\"\n"
              "[[rule]]\nid = \"q\"\non = \"memory.corected\"\ncooldwon = \"5m\"\n") ==
        std::vector<std::string>{"E003", "E011", "E003"});
}

TEST_CASE("L18: a pattern keeps its ` #`, and a key that stands twice is refused") {
  const Loaded loaded = test::load_text(
      "format = 1\n[[event]]\nid = \"e\"\nclass = \"probe.ok\"\nmatch = 'CPU #(?P<cpu>\\d+) # done'  # a comment\n");
  INFO(test::errors(loaded));
  REQUIRE(loaded.rules);
  REQUIRE(loaded.rules->patterns.size() == 1);
  std::vector<std::string_view> groups;
  CHECK(loaded.rules->patterns[0].compiled->match("CPU #17 # done", groups));
  CHECK_FALSE(loaded.rules->patterns[0].compiled->match("CPU #17", groups));
  CHECK(codes("format = 1\n[[rule]]\nid = \"r\"\non = \"memory.corrected\"\nid = \"q\"\n") == std::vector<std::string>{"E001"});
}

}  // namespace
}  // namespace correlator::rules
