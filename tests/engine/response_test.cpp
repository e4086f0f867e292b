// SPDX-License-Identifier: Apache-2.0
// What follows a firing: steps, causes that hold it, contexts, synthetic events, ids.
#include <set>

#include "diagnosing.h"

namespace correlator::engine::test {
namespace {

constexpr std::string_view kAct = R"toml(
[action.act]
run = "act"
args = ["${what}"]
needs = ["what"]
[action.other]
run = "other"
args = ["--for", "${what}"]
needs = ["what"]
)toml";

std::string with_act(std::string_view rules) {
  return std::string(kAct) + std::string(rules);
}

TEST_CASE("ignore: causes before and after, equal fields only") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
on = "a"
ignore = { on = "b", before = "10s", after = "1m", same = ["host"] }
)toml");
  d.say(s(100), "b");
  CHECK(d.say(s(160) - Duration{1}, "a") == kNone);
  CHECK(d.say(s(160), "a", "h2") == kNone);  // waits for a cause that may still come
  CHECK(d.mark(s(175)) == Shown{"+2m40s r host=h2"});
  CHECK(d.say(s(160), "a") == kNone);
  CHECK(d.mark(s(180)) == Shown{"+2m40s r host=h1"});
  d.say(s(300), "a");
  d.say(s(310), "b");
  CHECK(d.mark(s(400)) == kNone);
  d.say(s(500), "a");
  d.say(s(510) + Duration{1}, "b");
  CHECK(d.mark(s(600)) == Shown{"+8m20s r host=h1"});
}

TEST_CASE("hold: the order of arrival cannot matter") {
  constexpr std::string_view rules = R"toml(
[[rule]]
id = "r"
on = "a"
hold = "10s"
streak = 2
broken_by = "b"
)toml";
  Diagnosing in_order(rules), shuffled(rules);
  in_order.say(s(1), "a");
  in_order.say(s(2), "b");
  in_order.say(s(3), "a");
  shuffled.say(s(1), "a");
  shuffled.say(s(3), "a");
  shuffled.say(s(2), "b");
  CHECK(in_order.mark(s(60)) == kNone);
  CHECK(shuffled.mark(s(60)) == kNone);
  shuffled.say(s(70), "a");
  CHECK(shuffled.mark(s(85)) == Shown{"+1m10s r host=h1"});
}

TEST_CASE("unless: held while the cause lasts, decided when it ends, dropped when the case closes first") {
  Diagnosing d(with_act(R"toml(
[[rule]]
id = "r"
on = "a"
unless = { on = "b", after = "5m" }
clear = { event = "c" }
then = [{ do = "act", with = { what = "${host}" } }]
)toml"));
  d.say(s(0), "b");
  CHECK(d.say(m(1), "a") == Shown{"+1m r host=h1 #1 act(h1) held: unless b"});
  CHECK(d.engine().open_cases() == 1);
  CHECK(d.say(m(2), "b") == kNone);  // it lasts longer now
  CHECK(d.mark(m(7) + s(4)) == kNone);
  CHECK(d.mark(m(7) + s(5)) == Shown{"+7m r host=h1 #1 act(h1)"});
  d.say(m(10), "c");
  d.say(m(11), "b");
  CHECK(d.say(m(12), "a").size() == 1);
  CHECK(d.say(m(13), "c") == Shown{"+13m r host=h1 #1 act(h1) dropped: the case closed first"});
  CHECK(d.mark(m(60)) == kNone);
}

TEST_CASE("unless a case of another rule is open") {
  Diagnosing d(R"toml(
[[rule]]
id = "host.down"
on = "b"
clear = { event = "c" }
[[rule]]
id = "r"
on = "a"
unless = "open('host.down', host)"
clear = "manual"
)toml");
      d.say(s(0), "b");
  CHECK(d.say(s(1), "a") == Shown{"+1s r host=h1 held: unless open('host.down', host)"});
  CHECK(d.say(s(1), "a", "h2") == Shown{"+1s r host=h2"});
  CHECK(d.mark(s(2)) == kNone);
  d.say(s(3), "c");
  CHECK(d.mark(s(4)) == Shown{"+4s r host=h1"});
}

TEST_CASE("mutes hold or drop; the case opens as always") {
  Diagnosing d(R"toml(
[[rule]]
id = "x.one"
on = "a"
[[rule]]
id = "x.two"
on = "a"
count = "1 in 1h"
[[mute]]
during = { on = "b", after = "1m" }
except = ["x.two"]
[[mute]]
during = { on = "c", after = "1m" }
effect = "drop"
)toml");
  d.say(s(0), "b");
  CHECK(d.say(s(1), "a") == Shown{"+1s x.one host=h1 held: muted: b", "+1s x.two host=h1"});
  CHECK(d.mark(m(1) + s(5)) == Shown{"+1m x.one host=h1"});
  d.say(h(2), "c");
  CHECK(d.say(h(2) + s(1), "a") ==
        Shown{"+2h1s x.one host=h1 dropped: muted: c", "+2h1s x.two host=h1 dropped: muted: c"});
  CHECK(d.engine().open_cases() == 1);
}

TEST_CASE("an operator's silence") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"a\"\n");
  d.say(s(0), "b");
  CommandRecord silence{CommandRecord::Verb::silence, "r", "host=h1", m(5), "jo"};
  d.step(silence);
  CHECK(d.say(s(1), "a") == Shown{"+1s r host=h1 held: silenced by jo"});
  CHECK(d.say(s(1), "a", "h2") == Shown{"+1s r host=h2"});
  CHECK(d.mark(m(5) + s(5)) == Shown{"+5m r host=h1"});
}

TEST_CASE("contexts: lifetime, renewal, their end") {
  Diagnosing d(with_act(R"toml(
[[rule]]
id = "open"
on = "a"
set = { name = "work", key = ["host"], for = "10m", at_end = [{ do = "act", with = { what = "over" } }] }
[[rule]]
id = "close"
on = "b"
unset = { name = "work", key = ["host"] }
[[rule]]
id = "r"
on = "c"
where = "context('work', host)"
)toml"));
  CHECK(d.say(s(0), "c") == kNone);
  d.say(s(1), "a");
  CHECK(d.say(s(2), "c").size() == 1);
  CHECK(d.say(s(2), "c", "h2") == kNone);
  d.say(m(5), "a");
  CHECK(d.say(m(15) - Duration{1}, "c").size() == 1);
  CHECK(d.say(m(15), "c") == kNone);
  CHECK(d.mark(m(15) + s(5)) == Shown{"+15m open host=h1 #1 act(over)"});
  d.say(m(20), "a");
  d.say(m(21), "b");
  CHECK(d.say(m(22), "c") == kNone);
  CHECK(d.mark(h(2)) == kNone);
}

TEST_CASE("emit: synthetic events are counted by other rules, with the evidence and the trust") {
  Diagnosing d(R"toml(
[[rule]]
id = "low"
on = "a"
key = ["host", "k ?? ''"]
count = "2 in 1h"
emit = { class = "s", fields = { k = "k ?? ''" } }
[[rule]]
id = "high"
on = "s"
count = "2 in 1h"
)toml");
  d.say(s(0), "a k=1");
  d.say(s(1), "a k=2", "h1", syslog::Origin::claimed_kernel);
  CHECK(d.say(s(2), "a k=1") == Shown{"+2s low host=h1 k=1"});
  CHECK(d.say(s(3), "a k=2") == Shown{"+3s low host=h1 k=2", "+3s high host=h1"});
  const Decision& decision = d.out().decisions[1];
  CHECK(decision.evidence.size() == 4);
  CHECK(decision.trust == Trust::claimed);
  REQUIRE(d.out().events.size() == 2);
  CHECK(d.rules().classes[d.out().events[1].cls].name == "s");
}

TEST_CASE("emit: what the key names is there already, unless the rule says otherwise") {
  Diagnosing d(R"toml(
[class.part]
key = ["host", "k"]
requires = { k = "text" }
[[event]]
id = "part"
class = "part"
match = '^part k=(?P<k>\w+)'
[class.worn]
key = ["host", "k"]
requires = { k = "text" }
[[rule]]
id = "low"
on = "part"
count = "2 in 1h"
emit = { class = "worn" }
[[rule]]
id = "other"
on = "part"
count = "2 in 1h"
emit = { class = "worn", fields = { k = "'x' + k" } }
[[rule]]
id = "high"
on = "worn"
)toml");
  d.say(s(0), "part k=1");
  CHECK(d.say(s(1), "part k=1") == Shown{"+1s low host=h1 k=1", "+1s other host=h1 k=1", "+1s high host=h1 k=1", "+1s high host=h1 k=x1"});
}

TEST_CASE("fan-out over a lookup, in order, where") {
  Diagnosing d(with_act(R"toml(
[lookup.guests_on]
file = "guests"
key = ["host"]
columns = ["host", "name", "rank"]
many = true
[[rule]]
id = "r"
on = "a"
[[rule.then]]
each = "guests_on(host)"
as = "g"
where = "g.name != (k ?? '')"
order = "g.rank"
at_once = 2
do = "act"
with = { what = "${g.name}" }
)toml"));
  CHECK(d.say(s(0), "a") == kNone);  // not loaded
  d.lookup("guests_on", {{"h1", "vm1", "3"}, {"h1", "vm2", "2"}, {"h2", "vm3", "1"}, {"h1", "vm4", "1"}});
  CHECK(d.say(s(1), "a k=vm2") == Shown{"+1s r host=h1 #1 act(vm4)", "+1s r host=h1 #1 act(vm1)"});
  CHECK(d.out().decisions[1].row == 1);
  CHECK(d.out().decisions[0].id != d.out().decisions[1].id);
}

TEST_CASE("a stale lookup gives nothing and says so") {
  Diagnosing d(R"toml(
[lookup.hosts]
file = "hosts"
key = ["host"]
columns = ["host", "rack"]
max_age = "1h"
[class."lookup.stale"]
key = ["lookup"]
requires = { lookup = "text" }
[[rule]]
id = "r"
on = "a"
where = "has(hosts(host).rack)"
)toml");
  d.lookup("hosts", {{"h1", "r1"}});
  CHECK(d.say(h(1), "a").size() == 1);
  CHECK(d.say(h(1) + Duration{1}, "a") == kNone);
  REQUIRE(d.out().events.size() == 2);
  CHECK(d.rules().classes[d.out().events[1].cls].name == "lookup.stale");
  CHECK(d.say(h(2), "a") == kNone);
  CHECK(d.out().events.size() == 1);  // told once
}

TEST_CASE("escalation: after, unless acked or cleared, every, at most") {
  constexpr std::string_view rules = R"toml(
[[rule]]
id = "r"
on = "a"
clear = { event = "c" }
[[rule.then]]
do = "act"
with = { what = "now" }
[[rule.then]]
do = "act"
with = { what = "later" }
after = "10m"
unless = "acked or cleared"
every = "5m"
at_most = 3
)toml";
  Diagnosing d(with_act(rules));
  CHECK(d.say(s(0), "a") == Shown{"+0s r host=h1 #1 act(now)"});
  CHECK(d.mark(m(10) + s(4)) == kNone);
  CHECK(d.mark(m(10) + s(5)) == Shown{"+10m r host=h1 #2 act(later)"});
  CHECK(d.mark(h(5)) == Shown{"+15m r host=h1 #2 act(later)", "+20m r host=h1 #2 act(later)"});
  CHECK(d.mark(h(9)) == kNone);
  Diagnosing acked(with_act(rules));
  acked.say(s(0), "a");
  acked.step(CommandRecord{CommandRecord::Verb::ack, "r", {}, {}, "jo"});
  CHECK(acked.mark(h(1)) == kNone);
  Diagnosing cleared(with_act(rules));
  cleared.say(s(0), "a");
  cleared.say(s(1), "c");
  CHECK(cleared.mark(h(1)) == kNone);
}

TEST_CASE("or_else after a failure; later steps do not follow a failed one") {
  Diagnosing d(with_act(R"toml(
[[rule]]
id = "r"
on = "a"
clear = "manual"
[[rule.then]]
do = "act"
with = { what = "${k ?? ''}" }
or_else = "other"
[[rule.then]]
do = "act"
with = { what = "later" }
after = "10m"
)toml"));
  d.say(s(0), "a k=vm");
  const std::string id = d.out().decisions[0].id;
  CHECK(d.step(OutcomeRecord{id, OutcomeRecord::Result::failed, kStart + s(30)}) ==
        Shown{"+30s r host=h1 #1 other(--for vm)", "+30s r host=h1 #2 act(later) dropped: step 1 failed"});
  CHECK(d.step(OutcomeRecord{id, OutcomeRecord::Result::failed, kStart + s(31)}) == kNone);
  CHECK(d.mark(h(1)) == kNone);
  d.say(h(1), "a k=x", "h2");
  CHECK(d.step(OutcomeRecord{d.out().decisions[0].id, OutcomeRecord::Result::done, kStart + h(1)}) == kNone);
  CHECK(d.mark(h(2)) == Shown{"+1h10m r host=h2 #2 act(later)"});
}

TEST_CASE("hostile text stays one argument; a bare substitution that begins with - is refused") {
  Diagnosing d(with_act(R"toml(
[[rule]]
id = "r"
on = "a"
then = [{ do = "act", with = { what = "${x ?? ''}" } }]
)toml"));
  CHECK(d.say(s(0), "a x=; rm -rf / $(id) `id`") == Shown{"+0s r host=h1 #1 act(; rm -rf / $(id) `id`)"});
  CHECK(d.out().decisions[0].argv.size() == 1);
  CHECK(d.say(s(1), "a x=--config=/tmp/evil") ==
        Shown{"+1s r host=h1 #1 act(--config=/tmp/evil) dropped: argument 1 of act is a substitution that "
              "begins with \"-\""});
}

TEST_CASE("L9, L32: echoes of an action reach no rule while it runs and a while after") {
  Diagnosing d(R"toml(
[action.act]
run = "act"
timeout = "1m"
retry = 1
echoes = [{ on = "b", for = "10s" }]
[[rule]]
id = "r"
on = "a"
clear = "manual"
then = "act"
[[rule]]
id = "q"
on = "b"
)toml");
  CHECK(d.say(s(0), "b").size() == 1);
  d.say(s(10), "a");
  const std::string id = d.out().decisions[0].id;
  CHECK(d.say(s(11), "b") == kNone);
  CHECK(d.say(s(11), "b", "h2").size() == 1);  // another host's
  d.step(OutcomeRecord{id, OutcomeRecord::Result::done, kStart + s(20)});
  CHECK(d.say(s(30) - Duration{1}, "b") == kNone);
  CHECK(d.say(s(30), "b").size() == 1);
  d.say(s(100), "a", "h3");
  CHECK(d.say(s(229), "b", "h3") == kNone);  // no outcome: 2 × 1m + 10s
  CHECK(d.say(s(230), "b", "h3").size() == 1);
}

TEST_CASE("L33: twenty identical lines in one second have twenty ids") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"a\"\n");
  std::set<std::string> ids;
  for (int i = 0; i < 20; ++i) {
    d.say(s(0), "a");
    REQUIRE(d.out().decisions.size() == 1);
    ids.insert(d.out().decisions[0].id);
  }
  CHECK(ids.size() == 20);
  Diagnosing again("[[rule]]\nid = \"r\"\non = \"a\"\n");
  again.say(s(0), "c");  // other intake and line numbers
  again.say(s(0), "a");
  CHECK(ids.contains(again.out().decisions[0].id));
}

TEST_CASE("a line from the future is a fact of its reader: the clock does not go back") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"a\"\ncount = \"2 in 1h\"\n");
  d.say(h(48), "b", "h9");
  CHECK(d.say(s(0), "a") == kNone);
  CHECK(d.engine().counters().late == 1);
  CHECK(d.engine().clock() == kStart + h(48));
}

}  // namespace
}  // namespace correlator::engine::test
