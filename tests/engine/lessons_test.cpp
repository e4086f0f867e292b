// SPDX-License-Identifier: Apache-2.0
// Failures of comparable tools (tests/LESSONS.md) that the engine alone can show and that no other file here does.
#include <ctime>

#include "diagnosing.h"

namespace correlator::engine::test {
namespace {

TEST_CASE("L16: what is held stays held over a restart, and nothing is sent again by it") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
on = "a"
unless = { on = "b", after = "5m" }
clear = "manual"
)toml");
  Rows rows;
  d.say(s(0), "b");
  CHECK(d.say(m(1), "a") == Shown{"+1m r host=h1 held: unless b"});
  for (int i = 2; i < 5; ++i) {
    d.save(rows);
    d.restart(rows);
    CHECK(d.mark(m(i)) == kNone);
  }
  CHECK(d.mark(m(5) + s(5)) == Shown{"+5m r host=h1"});
  d.save(rows);
  d.restart(rows);
  CHECK(d.mark(h(1)) == kNone);
}

// Milliseconds of this thread's CPU for `lines` lines of another host, with so many chains, windows and contexts open.
double cost(int open, int lines) {
  Diagnosing d(R"toml(
[[rule]]
id = "chain"
key = ["k ?? ''"]
sequence = { within = "24h", steps = ["a", "b"] }
[[rule]]
id = "count"
on = "a"
key = ["k ?? ''"]
count = "3 in 24h"
[[rule]]
id = "context"
on = "a"
set = { name = "seen", key = ["k ?? ''"], for = "24h" }
[[rule]]
id = "other"
on = "c"
count = "1000 in 24h"
)toml");
  for (int i = 0; i < open; ++i) d.say(s(i / 100), "a k=" + std::to_string(i));
  const auto now = [] {
    timespec t{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
  };
  const double begin = now();
  for (int i = 0; i < lines; ++i) d.say(s(100) + Duration{i}, "c");
  return now() - begin;
}

TEST_CASE("L20: 5,000 open chains, windows and contexts cost a line that meets none of them nothing") {
  double few = 1e9, many = 1e9;
  for (int i = 0; i < 3; ++i) {
    few = std::min(few, cost(5, 400));
    many = std::min(many, cost(5'000, 400));
  }
  INFO("ms for 400 lines: " << few << " with 5 open, " << many << " with 5,000 open");
  CHECK(many < 4 * few);  // a look at each open one would be a hundred times more
}

TEST_CASE("L23: whatever the operation, a decision says in words why it fired") {
  struct Case {
    std::string rule;
    std::vector<std::string> lines;
    std::string says;
  };
  const std::vector<Case> cases = {
      {"on = \"a\"\n", {"a"}, "a"},
      {"on = \"a\"\ncount = \"2 in 24h\"\n", {"a", "a"}, "2 a of 2 in 1d"},
      {"on = \"a\"\nrate = { raise = \"2 in 10m\", clear = \"1 in 10m\" }\n", {"a", "a"}, "2 a of 2 in 10m"},
      {"on = \"a\"\nkey = [\"host\"]\ndistinct = \"2 k ?? '' in 1h\"\n", {"a k=1", "a k=2"}, "2"},
      {"on = \"a\"\nstreak = 2\nbroken_by = \"b\"\n", {"a", "a"}, "2"},
      {"key = [\"host\"]\nsequence = { within = \"1m\", steps = [\"a\", \"b\"] }\n", {"a", "b"}, "1m"},
      {"key = [\"host\"]\ngroup = { within = \"1m\", of = [{ on = \"a\", count = 2 }, { on = \"b\" }] }\n",
       {"a", "b", "a"}, "1m"},
      {"on = \"a\"\nlevel = { of = \"v ?? 0\", above = 6 }\n", {"a v=7"}, "7"},
  };
  for (const Case& c : cases) {
    INFO(c.rule);
    Diagnosing d("[[rule]]\nid = \"r\"\n" + c.rule);
    std::string why;
    for (std::size_t i = 0; i < c.lines.size(); ++i) {
      d.say(s(static_cast<std::int64_t>(i)), c.lines[i]);
      if (!d.out().decisions.empty()) why = d.out().decisions[0].why;
    }
    INFO(why);
    CHECK(why.find(c.says) != std::string::npos);
    CHECK(why.find("host=h1") != std::string::npos);
    CHECK(why.find("2026-01-01T00:00:0") != std::string::npos);
  }
}

TEST_CASE("L34: a pattern mended at night keeps the day's counts") {
  const auto rules = [](std::string_view match) {
    return "[class.e]\nkey = [\"host\"]\n[[event]]\nid = \"e\"\nclass = \"e\"\nmatch = '" + std::string(match) +
           "'\n[[rule]]\nid = \"r\"\non = \"e\"\ncount = \"5 in 24h\"\n";
  };
  Diagnosing d(rules("^broken: (?P<what>\\d+)$"));
  Rows rows;
  for (int i = 0; i < 4; ++i) CHECK(d.say(h(i), "broken: 7") == kNone);
  d.reload(rules("^broken: (?P<what>[0-9a-f]+)$"));
  d.save(rows);
  d.restart(rows);
  CHECK(d.say(h(4), "broken: ff") == Shown{"+4h r host=h1"});
  CHECK(d.out().decisions[0].evidence.size() == 5);
}

}  // namespace
}  // namespace correlator::engine::test
