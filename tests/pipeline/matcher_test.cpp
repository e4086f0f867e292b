// SPDX-License-Identifier: Apache-2.0
// Of each event the first pattern that matches counts; nobody asks what the ones behind it would say, on either way in.
#include "pipeline/matcher.h"

#include "piping.h"
#include "syslog/parser.h"

using namespace correlator;
using namespace correlator::pipeline;
using namespace correlator::pipeline::test;

namespace {

const char* const kThree = R"toml(format = 1
[class.hit]
key = ["host"]
[[event]]
id    = "first"
class = "hit"
match = ['alarm one (?P<what>\w+)', 'alarm \w+ (?P<what>\w+)', 'alarm .*(?P<what>end)']
[[event]]
id    = "second"
class = "hit"
match = 'alarm (?P<what>\w+)'
)toml";

std::vector<std::uint32_t> ids(const std::vector<engine::PatternMatch>& matches) {
  std::vector<std::uint32_t> out;
  for (const engine::PatternMatch& match : matches) out.push_back(match.pattern);
  return out;
}

}  // namespace

TEST_CASE("an event's patterns behind the first that matches are not tried, another event's are") {
  const auto rules = load_rules(kThree);
  const auto matcher = Matcher::build(rules);
  REQUIRE(matcher);
  struct Row {
    const char* text;
    std::vector<std::uint32_t> matched;  // by number in the file
  };
  for (const Row& row : {Row{"alarm one x end", {0, 3}}, Row{"alarm two x end", {1, 3}}, Row{"alarm !, end", {2}}, Row{"alarm one", {3}}}) {
    INFO(row.text);
    syslog::Parser parser;
    syslog::Message message;
    const std::string line = std::string("2026-01-01T00:00:00Z h1 prog: ") + row.text;
    REQUIRE(parser.parse(line, message));
    const std::vector<std::uint32_t> all = {0, 1, 2, 3};
    std::vector<engine::PatternMatch> live;
    matcher->match(message, all, live);
    CHECK(ids(live) == row.matched);

    Matcher::Scratch scratch;
    std::vector<Candidate> candidates = {{syslog::Frame{.bytes = line}, all, {}}};
    matcher->confirm(scratch, candidates);
    REQUIRE(candidates.size() == 1);
    CHECK(candidates[0].patterns == row.matched);
    CHECK(ids(candidates[0].matches) == row.matched);
  }
}
