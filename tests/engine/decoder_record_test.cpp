// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "decoding.h"

namespace correlator::engine::test {
namespace {

// An imaginary report of several lines: its number, any details, an end.
constexpr std::string_view kReports = R"toml(
[class."cpu.corrected"]
key      = ["host", "cpu"]
requires = { cpu = "int" }
may      = { sev = "text", bank = "int", detail = "list" }

[class.line]
key = ["host"]

[class."pack.unknown-value"]
key = ["host"]

[[event]]
id     = "report"
class  = "cpu.corrected"
types  = { cpu = "int", bank = "int" }
let    = { severity = "sev == 'bad' ? 'fatal' : 'corrected'" }
stale  = "bank == 99"
[event.record]
once   = ['^(?:(?P<seq>\{\d+\}))?cpu (?P<cpu>\d+)', '^(?:(?P<seq>\{\d+\}))?bank (?P<bank>\d+)', '^sev (?P<sev>\w+)']
many   = ['^(?:(?P<seq>\{\d+\}))?detail (?P<detail>\w+)']
last   = ['^(?:(?P<seq>\{\d+\}))?end']
same   = ["host", "seq"]
within = "10s"
needs  = ["cpu"]

[[event]]
id    = "any line"
class = "line"
match = '^(?:\{\d+\})?(?:cpu|other)'
)toml";

Duration s(std::int64_t n) {
  return Duration::seconds(n);
}

TEST_CASE("lines of a record are one event at the time of the first, and are not decoded alone") {
  Decoding d(kReports);
  CHECK(d.say("{1}bank 7", s(0)).empty());
  CHECK(d.say("{1}detail a", s(1)).empty());
  CHECK(d.say("{1}cpu 3", s(2)).empty());
  CHECK(d.say("{1}detail b", s(3)).empty());
  CHECK(d.decoder().open_records() == 1);
  const auto events = d.say("{1}end", s(4));
  CHECK(d.show(events) == Shown{"cpu.corrected corrected x1 1,2,3,4,5 +0s bank=7 cpu=3 detail=a,b seq={1}"});
  CHECK(d.text(events[0], "text") == "{1}bank 7");
  CHECK(d.decoder().open_records() == 0);
  CHECK(d.evidence().size() == 0);
  CHECK(d.show(d.say("other", s(5))) == Shown{"line info x1 6 +5s"});
}

TEST_CASE("also: the line is decoded alone as well") {
  std::string rules(kReports);
  const std::string once = "once   = ['";
  rules.replace(rules.find(once), once.size() + rules.substr(rules.find(once) + once.size()).find("'"),
                R"(once   = [{ match = '^(?:(?P<seq>\{\d+\}))?cpu (?P<cpu>\d+)', also = true }, ')");
  rules.erase(rules.find(", ''"), 4);
  Decoding d(rules);
  CHECK(d.show(d.say("{1}cpu 3")) == Shown{"line info x1 1 +0s"});
  CHECK(d.decoder().open_records() == 1);
}

TEST_CASE("a second line of a once pattern opens the next record") {
  Decoding d(kReports);
  d.say("{1}cpu 3", s(0));
  d.say("{1}bank 1", s(1));
  CHECK(d.show(d.say("{1}cpu 4", s(2))) == Shown{"cpu.corrected corrected x1 1,2 +0s bank=1 cpu=3 seq={1}"});
  CHECK(d.show(d.end()) == Shown{"cpu.corrected corrected x1 3 +2s cpu=4 seq={1}"});
}

TEST_CASE("records with other values of same stay apart") {
  Decoding d(kReports);
  d.say("{1}cpu 1", s(0));
  d.say("{2}cpu 2", s(0));
  Said other{"{1}cpu 3"};
  other.host = "kvm2";
  d.say(other);
  CHECK(d.decoder().open_records() == 3);
  CHECK(d.show(d.say("{1}end", s(1))) == Shown{"cpu.corrected corrected x1 1,4 +0s cpu=1 seq={1}"});
  CHECK(d.show(d.say("{2}end", s(1))) == Shown{"cpu.corrected corrected x1 2,5 +0s cpu=2 seq={2}"});
}

TEST_CASE("within counts from the begin: the microsecond before it joins, at it the next record opens") {
  Decoding d(kReports);
  d.say("{1}cpu 1", s(0));
  CHECK(d.say("{1}bank 2", s(10) - Duration{1}).empty());
  CHECK(d.show(d.say("{1}detail x", s(10))) ==
        Shown{"cpu.corrected corrected x1 1,2 +0s bank=2 cpu=1 seq={1}"});
  CHECK(d.decoder().open_records() == 1);
  // The other direction: a line from before the record.
  CHECK(d.say("{1}cpu 5", Duration{1}).empty());
  CHECK(d.show(d.end()) == Shown{"cpu.corrected corrected x1 3,4 +10s cpu=5 detail=x seq={1}"});
  d.say("{1}cpu 6", s(30));
  CHECK(d.show(d.say("{1}bank 7", s(20))) == Shown{"cpu.corrected corrected x1 5 +30s cpu=6 seq={1}"});
  CHECK(d.end().empty());  // bank alone has no cpu
}

TEST_CASE("a record times out when the clock reaches begin + within + disorder") {
  Decoding d(kReports);
  d.say("{1}cpu 1", s(0));
  CHECK(d.decoder().next_deadline() == kStart + s(10));
  CHECK(d.tick(kStart + s(15) - Duration{1}).empty());
  CHECK(d.show(d.tick(kStart + s(15))) == Shown{"cpu.corrected corrected x1 1 +0s cpu=1 seq={1}"});
  CHECK_FALSE(d.decoder().next_deadline());
}

TEST_CASE("time-outs come in the order of deadline, event and values") {
  Decoding d(kReports);
  for (const int seq : {5, 3, 4}) d.say("{" + std::to_string(seq) + "}cpu 1", s(1));
  d.say("{9}cpu 1", s(0));
  const auto events = d.tick(kStart + s(100));
  REQUIRE(events.size() == 4);
  CHECK(d.text(events[0], "seq") == "{9}");
  CHECK(d.text(events[1], "seq") == "{3}");
  CHECK(d.text(events[2], "seq") == "{4}");
  CHECK(d.text(events[3], "seq") == "{5}");
}

TEST_CASE("a line without a value of same joins the latest begun; several are ambiguous") {
  Decoding d(kReports);
  d.say("{1}cpu 1", s(0));
  CHECK(d.say("sev bad", s(1)).empty());
  CHECK(d.counters.ambiguous == 0);
  d.say("{2}cpu 2", s(2));
  Said other{"{3}cpu 3", s(4)};
  other.host = "kvm2";
  d.say(other);
  CHECK(d.say("sev bad", s(3)).empty());
  CHECK(d.counters.ambiguous == 1);
  CHECK(d.show(d.end()) == Shown{"cpu.corrected fatal x1 1,2 +0s cpu=1 seq={1} sev=bad",
                                 "cpu.corrected fatal x1 3,5 +2s cpu=2 seq={2} sev=bad",
                                 "cpu.corrected corrected x1 4 +4s cpu=3 seq={3}"});
}

TEST_CASE("a line without a value of same opens a record without it") {
  Decoding d(kReports);
  d.say("sev bad", s(0));
  d.say("sev good", s(1));  // completes the first, which has no cpu
  CHECK(d.decoder().open_records() == 1);
  d.say("{1}cpu 1", s(2));  // another value: another record
  CHECK(d.decoder().open_records() == 2);
  CHECK(d.show(d.end()) == Shown{"cpu.corrected corrected x1 3 +2s cpu=1 seq={1}"});
  CHECK(d.counters.incomplete == 0);  // without what it needs it is no event at all
}

TEST_CASE("a once capture that is set again keeps the first value") {
  Decoding d(kReports);
  d.say("{1}cpu 1");
  d.say("{1}bank 1");
  const auto events = d.say("{1}end");
  CHECK(d.text(events[0], "seq") == "{1}");
}

TEST_CASE("at max_lines a record is complete") {
  Decoding d(kReports);
  for (int i = 0; i < 62; ++i) CHECK(d.say("{1}detail a").empty());
  CHECK(d.say("{1}cpu 1").empty());
  const auto events = d.say("{1}detail b");
  REQUIRE(events.size() == 1);
  CHECK(events[0].lines.size() == 64);
  CHECK(d.field(events[0], "detail").list()->size() == 63);
}

TEST_CASE("a repeated line is offered to its record as often, and multiplies nothing") {
  Decoding d(kReports);
  Said said{"{1}detail a"};
  said.repeated = 3;
  d.say(said);
  said.text = "{1}cpu 1";
  // The second and third time it opens a record of its own.
  CHECK(d.show(d.say(said)) == Shown{"cpu.corrected corrected x1 1,2 +0s cpu=1 detail=a,a,a seq={1}",
                                     "cpu.corrected corrected x1 2 +0s cpu=1 seq={1}"});
  CHECK(d.show(d.end()) == Shown{"cpu.corrected corrected x1 2 +0s cpu=1 seq={1}"});
  said.text = "{1}detail b";
  said.repeated = 1'000'000;
  d.say(said);
  CHECK(d.decoder().open_records() == 0);
}

TEST_CASE("a late record is judged by its first line, when that came") {
  Decoding d(kReports);
  d.say("{1}cpu 1", s(0));
  // A gap of two days in an archive makes no record late.
  CHECK(d.show(d.say("other", Duration::days(2))) ==
        Shown{"cpu.corrected corrected x1 1 +0s cpu=1 seq={1}", "line info x1 2 +2d"});
  d.say("{1}cpu 2", s(0));
  CHECK(d.show(d.end()) == Shown{"cpu.corrected corrected x1 3 +0s late cpu=2 seq={1}"});
}

TEST_CASE("trust is the lowest of the lines") {
  Decoding d(kReports);
  Said said{"{1}cpu 1"};
  said.origin = syslog::Origin::kernel;
  d.say(said);
  said.text = "{1}bank 1";
  d.say(said);
  said.text = "{1}end";
  CHECK(d.say(said)[0].trust == Trust::vouched);
  said.text = "{1}cpu 1";
  d.say(said);
  said.text = "{1}end";
  said.origin = syslog::Origin::claimed_kernel;
  CHECK(d.say(said)[0].trust == Trust::claimed);
}

TEST_CASE("open records of an event are bounded: the oldest begun is completed, not lost") {
  Decoding d(kReports);
  for (int i = 0; i < 10'000; ++i) d.say("{" + std::to_string(i) + "}cpu 1", s(i == 7 ? 0 : 1));
  CHECK(d.counters.evicted == 0);
  CHECK(d.show(d.say("{10000}cpu 1", s(1))) == Shown{"cpu.corrected corrected x1 8 +0s cpu=1 seq={7}"});
  CHECK(d.counters.evicted == 1);
  CHECK(d.decoder().open_records() == 10'000);
}

constexpr std::string_view kEarly = R"toml(
[class.c]
key = ["host"]
requires = { what = "text" }
may = { id = "text", all = "text" }

[[event]]
id     = "e"
class  = "c"
let    = { all = "id + '/' + what" }
weight = "id == 'zero' ? 0 : 2"
[event.record]
once   = ['^id (?P<id>\w+)', '^what (?P<what>\w+)', '^(?P<fatal>fatal)']
many   = ['^more']
last   = ['^end']
same   = ["host"]
within = "10s"
ready  = ["all"]
early  = "has(fatal)"
)toml";

TEST_CASE("a record whose ready fields are known is delivered at once and only once") {
  Decoding d(kEarly);
  CHECK(d.say("id 7", s(0)).empty());
  CHECK(d.show(d.say("what x", s(1))) == Shown{"c info x2 1,2 +0s all=7/x id=7 what=x"});
  CHECK(d.decoder().open_records() == 1);
  CHECK(d.say("more", s(2)).empty());
  CHECK(d.say("end", s(3)).empty());
  CHECK(d.decoder().open_records() == 0);
  CHECK(d.evidence().size() == 0);
  d.say("what y", s(4));
  CHECK(d.show(d.say("end", s(5))) ==
        Shown{"c info x2 5,6 +4s what=y"});  // at its end, without what was ready
}

TEST_CASE("early delivers at once, but nothing that is incomplete") {
  Decoding d(kEarly);
  CHECK(d.say("fatal", s(0)).empty());
  CHECK(d.show(d.say("what x", s(1))) == Shown{"c info x2 1,2 +0s fatal=fatal what=x"});
  CHECK(d.tick(kStart + s(20)).empty());
  CHECK(d.say("fatal", s(20)).empty());
  CHECK(d.end().empty());
  CHECK(d.counters.incomplete == 1);
}

TEST_CASE("a record whose class is not known yet is looked at again with its next line") {
  Decoding d(R"toml(
[class.c]
key = ["host"]

[class."pack.unknown-value"]
key = ["host"]

[map.class_of]
a = "c"

[[event]]
id    = "e"
class = "${class_of(kind ?? 'b')}"
[event.record]
once   = ['^fatal', '^kind (?P<kind>\w+)']
within = "10s"
early  = "true"
)toml");
  CHECK(d.say("fatal", s(0)).empty());
  CHECK(d.show(d.say("kind a", s(1))) == Shown{"c info x1 1,2 +0s kind=a"});
  d.say("fatal", s(20));
  CHECK(d.show(d.end()) == Shown{"pack.unknown-value info x1 3 +20s"});
}

TEST_CASE("a record of weight 0 is no event, also when it is delivered early") {
  Decoding d(kEarly);
  d.say("id zero", s(0));
  CHECK(d.say("what x", s(1)).empty());
  CHECK(d.say("end", s(2)).empty());
}

TEST_CASE("a reload keeps the records of events that are still there with the same fields") {
  Decoding d(kReports);
  d.say("{1}cpu 1", s(0));
  std::string longer(kReports);
  longer.replace(longer.find("within = \"10s\""), 14, "within = \"60s\"");
  d.reload("[class.first]\nkey = [\"host\", \"sooner\"]\nmay = { sooner = \"text\" }\n" + longer);
  CHECK(d.decoder().next_deadline() == kStart + s(60));
  CHECK(d.show(d.say("{1}end", s(30))) == Shown{"cpu.corrected corrected x1 1,2 +0s cpu=1 seq={1}"});
  d.say("{2}cpu 1", s(31));
  std::string other(kReports);
  other.replace(other.find("same   = [\"host\", \"seq\"]"), 24, "same   = [\"host\"]       ");
  d.changes();
  d.reload(other);
  CHECK(d.decoder().open_records() == 0);
  CHECK(d.evidence().size() == 0);
  const auto rows = d.changes();
  CHECK(std::count_if(rows.begin(), rows.end(), [](const StateRow& row) { return row.erased; }) == 2);
}

}  // namespace
}  // namespace correlator::engine::test
