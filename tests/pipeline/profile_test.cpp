// SPDX-License-Identifier: Apache-2.0
// What patterns and rules cost: exact counts on a small log, whoever counted them, and none where nobody asks.
#include <map>
#include <sstream>

#include "piping.h"
#include "pipeline/profile.h"

using namespace correlator;
using namespace correlator::pipeline;
using namespace correlator::pipeline::test;

namespace {

// Beside kRules: a pattern whose scanned literal is in more lines than its other one, and one without any.
const char* const kMore = R"toml([[event]]
id = "twice"
class = "answer"
match = 'zyxwvuts (?P<part>\w+) of qponmlkjih'
[[event]]
id = "any"
class = "error"
match = '^(?P<part>[a-z]+) [0-9]+$'
)toml";

// 1 + 3 lines of "error" of two hosts, two that only look like it, answers, a repetition and a line in JSON.
std::string log() {
  std::string out;
  int minute = 0;
  const auto say = [&](const std::string& text) {
    out += "2026-01-01T00:" + std::string(minute < 10 ? "0" : "") + std::to_string(minute) + ":00Z h1 kernel: " + text + "\n";
    ++minute;
  };
  say("error D1");
  say("error D1");
  say("error D1");
  say("error !!");
  say("answer D1");
  say("zyxwvuts D1 of qponmlkjih");
  say("zyxwvuts D1 of nothing");
  say("nothing D1 of qponmlkjih");
  say("words 12");
  say("error D2");
  say("last message repeated 2 times");
  out += R"({"timereported":"2026-01-01T00:30:00Z","timegenerated":"2026-01-01T00:30:00Z","hostname":"h1","inputname":"imklog",)"
         R"("programname":"kernel","syslogfacility-text":"kern","syslogtag":"kernel:","msg":"answ\u0065r D1"})"
         "\n";
  return out;
}

// "error 5 4 4": found, tried, matched of an event's pattern.
std::string counts(const Run& run, const std::string& rules) {
  const auto set = load_rules(rules);
  std::ostringstream out;
  for (std::size_t i = 0; i < set->patterns.size(); ++i) {
    const pattern::PatternCost& cost = run.result.profile->patterns.of[i];
    out << set->events[set->patterns[i].event].id << ' ' << cost.found << ' ' << cost.tried << ' ' << cost.matched << '\n';
  }
  for (std::size_t i = 0; i < set->rules.size(); ++i) {
    const RuleCost& cost = run.result.profile->rules[i];
    out << set->rules[i].id << ' ' << cost.events << " events " << cost.decisions << " decisions\n";
  }
  return out.str();
}

}  // namespace

TEST_CASE("a profile counts what was found, tried, matched and decided, the same for any number of threads") {
  const testing::TempDir dir;
  dir.write("log", log());
  const std::string rules = std::string(kRules) + kMore;
  const std::vector<std::string> logs = {(dir.path() / "log").string()};
  const Run plain = replay_files(rules, logs);
  CHECK_FALSE(plain.result.profile.has_value());
  for (const unsigned threads : {1U, 2U, 4U}) {
    for (const std::size_t block : {100, 1 << 18}) {
      INFO(threads << " threads, blocks of " << block);
      ReplayOptions options;
      options.profile = true;
      options.threads = threads;
      options.stream.block_size = block;
      const Run run = replay_files(rules, logs, {}, options);
      CHECK(run.ids == plain.ids);
      REQUIRE(run.result.profile.has_value());
      // The repeated line and the one in JSON are tried once more.
      CHECK(counts(run, rules) ==
            "error 5 6 5\n"
            "answer 2 3 2\n"
            "twice 2 1 1\n"
            "any 0 2 1\n"
            "three 6 events 2 decisions\n"
            "silent 9 events 1 decisions\n");
      const Profile& profile = *run.result.profile;
      std::int64_t in_rules = 0;
      for (const RuleCost& cost : profile.rules) {
        CHECK(cost.ns > 0);
        in_rules += cost.ns;
      }
      CHECK(profile.decoding_ns > 0);
      CHECK(profile.engine_ns > in_rules + profile.decoding_ns);
      CHECK(profile.patterns.scan_ns > 0);
      CHECK(profile.patterns.unfiltered_ns > 0);
      // All of it is that of the one pattern without a literal, and not of the others.
      const std::vector<std::int64_t> shares = profile.patterns.unfiltered_shares();
      for (std::size_t i = 0; i < load_rules(rules)->patterns.size(); ++i) {
        const bool any = profile.matcher->patterns().literals(static_cast<std::uint32_t>(i)).any_of.empty();
        CHECK(shares[i] == (any ? profile.patterns.unfiltered_ns : 0));
      }
      for (std::uint32_t i = 0; i < profile.matcher->rules()->patterns.size(); ++i) CHECK(profile.patterns.of[i].ns > 0);
    }
  }
}
