// SPDX-License-Identifier: Apache-2.0
// The example that the language was designed around.
#include "catch.h"
#include "load.h"

namespace correlator::rules {
namespace {

constexpr std::string_view kLook = R"LOOK(format = 1

[[event]]
id     = "edac-3.5-and-later"
class  = "${cls == 'CE' ? 'memory.corrected' : 'memory.uncorrected'}"
from   = "kernel"
match  = 'EDAC (?P<mc>MC\d+): (?:(?P<n>\d+) )?(?P<cls>[CU]E) (?P<what>.*?) ?\bon (?P<label>.+?) \((?P<loc>.*?) ?page:(?P<page>0x[0-9a-f]+) offset:'
types  = { n = "int", page = "hex" }
weight = "max(1, n ?? 1)"
channel = "edac"
let    = { dimm = "label in ['', ':', 'unknown memory', 'any memory'] ? mc + '/' + loc : label", severity = "cls == 'CE' ? 'corrected' : 'uncorrected'" }

[[rule]]
id    = "dimm.failing"
title = "a DIMM that keeps correcting errors: move the guests while it still can"
on    = "memory.corrected"
count = "${settings.dimm_ce}"
clear = { quiet_for = "72h" }
then  = ["migrate-guests", "crm-standby"]

[[rule]]
id    = "ue.in-guest"
title = "uncorrected error inside a guest: restart it elsewhere, migrate the others"
on    = "memory.uncorrected"
key   = ["host", "page ?? part"]
let   = { hit = "guest_by_pid(host, pid).name" }
where = "has(hit)"
[[rule.then]]
do      = "suspend-guest"
with    = { guest = "${hit}" }
or_else = "fence-guest"
[[rule.then]]
each    = "guests_on(host)"
as      = "g"
where   = "g.name != hit"
at_once = 2
do      = "migrate-guest"
with    = { guest = "${g.name}" }
)LOOK";

TEST_CASE("the example of the language loads") {
  const Loaded loaded = test::load_text(kLook);
  REQUIRE(test::errors(loaded) == "");
  REQUIRE(loaded.rules);
  const RuleSet& set = *loaded.rules;
  REQUIRE(set.events.size() == 1);
  CHECK(set.events[0].lets.size() == 2);
  CHECK(set.events[0].lines[0].captures.size() == 7);
  CHECK(set.patterns[0].compiled);
  REQUIRE(set.rules.size() == 2);
  const auto& count = std::get<Count>(set.rules[0].operation);
  CHECK(count.threshold.count == 10);
  CHECK(count.threshold.within == Duration::hours(24));
  CHECK(set.rules[0].key_names == std::vector<std::string>{"host", "dimm"});
  CHECK(set.rules[0].clear.quiet_for == Duration::hours(72));
  CHECK(set.rules[0].then.size() == 2);
  CHECK(set.rules[1].key_names == std::vector<std::string>{"host", "page"});
  const Step& second = set.rules[1].then.at(1);
  CHECK(second.at_once == 2);
  CHECK(second.args.size() == 1);
  CHECK(second.with[0].first == "guest");
  CHECK(set.rules[1].then[0].or_else_args.size() == 1);
  CHECK(set.rules[0].state_identity != set.rules[1].state_identity);
}

}  // namespace
}  // namespace correlator::rules
