// SPDX-License-Identifier: Apache-2.0
#include "diagnosing.h"

namespace correlator::engine::test {
namespace {

constexpr std::string_view kThree = R"toml(
[[rule]]
id    = "r"
on    = "a"
count = "3 in 1h"
)toml";

TEST_CASE("L4: count fires on the Nth, once, and says so in words") {
  Diagnosing d(kThree);
  CHECK(d.say(s(0), "a") == kNone);
  CHECK(d.say(m(1), "a") == kNone);
  CHECK(d.say(m(2), "a") == Shown{"+2m r host=h1"});
  REQUIRE(d.out().decisions.size() == 1);
  const Decision& decision = d.out().decisions[0];
  CHECK(decision.why ==
        "3 a of 3 in 1h for host=h1: the first at 2026-01-01T00:00:00Z, the third at 2026-01-01T00:02:00Z; 3 "
        "lines");
  CHECK(decision.trust == Trust::vouched);
  CHECK(decision.evidence.size() == 3);
  CHECK(decision.evidence_total == 3);
  CHECK(decision.evidence[0].line_number == 1);
  CHECK(decision.id.size() == 32);
  CHECK(decision.step == 0);
  CHECK(d.cases() == Shown{"open r +2m"});
  CHECK(d.say(m(3), "a") == kNone);  // latched
  CHECK(d.engine().open_cases() == 1);
}

TEST_CASE("count: the second before, at and after D") {
  for (const auto& [last, fires] :
       {std::pair{h(1) - s(1), true}, {h(1) - Duration{1}, true}, {h(1), false}, {h(1) + s(1), false}}) {
    Diagnosing d(kThree);
    d.say(s(0), "a");
    d.say(s(1), "a", "h2");  // another key
    d.say(m(1), "a");
    INFO(to_string(last));
    CHECK(d.say(last, "a").size() == (fires ? 1 : 0));
  }
}

TEST_CASE("count: weights, ties and late lines") {
  Diagnosing d(kThree);
  CHECK(d.say(s(5), "a n=2") == kNone);
  CHECK(d.say(s(5), "a") == Shown{"+5s r host=h1"});
  Diagnosing whole(kThree);
  CHECK(whole.say(s(5), "a n=7") == Shown{"+5s r host=h1"});
  CHECK(whole.out().decisions[0].why == "7 a of 3 in 1h for host=h1: all at 2026-01-01T00:00:05Z; 1 line");
  // A line that comes late counts at its own time, if it is not too late.
  Diagnosing late(kThree);
  late.say(h(0), "a");
  late.say(h(30), "a", "h2");
  CHECK(late.say(h(6) + Duration{1}, "a") == kNone);
  CHECK(late.say(h(6) + s(1), "a n=2") == Shown{"+6h1s r host=h1"});
  CHECK(late.say(h(6), "a n=9", "h3") == kNone);
  CHECK(late.engine().counters().late == 1);
}

TEST_CASE("L12: order inside disorder opens the same cases") {
  const std::vector<Duration> times = {s(0), s(2), s(4)};
  std::vector<int> order = {0, 1, 2};
  do {
    Diagnosing d(kThree);
    std::size_t fired = 0;
    for (const int i : order) fired += d.say(times[static_cast<std::size_t>(i)], "a").size();
    CHECK(fired == 1);
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST_CASE("the default clear: quiet for as long as the window") {
  Diagnosing d(kThree);
  for (int i = 0; i < 3; ++i) d.say(m(i), "a");
  // One more keeps it open: exactly 1 h after that belongs to the next round.
  d.say(m(30), "a");
  CHECK(d.mark(h(1) + m(2) + s(6)) == kNone);
  CHECK(d.engine().open_cases() == 1);
  d.mark(h(1) + m(30) + s(5) - Duration{1});
  CHECK(d.engine().open_cases() == 1);
  d.mark(h(1) + m(30) + s(5));
  CHECK(d.engine().open_cases() == 0);
  CHECK(d.cases() == Shown{"close r +1h30m"});
  CHECK(d.engine().live_windows() == 0);  // a key with nothing in it is forgotten
}

TEST_CASE("pairs from the deadline on begin the next round, and fire at once if they reach N") {
  Diagnosing d(kThree);
  for (int i = 0; i < 3; ++i) d.say(m(i), "a");
  CHECK(d.say(h(1) + m(2), "a n=5") == kNone);  // not in (p, p + Q), still inside disorder of the timer
  CHECK(d.mark(h(1) + m(2) + s(5)) == Shown{"+1h2m r host=h1"});
  CHECK(d.cases() == Shown{"close r +1h2m", "open r +1h2m"});
  CHECK(d.out().decisions[0].evidence.size() == 1);
}

TEST_CASE("quiet for less than the gaps between what was counted") {
  Diagnosing d(std::string(kThree) + "clear = { quiet_for = \"1m\" }\n");
  d.say(s(0), "a");
  d.say(m(20), "a");
  CHECK(d.say(m(40), "a").size() == 1);
  d.mark(m(41) + s(4));
  CHECK(d.engine().open_cases() == 1);
  d.mark(m(41) + s(5));
  CHECK(d.cases() == Shown{"close r +41m"});
}

TEST_CASE("a late line completes an interval: its end counts for the clear") {
  Diagnosing d(kThree);
  d.say(s(10), "a");
  d.say(s(12), "a");
  CHECK(d.say(s(8), "a") == Shown{"+8s r host=h1"});
  d.mark(h(1) + s(16));
  CHECK(d.engine().open_cases() == 1);
  d.mark(h(1) + s(17));
  CHECK(d.cases() == Shown{"close r +1h12s"});
}

TEST_CASE("rate clears below its own rate") {
  Diagnosing d(R"toml(
[[rule]]
id   = "r"
on   = "a"
rate = { raise = "4 in 10s", clear = "2 in 10s" }
)toml");
  for (int i = 0; i < 3; ++i) CHECK(d.say(s(i), "a") == kNone);
  CHECK(d.say(s(3), "a") == Shown{"+3s r host=h1"});
  d.say(s(9), "a");   // two in (3 - 10 … 13): at x = 12 there are 3 s and 9 s
  d.say(s(12), "a");  // at x = 13 there are 9 s and 12 s
  d.mark(s(40));
  // Candidates: 10 s (1 2 3 9 in it), 11, 12, 13 (9, 12), 19 (12 alone).
  CHECK(d.cases() == Shown{"close r +19s"});
}

TEST_CASE("rearm at once: every N") {
  Diagnosing d(R"toml(
[[rule]]
id    = "r"
on    = "a"
count = { threshold = "2 in 1h", rearm = "at-once" }
)toml");
  Shown all;
  for (int i = 0; i < 6; ++i) {
    for (const auto& line : d.say(s(i), "a")) all.push_back(line);
  }
  CHECK(all == Shown{"+1s r host=h1", "+3s r host=h1", "+5s r host=h1"});
  CHECK(d.engine().open_cases() == 0);
}

TEST_CASE("tumbling: buckets from 1970 on, one case a bucket") {
  Diagnosing d(R"toml(
[[rule]]
id    = "r"
on    = "a"
count = { threshold = "3 in 1h", window = "tumbling" }
)toml");
  d.say(m(58), "a");
  d.say(m(59), "a");
  CHECK(d.say(h(1), "a") == kNone);  // the next bucket
  CHECK(d.say(m(59), "a") == kNone);
  CHECK(d.engine().counters().late == 1);
  d.say(h(1) + m(1), "a");
  CHECK(d.say(h(1) + m(2), "a") == Shown{"+1h2m r host=h1"});
  CHECK(d.say(h(1) + m(3), "a") == kNone);
  d.mark(h(2) + s(5));
  CHECK(d.cases() == Shown{"close r +2h"});
  CHECK(d.say(h(1) + m(59), "a") == kNone);  // of the bucket that fired already
  d.say(h(2) + m(1), "a n=2");
  CHECK(d.say(h(2) + m(1), "a") == Shown{"+2h1m r host=h1"});
}

TEST_CASE("weight of a rule, where and let") {
  Diagnosing d(R"toml(
[[rule]]
id    = "r"
on    = "a"
let   = { half = "(v ?? 0) / 2" }
where = "half > 1"
count = { threshold = "5 in 1h", weight = "half ?? 0" }
)toml");
  CHECK(d.say(s(0), "a v=2") == kNone);
  CHECK(d.say(s(1), "a v=6") == kNone);
  CHECK(d.say(s(2), "a v=4") == Shown{"+2s r host=h1"});
}

TEST_CASE("a list-valued key: one window for each element, one case") {
  Diagnosing d(R"toml(
[[rule]]
id    = "r"
on    = "a"
key   = ["host", "list ?? []"]
count = "2 in 1h"
)toml");
  CHECK(d.say(s(0), "a list=p,q") == kNone);
  CHECK(d.engine().live_windows() == 2);
  CHECK(d.say(s(1), "a list=q,r") == Shown{"+1s r host=h1 list=q,r"});
  CHECK(d.engine().open_cases() == 1);
  CHECK(d.say(s(2), "a list=r") == kNone);  // latched with it
  CHECK(d.say(s(3), "a list=p") == Shown{"+3s r host=h1 list=p"});
  CHECK(d.say(s(4), "a") == kNone);
  CHECK(d.engine().counters().keyless == 1);
  d.mark(h(1) + s(7));
  CHECK(d.engine().open_cases() == 1);  // p at 3 s; q and r were quiet from 2 s on
  d.mark(h(1) + s(8));
  CHECK(d.engine().open_cases() == 0);
}

TEST_CASE("evidence: the first 4 and the last 12 lines, the total said") {
  Diagnosing d(R"toml(
[[rule]]
id    = "r"
on    = "a"
count = "40 in 1h"
)toml");
  for (int i = 0; i < 39; ++i) CHECK(d.say(s(i), "a") == kNone);
  REQUIRE(d.say(s(39), "a").size() == 1);
  const Decision& decision = d.out().decisions[0];
  REQUIRE(decision.evidence.size() == 16);
  CHECK(decision.evidence_total == 40);
  std::vector<std::uint64_t> lines;
  for (const EvidenceLine& line : decision.evidence) lines.push_back(line.line_number);
  CHECK(lines == std::vector<std::uint64_t>{1, 2, 3, 4, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40});
}

TEST_CASE("trust is the lowest of the evidence") {
  Diagnosing d(kThree);
  d.say(s(0), "a");
  d.say(s(1), "a", "h1", syslog::Origin::claimed_kernel);
  d.say(s(2), "a");
  REQUIRE(d.out().decisions.size() == 1);
  CHECK(d.out().decisions[0].trust == Trust::claimed);
}

TEST_CASE("L24: the number of keys is bounded: untrusted ones go first, then the oldest; counted") {
  Diagnosing d(R"toml(
[[rule]]
id    = "r"
on    = "a"
key   = ["k ?? ''"]
count = "2 in 1h"
max_keys = 3
)toml");
  d.say(s(0), "a k=old");
  d.say(s(1), "a k=nobody", "h1", syslog::Origin::program);
  d.say(s(2), "a k=new");
  d.say(s(3), "a k=more");
  CHECK(d.engine().live_windows() == 3);
  CHECK(d.engine().counters().evicted == 1);
  CHECK(d.say(s(4), "a k=old") == Shown{"+4s r k=old"});
  d.say(s(5), "a k=last");  // `new` is the oldest without a case
  CHECK(d.say(s(6), "a k=more") == Shown{"+6s r k=more"});
}

TEST_CASE("keys that no line can complete any more are forgotten") {
  Diagnosing d(kThree);
  d.say(s(0), "a");
  d.mark(h(25) + s(4));
  CHECK(d.engine().live_windows() == 1);
  d.mark(h(25) + s(5));
  CHECK(d.engine().live_windows() == 0);
}

}  // namespace
}  // namespace correlator::engine::test
