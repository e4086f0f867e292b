// SPDX-License-Identifier: Apache-2.0
// How long a rule may remember: each thing it can wait for counts, and what has no end says so.
#include "rules/memory.h"

#include "catch.h"
#include "rules/loader.h"

using namespace correlator;
using namespace correlator::rules;

namespace {

constexpr const char* kHead = R"T(format = 1
[class.e]
key = ["host"]
[class.f]
key = ["host"]
[[event]]
id = "e"
class = "e"
match = 'an error of (?P<what>\w+)'
[[event]]
id = "f"
class = "f"
match = 'an answer of (?P<what>\w+)'
)T";

Memory of(const std::string& more) {
  Loaded loaded = load({{"t.toml", kHead + more}});
  for (const Diagnostic& d : loaded.diagnostics) UNSCOPED_INFO(to_text(d));
  REQUIRE(loaded.rules != nullptr);
  return memory_of(*loaded.rules, Duration::seconds(5), Duration::hours(24));
}

// Of one rule, without what every rule has: the lateness of lines, and some disorder.
std::string span(const std::string& rule) {
  const RuleMemory memory = of("[[rule]]\nid = \"r\"\n" + rule).rules.at(0);
  if (memory.for_ever) return "for ever";
  if (memory.span.us == 0) return "nothing";
  return to_string(memory.span - Duration::hours(24) - Duration::seconds(20));
}

}  // namespace

TEST_CASE("a rule remembers as long as its window, its case, its brake and its steps together") {
  CHECK(span("on = \"e\"\n") == "nothing");
  CHECK(span("on = \"e\"\ncooldown = \"5m\"\n") == "5m");
  CHECK(span("on = \"e\"\ncount = \"3 in 1h\"\n") == "3h");  // its case is open for an hour of quiet, perhaps twice
  CHECK(span("on = \"e\"\ncount = \"3 in 1h\"\nclear = { quiet_for = \"2h\" }\n") == "5h");
  CHECK(span("on = \"e\"\ncount = { threshold = \"3 in 1h\", rearm = \"at-once\" }\n") == "1h");
  CHECK(span("on = \"e\"\ncount = { threshold = \"3 in 1h\", rearm = \"at-once\" }\nhold = \"1m\"\n") == "1h1m");
  CHECK(span("on = \"e\"\nignore = { on = \"f\", before = \"5s\", after = \"2m\" }\n") == "2m5s");
  CHECK(span("key = [\"host\"]\nsequence = { within = \"10m\", steps = [\"e\", \"f\"] }\n") == "10m");
  CHECK(span("key = [\"host\"]\nabsence = { of = \"e\", for = \"45m\" }\n") == "45m");
  CHECK(span("on = \"e\"\nclear = { lasts = \"10m\" }\n") == "20m");
}

TEST_CASE("what only an event or a person ends is remembered for ever") {
  CHECK(span("on = \"e\"\nclear = \"manual\"\n") == "for ever");
  CHECK(span("on = \"e\"\ncount = \"3 in 1h\"\nclear = { event = \"f\" }\n") == "for ever");
  CHECK(span("on = \"e\"\nstreak = 3\nbroken_by = \"f\"\n") == "for ever");
  CHECK(span("key = [\"host\"]\nabsence = { after = \"e\", of = \"f\", within = \"2m\" }\n") == "for ever");
  CHECK(span("on = \"e\"\nclear = { event = \"f\", lasts = \"10m\" }\n") == "20m");
}

TEST_CASE("rules that others see are counted one after the other") {
  const Memory memory = of(R"T([[rule]]
id = "a"
on = "e"
cooldown = "1h"
emit = { class = "f" }
[[rule]]
id = "b"
on = "e"
cooldown = "2h"
[[rule]]
id = "c"
on = "f"
where = "not open('b', host)"
cooldown = "3h"
)T");
  CHECK(memory.rules.at(0).influences);
  CHECK(memory.rules.at(1).influences);
  CHECK_FALSE(memory.rules.at(2).influences);
  CHECK(memory.influencing == memory.rules.at(0).span + memory.rules.at(1).span);
  CHECK(memory.longest == memory.rules.at(2).span);
  CHECK(memory.reach() == memory.influencing + memory.longest + memory.longest);
  CHECK_FALSE(memory.for_ever());
}

TEST_CASE("records and the last value of a counter are remembered, too; a schedule with a cooldown has a phase of its own") {
  const Memory memory = of(R"T([[event]]
id = "total"
class = "f"
match = 'a total of (?P<n>\d+)'
types = { n = "int" }
weight = { increase_of = "n", per = ["host"] }
[[event]]
id = "record"
class = "e"
[event.record]
once = ['^begin (?P<part>\w+)', '^middle (?P<what>\w+)']
last = '^end (?P<how>\w+)$'
same = ["host"]
within = "1h"
[[rule]]
id = "daily"
schedule = "0 6 * * *"
cooldown = "3d"
)T");
  CHECK(memory.counters == std::vector<bool>{false, false, true, false});
  CHECK(memory.events.at(0) == Duration{});
  CHECK(memory.events.at(3) == Duration::hours(1) + Duration::seconds(20));
  CHECK(memory.decoding == memory.events.at(3));
  CHECK(memory.for_ever());
  CHECK(memory.schedule == "daily");
}
