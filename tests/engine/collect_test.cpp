// SPDX-License-Identifier: Apache-2.0
// What contexts collect, and events that come later.
#include "diagnosing.h"

namespace correlator::engine::test {
namespace {

constexpr std::string_view kTell = R"toml(
[action.tell]
run = "tell"
stdin = "lines"
[action.act]
run = "act"
args = ["${what}"]
needs = ["what"]
)toml";

std::string with_tell(std::string_view rules) { return std::string(kTell) + std::string(rules); }

// Decisions with the lines that they give: "+1s r host=h1 #1 tell() <one> <two>".
Shown told(const Diagnosing& d) {
  Shown out;
  for (const Decision& decision : d.out().decisions) {
    out.push_back(Diagnosing::show(decision));
    for (const std::string& line : decision.lines.value_or(std::vector<std::string>())) out.back() += " <" + line + ">";
  }
  return out;
}

TEST_CASE("collect: its own steps see the text, the end tells all, another rule asks how many") {
  Diagnosing d(with_tell(R"toml(
[[rule]]
id = "gather"
on = "a"
collect = { name = "box", text = "x=${x}", for = "1m", at_end = { do = "tell", lines = "collected('box', host)" } }
[[rule]]
id = "many"
on = "a"
where = "collected_count('box', host) >= 2"
then = { do = "act", with = { what = "${collected_count('box', host)}: ${collected('box', host)}" } }
[[rule]]
id = "now"
on = "b"
collect = { name = "box", text = "b" }
then = { do = "tell", lines = "collected('box', host)" }
[[rule]]
id = "clear"
on = "c"
empty = { name = "box" }
[[rule]]
id = "close"
on = "d"
unset = "box"
)toml"));
  CHECK(d.say(s(1), "a x=1") == kNone);
  CHECK(d.say(s(2), "a x=2") == Shown{"+2s many host=h1 #1 act(2: x=1,x=2)"});  // it meets the event after `gather`
  CHECK(d.say(s(2), "a x=2", "h2") == kNone);
  d.say(s(3), "b");
  CHECK(told(d) == Shown{"+3s now host=h1 #1 tell() <x=1> <x=2> <b>"});
  d.say(s(4), "c");
  d.say(s(5), "a x=3");
  CHECK(told(d) == kNone);
  d.mark(s(66) - Duration{1});
  CHECK(told(d) == kNone);
  d.mark(s(66));
  CHECK(told(d) == Shown{"+1m1s gather host=h1 #1 tell() <x=3>"});
  d.mark(s(67));
  CHECK(told(d) == Shown{"+1m2s gather host=h2 #1 tell() <x=2>"});
  d.say(s(70), "b");
  CHECK(told(d) == Shown{"+1m10s now host=h1 #1 tell() <b>"});  // opened for ever
  d.say(s(71), "d");
  CHECK(d.mark(h(30)) == kNone);
  d.say(h(30), "b");
  CHECK(told(d) == Shown{"+1d6h now host=h1 #1 tell() <b>"});
}

TEST_CASE("collect: an event at the very end belongs to the next round; renewed puts it off") {
  Diagnosing d(with_tell(R"toml(
[[rule]]
id = "fixed"
on = "a"
collect = { name = "box", text = "${x}", for = "1m", at_end = { do = "tell", lines = "collected('box', host)" } }
[[rule]]
id = "quiet"
on = "b"
collect = { name = "calm", text = "${x}", for = "1m", renewed = true, at_end = { do = "tell", lines = "collected('calm', host)" } }
)toml"));
  d.say(s(0), "a x=1");
  d.say(s(60) - Duration{1}, "a x=2");
  d.say(s(60), "a x=3");
  CHECK(told(d) == Shown{"+1m fixed host=h1 #1 tell() <1> <2>"});
  d.say(s(100), "b x=1");
  d.say(s(150), "b x=2");
  d.say(s(140), "b x=0");  // late: the end does not come nearer, and it stands where it came
  d.mark(s(215) - Duration{1});
  CHECK(told(d) == kNone);
  d.mark(s(215));
  CHECK(told(d) == Shown{"+3m30s quiet host=h1 #1 tell() <1> <2> <0>"});
}

TEST_CASE("collect: texts are bounded by number, by bytes, and cut; lines are texts of their own") {
  Diagnosing d(with_tell(R"toml(
[[rule]]
id = "few"
on = "a"
collect = { name = "few", text = "${x}", at_most = 2 }
[[rule]]
id = "big"
on = "b"
collect = { name = "big", text = "${x}", at_most = 10000 }
[[rule]]
id = "huge"
on = "c"
where = "len(x ?? '') > 1000"
collect = { name = "big", text = "${x}${x}${x}", at_most = 10000 }
[[rule]]
id = "two"
on = "c"
collect = { name = "few", text = "${x}\n\nand ${x}" }
[[rule]]
id = "tell"
on = "d"
then = [{ do = "tell", lines = "collected('few', host)" }, { do = "act", with = { what = "${collected_count('big', host)}" } }]
)toml"));
  for (int i = 0; i < 5; ++i) d.say(s(i), "a x=" + std::to_string(i));
  d.say(s(9), "d");
  CHECK(told(d) == Shown{"+9s tell host=h1 #1 tell() <3> <4>", "+9s tell host=h1 #2 act(0)"});
  CHECK(d.engine().counters().evicted == 3);
  const std::string kilobyte(960, 'x');  // with its 64 bytes
  for (int i = 0; i < 300; ++i) d.say(s(10), "b x=" + kilobyte);
  d.say(s(11), "c x=5");
  d.say(s(11), "d");
  CHECK(told(d) == Shown{"+11s tell host=h1 #1 tell() <3> <4> <5> <and 5>", "+11s tell host=h1 #2 act(256)"});
  d.say(s(12), "b x=" + std::string(9'000, 'y'));
  d.say(s(12), "d");
  CHECK(Diagnosing::show(d.out().decisions.back()) == "+12s tell host=h1 #2 act(252)");  // a capture is 4 KiB at most
  d.say(s(13), "c x=" + std::string(9'000, 'y'));
  d.say(s(13), "d");
  CHECK(Diagnosing::show(d.out().decisions.back()) == "+13s tell host=h1 #2 act(245)");  // a text 8 KiB, and 64 bytes
}

TEST_CASE("collect: all contexts together have a bound, and the eldest text goes") {
  Diagnosing d(with_tell(R"toml(
[[rule]]
id = "gather"
on = "a"
key = ["k ?? ''"]
collect = { name = "box", text = "${x}" }
[[rule]]
id = "tell"
on = "b"
key = ["k ?? ''"]
then = { do = "act", with = { what = "${collected_count('box', k ?? '')}" } }
)toml"));
  const std::string text(4'032, 'x');
  const auto count = [&](int key) {
    d.say(s(2), "b k=k" + std::to_string(key));
    return d.out().decisions.front().argv.front();
  };
  // 256 KiB of each of 256 contexts are all there is; one more lets go the first text of the first one.
  for (int key = 0; key < 256; ++key) {
    for (int i = 0; i < 64; ++i) d.say(s(1), "a k=k" + std::to_string(key) + " x=" + text);
  }
  CHECK(d.engine().counters().evicted == 0);
  CHECK(count(0) == "64");
  d.say(s(1), "a k=more x=" + text);
  CHECK(d.engine().counters().evicted == 1);
  CHECK(count(0) == "63");
  CHECK(count(1) == "64");
}

TEST_CASE("collect: what nobody vouches for lowers the trust of who tells it, until it is gone") {
  Diagnosing d(with_tell(R"toml(
[[rule]]
id = "gather"
on = "a"
collect = { name = "box", text = "${x}" }
[[rule]]
id = "tell"
on = "b"
then = [{ do = "tell", lines = "collected('box', host)" }, { do = "act", with = { what = "plain" } }]
[[rule]]
id = "clear"
on = "c"
empty = "box"
)toml"));
  const auto trusts = [&] {
    std::vector<Trust> out;
    for (const Decision& decision : d.out().decisions) out.push_back(decision.trust);
    return out;
  };
  d.say(s(1), "a x=1");
  d.say(s(2), "b");
  CHECK(trusts() == std::vector{Trust::vouched, Trust::vouched});
  d.say(s(3), "a x=2", "h1", syslog::Origin::program);
  d.say(s(4), "b");
  CHECK(trusts() == std::vector{Trust::none, Trust::vouched});
  Rows rows;
  d.save(rows);
  d.restart(rows);
  d.say(s(5), "b");
  CHECK(trusts() == std::vector{Trust::none, Trust::vouched});
  d.say(s(6), "c");
  d.say(s(7), "b");
  CHECK(trusts() == std::vector{Trust::vouched, Trust::vouched});
}

TEST_CASE("collect: a restart at any place changes nothing, and old texts leave no rows") {
  constexpr std::string_view rules = R"toml(
[[rule]]
id = "gather"
on = "a"
collect = { name = "box", text = "${x}", for = "30s", renewed = true, at_most = 3, at_end = { do = "tell", lines = "collected('box', host)" } }
[[rule]]
id = "clear"
on = "b"
empty = "box"
[[rule]]
id = "close"
on = "c"
unset = "box"
[[rule]]
id = "later"
on = "d"
then = { do = "tell", lines = "collected('box', host)", or_else = "tell" }
)toml";
  const std::vector<std::pair<int, std::string>> log = {{1, "a x=1"}, {2, "a x=2"}, {3, "d"}, {4, "a x=3"}, {5, "a x=4"}, {6, "d"}, {7, "b"},
                                                        {8, "a x=5"}, {9, "c"},     {9, "d"}, {10, "a x=6"}, {60, "d"}, {100, "a x=7"}};
  for (std::size_t at = 0; at < log.size(); ++at) {
    INFO("restart before line " << at);
    Diagnosing whole(with_tell(rules)), cut(with_tell(rules));
    Rows rows;
    for (std::size_t i = 0; i < log.size(); ++i) {
      if (i == at) {
        cut.save(rows);
        cut.restart(rows);
      }
      whole.say(s(log[i].first), log[i].second);
      cut.say(s(log[i].first), log[i].second);
      CHECK(whole.bytes() == cut.bytes());
    }
    whole.step(MarkRecord{kStart + h(1)});
    cut.step(MarkRecord{kStart + h(1)});
    CHECK(whole.bytes() == cut.bytes());
    cut.save(rows);
    const auto left = std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.second.owner == "collected"; });
    CHECK(left == 0);
  }
}

TEST_CASE("lines: what a step gave is what its or_else gives, also when the texts are gone and after a restart") {
  Diagnosing d(with_tell(R"toml(
[[rule]]
id = "r"
on = "a"
collect = { name = "box", text = "${x}" }
then = { do = "tell", lines = "collected('box', host)", or_else = "tell" }
unset = "box"
)toml"));
  d.say(s(1), "a x=1");
  REQUIRE(d.out().decisions.size() == 1);
  const std::string id = d.out().decisions[0].id;
  Rows rows;
  d.save(rows);
  d.restart(rows);
  OutcomeRecord outcome;
  outcome.decision = id;
  outcome.result = OutcomeRecord::Result::failed;
  outcome.time = kStart + s(9);
  d.step(outcome);
  CHECK(told(d) == Shown{"+9s r host=h1 #1 tell() <1>"});
}

TEST_CASE("lines: one text, none, or a list of anything") {
  Diagnosing d(with_tell(R"toml(
[[rule]]
id = "r"
on = "a"
then = [{ do = "tell", lines = "x" }, { do = "tell", lines = "list ?? [n, 'two']" }, { do = "act", with = { what = "no lines" } }]
)toml"));
  d.say(s(1), "a n=7 x=one");
  CHECK(told(d) == Shown{"+1s r host=h1 #1 tell() <one>", "+1s r host=h1 #2 tell() <7> <two>", "+1s r host=h1 #3 act(no lines)"});
  CHECK(!d.out().decisions[2].lines);
  d.say(s(2), "a");
  REQUIRE(d.out().decisions[0].lines);
  CHECK(d.out().decisions[0].lines->empty());
}

TEST_CASE("a rule that collects decides only with `then`; its texts go when a reload takes it away") {
  constexpr std::string_view both = R"toml(
[[rule]]
id = "gather"
on = "a"
collect = { name = "box", text = "${x}" }
[[rule]]
id = "also"
on = "b"
collect = { name = "box", text = "also" }
then = { do = "tell", lines = "collected('box', host)" }
)toml";
  constexpr std::string_view one = R"toml(
[[rule]]
id = "also"
on = "b"
collect = { name = "box", text = "also" }
then = { do = "tell", lines = "collected('box', host)" }
)toml";
  Diagnosing d(with_tell(both));
  CHECK(d.say(s(1), "a x=1") == kNone);
  d.say(s(2), "b");
  CHECK(told(d) == Shown{"+2s also host=h1 #1 tell() <1> <also>"});
  Rows rows;
  d.save(rows);
  d.reload(with_tell(one));
  d.say(s(3), "b");
  CHECK(told(d) == Shown{"+3s also host=h1 #1 tell() <also>"});
  d.save(rows);
  CHECK(std::count_if(rows.begin(), rows.end(), [](const auto& row) { return row.second.owner == "collected"; }) == 1);
}

TEST_CASE("emit after: the event has its own time, survives a restart, and is cut by its condition") {
  constexpr std::string_view rules = R"toml(
[[rule]]
id = "begun"
on = "a"
clear = { event = "b" }
emit = [{ class = "s", after = "1m", unless = "cleared", fields = { k = "'late'" } }, { class = "s", fields = { k = "'now'" } }]
[[rule]]
id = "seen"
on = "s"
then = { do = "act", with = { what = "${k ?? ''}" } }
)toml";
  Diagnosing d(with_tell(rules));
  CHECK(d.say(s(10), "a") == Shown{"+10s begun host=h1", "+10s seen host=h1 #1 act(now)"});
  Rows rows;
  d.save(rows);
  d.restart(rows);
  CHECK(d.mark(s(75) - Duration{1}) == kNone);
  CHECK(d.mark(s(75)) == Shown{"+1m10s seen host=h1 #1 act(late)"});
  CHECK(d.out().decisions[0].evidence.size() == 1);
  d.say(s(80), "b");
  d.say(s(100), "a");
  d.say(s(120), "b");
  CHECK(d.mark(s(300)) == kNone);
  // A leap of the clock: the event comes before the line that made it leap.
  d.say(s(400), "a");
  CHECK(d.say(s(900), "a", "h2") == Shown{"+7m40s seen host=h1 #1 act(late)", "+15m begun host=h2", "+15m seen host=h2 #1 act(now)"});
}

}  // namespace
}  // namespace correlator::engine::test
