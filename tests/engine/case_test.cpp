// SPDX-License-Identifier: Apache-2.0
// When cases close and what stays of their keys; edges that the oracle found.
#include "diagnosing.h"

namespace correlator::engine::test {
namespace {

TEST_CASE("what is older than the decision does not end its case") {
  Diagnosing streak("[[rule]]\nid = \"r\"\non = \"a\"\nstreak = 2\nbroken_by = \"b\"\n");
  streak.say(s(1), "a");
  CHECK(streak.say(s(2), "a").size() == 1);
  streak.say(s(1), "b");
  CHECK(streak.cases().empty());
  streak.say(s(2), "b");
  CHECK(streak.cases() == Shown{"close r +2s"});

  Diagnosing level("[[rule]]\nid = \"r\"\non = \"a\"\ncount = \"2 in 1m\"\nclear = { level = \"(v ?? 9) < 3\" }\n");
  level.say(s(10), "a v=1");  // no case is open: it counts
  CHECK(level.say(s(12), "a v=5").size() == 1);
  level.say(s(11), "a v=1");
  CHECK(level.cases().empty());
  level.say(s(13), "a v=1");
  CHECK(level.cases() == Shown{"close r +13s"});
  CHECK(level.say(s(14), "a v=5") == kNone);  // what closed the case was not counted
}

TEST_CASE("an event that breaks a streak and counts is the first of the next") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"a\"\nstreak = 2\nbroken_by = { on = \"a\", where = \"(v ?? 0) > 5\" }\n");
  d.say(s(0), "a v=1");
  CHECK(d.say(s(1), "a v=9") == kNone);
  CHECK(d.say(s(2), "a v=1").size() == 1);
}

TEST_CASE("a late event brings the end of a rate forward") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"a\"\nrate = { raise = \"3 in 30s\", clear = \"3 in 1s\" }\n");
  d.say(s(43), "a");
  CHECK(d.say(s(49), "a n=2").size() == 1);  // quiet enough at 50s
  d.say(s(49) - Duration{500'000}, "a");     // at 49.5s already
  d.mark(s(54) + Duration{499'999});
  CHECK(d.cases().empty());
  d.mark(s(54) + Duration{500'000});
  CHECK(d.cases() == Shown{"close r +49s500ms"});
}

TEST_CASE("a silence is told once, and a line from before it is no sign of life") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
key = ["host"]
absence = { of = "a", for = "10s" }
clear = { quiet_for = "20s" }
[[rule]]
id = "o"
key = ["host"]
absence = { of = "a", for = "10s" }
)toml");
  d.say(s(10), "a");
  CHECK(d.mark(s(25)) == Shown{"+20s r host=h1", "+20s o host=h1"});
  CHECK(d.mark(h(1)) == kNone);  // the case of `r` closed: not told again
  CHECK(d.cases() == Shown{"close r +40s"});
  d.say(s(9), "a");
  CHECK(d.cases().empty());
  d.say(s(11), "a");
  CHECK(d.cases() == Shown{"close o +11s"});
}

TEST_CASE("a wait that ran out while the case was open is not told when an answer closes it") {
  Diagnosing d("[[rule]]\nid = \"r\"\nkey = [\"host\"]\nabsence = { after = \"a\", of = \"b\", within = \"10s\" }\n");
  d.say(s(0), "a");
  d.say(s(14), "a");
  CHECK(d.mark(s(15)) == Shown{"+10s r host=h1"});
  d.say(s(26), "b");  // the second ran out at 24s, its timer has not fired
  CHECK(d.cases() == Shown{"close r +26s"});
  CHECK(d.mark(h(1)) == kNone);
}

TEST_CASE("an answer that is too late closes the case, whether it came before the timer or after it") {
  Diagnosing d("[[rule]]\nid = \"r\"\nkey = [\"host\"]\nabsence = { after = \"a\", of = \"b\", within = \"10s\" }\n");
  d.say(s(0), "a");
  d.say(s(12), "b");
  CHECK(d.mark(s(15)) == Shown{"+10s r host=h1"});
  CHECK(d.cases() == Shown{"open r +10s", "close r +12s"});
  d.say(s(20), "a");
  CHECK(d.mark(s(35)) == Shown{"+30s r host=h1"});
  d.say(s(32), "b");
  CHECK(d.cases() == Shown{"close r +32s"});
}

TEST_CASE("what drops a held firing is asked when nothing holds it any more") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
on = "a"
count = "1 in 1h"
unless = [{ on = "c", after = "1m" }]
[[mute]]
during = [{ on = "c", after = "2s" }]
rules = ["r"]
effect = "drop"
why = "test"
)toml");
  d.say(s(0), "c");
  CHECK(d.say(s(30), "a").size() == 1);  // held
  d.say(s(59), "c");                     // drops for two seconds, holds for a minute
  CHECK(d.mark(s(100)) == kNone);
  CHECK(d.mark(s(124)) == Shown{"+1m59s r host=h1"});
}

TEST_CASE("a firing event that newer ones pushed out at once was heard") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
key = ["host"]
group = { within = "10s", of = [{ on = "a" }, { on = "b" }] }
clear = { quiet_for = "10s" }
)toml");
  d.say(s(48), "a");
  d.say(s(59), "b");
  CHECK(d.say(s(55), "b").size() == 1);
  d.say(s(64), "a");
  d.mark(s(78));
  CHECK(d.cases().empty());
  d.mark(s(79));
  CHECK(d.cases() == Shown{"close r +1m14s"});
}

TEST_CASE("cases of one list, each of other elements") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
key = ["list ?? []"]
on = "a"
count = "2 in 1h"
clear = { quiet_for = "1m" }
)toml");
  d.say(s(0), "a list=1");
  CHECK(d.say(s(1), "a list=1") == Shown{"+1s r list=1"});
  d.say(s(2), "a list=2");
  CHECK(d.say(s(50), "a list=1,2") == Shown{"+50s r list=1,2"});  // 2 alone: 1 is latched
  d.say(s(100), "a list=2");
  d.mark(s(116));
  CHECK(d.cases() == Shown{"close r +1m50s"});  // that of 1
  d.say(m(2), "a list=1");
  CHECK(d.say(m(2) + s(1), "a list=1,2") == Shown{"+2m1s r list=1,2"});  // 1 alone: 2 is latched
  Rows rows;
  d.save(rows);
  d.restart(rows);
  CHECK(d.engine().open_cases() == 2);
  d.mark(h(1));
  CHECK(d.cases() == Shown{"close r +3m1s", "close r +3m1s"});
  CHECK(d.engine().open_cases() == 0);
}

TEST_CASE("a rule that comes back has the evidence of its waits") {
  const char* rule = "[[rule]]\nid = \"r\"\nkey = [\"host\"]\nabsence = { after = \"a\", of = \"b\", within = \"10s\" }\n";
  Diagnosing d(rule);
  d.say(s(0), "a");
  d.reload("");
  d.mark(s(5));
  d.reload(rule);
  CHECK(d.mark(s(15)) == Shown{"+10s r host=h1"});
  REQUIRE(d.out().decisions[0].evidence.size() == 1);
  CHECK(d.out().decisions[0].evidence[0].text == "a");
}

TEST_CASE("the cooldown in force counts") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"a\"\ncooldown = \"1h\"\n");
  CHECK(d.say(s(0), "a").size() == 1);
  d.reload("[[rule]]\nid = \"r\"\non = \"a\"\ncooldown = \"10s\"\n");
  CHECK(d.say(s(10) - Duration{1}, "a") == kNone);
  CHECK(d.say(s(10), "a").size() == 1);
}

CommandRecord by_hand(CommandRecord::Verb verb, std::string key = {}) {
  return {verb, "r", std::move(key), {}, "root"};
}

TEST_CASE("reset and repair end a cooldown; the next one is as long") {
  using Verb = CommandRecord::Verb;
  for (const char* operation : {"", "count = { threshold = \"2 in 10m\", rearm = \"at-once\" }\n",
                                "sequence = { within = \"10m\", steps = [\"b\", \"a\"] }\n"}) {
    const std::string on = std::string(operation).starts_with("seq") ? "" : "on = \"a\"\n";
    for (const Verb verb : {Verb::reset, Verb::repair}) {
      INFO(operation << static_cast<int>(verb));
      Diagnosing d("[[rule]]\nid = \"r\"\nkey = [\"host\"]\ncooldown = \"1h\"\n" + on + operation);
      // What makes it fire, told in whole at one moment.
      const auto fires = [&](Duration at) {
        if (on.empty()) CHECK(d.say(at, "b") == kNone);
        if (std::string(operation).starts_with("count")) CHECK(d.say(at, "a") == kNone);
        return d.say(at, "a").size();
      };
      CHECK(fires(s(0)) == 1);
      CHECK(fires(m(30)) == 0);
      CHECK(d.step(by_hand(verb, "host=h2")) == kNone);  // another key's
      CHECK(fires(m(30)) == 0);
      CHECK(d.step(by_hand(Verb::ack, "host=h1")) == kNone);
      CHECK(fires(m(30)) == 0);
      CHECK(d.step(by_hand(verb, "host=h1")) == kNone);  // says nothing by itself
      CHECK(fires(m(30)) == 1);
      CHECK(fires(m(90) - Duration{1}) == 0);
      CHECK(fires(m(90)) == 1);
      CHECK(d.step(by_hand(verb)) == kNone);  // of all keys
      CHECK(fires(m(91)) == 1);
    }
  }
}

TEST_CASE("a cooldown that was ended by hand does not come back with a restart") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"a\"\ncooldown = \"1h\"\n");
  Rows rows;
  CHECK(d.say(s(0), "a").size() == 1);
  CHECK(d.say(s(0), "a", "h2").size() == 1);
  d.save(rows);
  d.restart(rows);
  CHECK(d.say(s(1), "a") == kNone);
  d.step(by_hand(CommandRecord::Verb::reset, "host=h1"));
  d.save(rows);
  d.restart(rows);
  CHECK(d.say(s(2), "a", "h2") == kNone);
  CHECK(d.say(s(2), "a").size() == 1);
}

}  // namespace
}  // namespace correlator::engine::test
