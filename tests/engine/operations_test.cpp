// SPDX-License-Identifier: Apache-2.0
#include "diagnosing.h"

namespace correlator::engine::test {
namespace {

TEST_CASE("each: every event decides; cooldown counts what it swallows") {
  Diagnosing d(R"toml(
[[rule]]
id = "plain"
on = "a"
[[rule]]
id = "cool"
on = "a"
cooldown = "10m"
)toml");
  CHECK(d.say(s(0), "a") == Shown{"+0s plain host=h1", "+0s cool host=h1"});
  CHECK(d.say(m(10) - s(1), "a") == Shown{"+9m59s plain host=h1"});
  CHECK(d.engine().counters().cooled == 1);
  CHECK(d.say(m(10), "a").size() == 2);
}

TEST_CASE("each with clear latches") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
on = "a"
clear = { event = "b" }
[[rule]]
id = "q"
on = "c"
clear = { quiet_for = "1m" }
)toml");
  CHECK(d.say(s(0), "a").size() == 1);
  CHECK(d.say(s(1), "a") == kNone);
  CHECK(d.say(s(2), "b", "h2") == kNone);
  CHECK(d.say(s(3), "a") == kNone);
  d.say(s(4), "b");
  CHECK(d.cases() == Shown{"close r +4s"});
  CHECK(d.say(s(5), "a").size() == 1);
  d.say(s(4), "b");  // before the firing: it closed the case before this one
  CHECK(d.cases() == kNone);
  CHECK(d.say(m(1), "c").size() == 1);
  CHECK(d.say(m(2) - s(1), "c") == kNone);
  d.mark(m(3) + s(3));
  CHECK(d.cases() == kNone);
  d.mark(m(3) + s(4));
  CHECK(d.cases() == Shown{"close q +2m59s"});
}

TEST_CASE("clear by level and by hand") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
on = "a"
where = "(v ?? 0) > 90"
clear = { level = "(v ?? 0) < 80" }
[[rule]]
id = "hand"
on = "b"
clear = "manual"
)toml");
  CHECK(d.say(s(0), "a v=91").size() == 1);
  CHECK(d.say(s(1), "a v=99") == kNone);
  CHECK(d.say(s(2), "a v=85") == kNone);
  CHECK(d.cases() == kNone);
  d.say(s(3), "a v=79");
  CHECK(d.cases() == Shown{"close r +3s"});
  CHECK(d.say(s(4), "a v=95").size() == 1);
  CHECK(d.say(s(5), "b").size() == 1);
  d.mark(h(100));
  CHECK(d.engine().open_cases() == 2);
  CommandRecord reset{CommandRecord::Verb::reset, "hand", "host=h1", {}, "root"};
  d.step(reset);
  CHECK(d.cases() == Shown{"close hand +4d4h"});
  CHECK(d.out().cases[0].why == "reset by root");
}

TEST_CASE("distinct") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
on = "a"
key = ["'all'"]
distinct = "3 host in 1h"
)toml");
  d.say(s(0), "a", "h1");
  d.say(s(1), "a", "h1");
  d.say(s(2), "a", "h2");
  CHECK(d.say(h(1), "a", "h3") == Shown{"+1h r 'all'=all"});  // h1 at 1 s is still inside
  CHECK(d.out().decisions[0].why ==
        "3 different host of 3 in 1h for 'all'=all: h1, h2, h3; the first at 2026-01-01T00:00:01Z, the "
        "last at 2026-01-01T01:00:00Z; 3 lines");
  Diagnosing edge(R"toml(
[[rule]]
id = "r"
on = "a"
key = ["'all'"]
distinct = "2 host in 1h"
)toml");
  edge.say(s(0), "a", "h1");
  CHECK(edge.say(h(1), "a", "h2") == kNone);
  CHECK(edge.say(h(2) - s(1), "a", "h3").size() == 1);
}

TEST_CASE("streak: in a row, in the order of arrival") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
on = "a"
streak = 3
broken_by = "b"
)toml");
  d.say(s(0), "a");
  d.say(s(1), "a");
  d.say(s(2), "b");
  d.say(s(3), "a");
  d.say(s(4), "b", "h2");
  d.say(s(5), "a");
  CHECK(d.say(s(1), "a") == Shown{"+1s r host=h1"});
  CHECK(d.say(s(6), "a") == kNone);
  d.say(s(7), "b");
  CHECK(d.cases() == Shown{"close r +7s"});
  CHECK(d.engine().live_windows() == 0);
}

TEST_CASE("sequence: ordered, with earlier steps in where") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
key = ["host"]
sequence = { within = "1m", steps = [{ on = "a", as = "p" }, { on = "b", where = "(k ?? '') == (p.k ?? '-')" }, "c"] }
then = [{ do = "act", with = { what = "${p.k ?? ''}" } }]
[action.act]
run = "act"
args = ["${what}"]
needs = ["what"]
)toml");
  d.say(s(0), "a k=1");
  d.say(s(1), "a k=2");
  d.say(s(2), "b k=2");
  d.say(s(3), "c", "h2");
  CHECK(d.say(s(4), "c") == Shown{"+4s r host=h1 #1 act(2)"});
  CHECK(d.out().decisions[0].evidence.size() == 3);
  CHECK(d.engine().live_windows() == 0);  // all chains of the key end
  d.say(m(2), "a k=3");
  d.say(m(2) + s(1), "b k=3");
  CHECK(d.say(m(3), "c") == kNone);  // exactly 1m
  d.say(m(4), "a k=3");
  d.say(m(4) + s(1), "b k=3");
  CHECK(d.say(m(5) - Duration{1}, "c").size() == 1);
}

TEST_CASE("sequence: in any order") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
key = ["host"]
sequence = { within = "1m", ordered = false, steps = ["a", "b"] }
)toml");
  d.say(s(10), "b");
  CHECK(d.say(s(5), "a") == Shown{"+5s r host=h1"});
  d.say(m(5), "a");
  d.say(m(5), "a");
  CHECK(d.say(m(6), "b") == kNone);
  CHECK(d.say(m(6) + s(59), "a").size() == 1);
}

TEST_CASE("absence: an answer that does not come") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
key = ["host"]
absence = { after = { on = "a", as = "q" }, of = "b", within = "1m" }
then = [{ do = "act", with = { what = "${host}" } }]
then_clear = [{ do = "act", with = { what = "ok" } }]
[action.act]
run = "act"
args = ["${what}"]
needs = ["what"]
)toml");
  d.say(s(0), "a k=one");
  CHECK(d.mark(m(1) + s(5) - Duration{1}) == kNone);
  CHECK(d.mark(m(1) + s(5)) == Shown{"+1m r host=h1 #1 act(h1)"});
  CHECK(d.out().decisions[0].why == "no b within 1m after a at 2026-01-01T00:00:00Z for host=h1; 1 line");
  CHECK(d.say(m(2), "b") == Shown{"+2m r host=h1 #1 clear act(ok)"});
  // The answer in time, the last microsecond, and exactly too late.
  d.say(m(10), "a");
  d.say(m(11) - Duration{1}, "b");
  CHECK(d.mark(m(20)) == kNone);
  d.say(m(30), "a");
  d.say(m(31), "b");
  CHECK(d.mark(m(40)) == Shown{"+31m r host=h1 #1 act(h1)", "+31m r host=h1 #1 clear act(ok)"});
  // The answer may arrive before its question.
  d.say(m(50) + s(1), "b");
  d.say(m(50), "a");
  CHECK(d.mark(m(60)) == kNone);
}

TEST_CASE("absence: the answer is compared with the question") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
key = ["host"]
absence = { after = { on = "a", as = "q" }, of = { on = "b", where = "(k ?? '') == (q.k ?? '-')" }, within = "1m" }
)toml");
  d.say(s(0), "a k=1");
  d.say(s(1), "a k=2");
  d.say(s(2), "b k=2");
  CHECK(d.mark(m(1) + s(10)) == Shown{"+1m r host=h1"});
  d.say(m(2), "b k=2");
  CHECK(d.cases() == kNone);
  d.say(m(2), "b k=1");
  CHECK(d.cases() == Shown{"close r +2m"});
}

constexpr std::string_view kSilent = R"toml(
[lookup.hosts]
file = "hosts"
key = ["host"]
columns = ["host"]
[[rule]]
id = "r"
key = ["host"]
absence = { of = "a", for = "3m", expected = "hosts.host", grace = "5m" }
)toml";

TEST_CASE("heartbeat: hosts that fall silent and hosts that never spoke") {
  Diagnosing d(kSilent);
  d.lookup("hosts", {{"h1"}, {"h2"}});
  d.say(s(0), "a", "h1");
  d.say(s(1), "a", "h9");  // nobody expects it
  CHECK(d.mark(m(3) + s(4)) == kNone);
  CHECK(d.mark(m(3) + s(5)) == Shown{"+3m r host=h1"});
  CHECK(d.out().decisions[0].why == "no a for 3m for host=h1: the last was at 2026-01-01T00:00:00Z; 1 line");
  CHECK(d.mark(m(8) + s(4)) == kNone);
  CHECK(d.mark(m(8) + s(5)) == Shown{"+8m r host=h2"});
  CHECK(d.out().decisions[0].why == "a for host=h2 never came, 8m after it was first expected");
  d.say(m(9), "a", "h1");
  CHECK(d.cases() == Shown{"close r +9m"});
  d.lookup("hosts", {{"h1"}});
  d.mark(m(10));
  CHECK(d.cases() == Shown{"close r +10m"});
  CHECK(d.mark(m(30)) == Shown{"+12m r host=h1"});
}

TEST_CASE("L31: a backlog is never overtaken by timers") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
key = ["host"]
absence = { of = "a", for = "1m" }
)toml");
  for (int i = 0; i < 600; ++i) CHECK(d.say(s(i * 30), "a") == kNone);
}

TEST_CASE("group: a threshold for each member") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
key = ["host"]
group = { within = "1m", of = [{ on = "a", count = 2 }, { on = "b" }] }
)toml");
  d.say(s(0), "a");
  d.say(s(1), "b");
  CHECK(d.say(m(1), "a") == kNone);  // the first a is out
  CHECK(d.say(m(1) + Duration{1}, "a") == Shown{"+1m1us r host=h1"});
  CHECK(d.out().decisions[0].evidence.size() == 3);
}

TEST_CASE("level: above, below, rising") {
  Diagnosing d(R"toml(
[[rule]]
id = "high"
on = "a"
level = { of = "v ?? 0", above = 90 }
[[rule]]
id = "low"
on = "b"
level = { of = "v ?? 0", below = 10 }
[[rule]]
id = "rise"
on = "c"
level = { of = "v ?? 0", rises_by = 5, within = "1m" }
)toml");
  CHECK(d.say(s(0), "a v=90") == kNone);
  CHECK(d.say(s(1), "a v=91") == Shown{"+1s high host=h1"});
  CHECK(d.say(s(2), "a v=95") == kNone);
  d.say(s(3), "a v=90");
  CHECK(d.cases() == Shown{"close high +3s"});
  CHECK(d.say(s(4), "b v=10") == kNone);
  CHECK(d.say(s(5), "b v=9") == Shown{"+5s low host=h1"});
  d.say(s(6), "c v=100");
  CHECK(d.say(m(1) + s(5), "c v=104") == kNone);
  CHECK(d.say(m(1) + s(6), "c v=105") == kNone);  // 100 is out
  CHECK(d.say(m(1) + s(7), "c v=109") == Shown{"+1m7s rise host=h1"});
}

TEST_CASE("schedule: minutes in their zone, a bounded number after a leap") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
schedule = { cron = "30 2 * * *", zone = "Europe/Berlin" }
)toml");
  CHECK(d.mark(s(0)) == kNone);
  CHECK(d.mark(h(1) + m(30) + s(4)) == kNone);
  CHECK(d.mark(h(1) + m(30) + s(5)) == Shown{"+1h30m r"});
  CHECK(d.mark(h(72)).size() == 2);
  Diagnosing often("[[rule]]\nid = \"r\"\nschedule = \"* * * * *\"\n");
  often.mark(s(0));
  CHECK(often.mark(h(24)).size() == 1'000);
  CHECK(often.engine().counters().evicted == 439);
  CHECK(often.mark(h(24) + m(1)).size() == 1);
}

}  // namespace
}  // namespace correlator::engine::test
