// SPDX-License-Identifier: Apache-2.0
// What a vendor's file says of its rules is true of them as they were written: a site that changes a setting or overrides a rule
// breaks none of its tests. What the site's own files say is true after the change.
#include "catch.h"
#include "pipeline/checker.h"
#include "rules/loader.h"

using namespace correlator;
using namespace correlator::pipeline;

namespace {

const char* const kVendor = R"toml(format = 1
[settings]
many = "2 in 1h"
[class.hit]
key = ["host"]
[[event]]
id = "hit"
class = "hit"
match = '^hit'
weight = "1"
[[event.sample]]
line = "Jan  1 00:00:00 h app: hit"
expect = { class = "hit", weight = 1 }
[[rule]]
id = "vendor"
on = "hit"
count = "${settings.many}"
then = ["act"]
[[rule.test]]
name = "the second"
log = '''
2026-01-01T00:00:00Z h app: hit
+1s                  h app: hit
'''
expect = [{ at = "+1s", action = "act", key = { host = "h" } }]
[action.act]
run = "act"
)toml";

std::string site(const std::string& more) { return "format = 1\n" + more; }

std::string site_rule(int at) {
  return R"toml(
[[rule]]
id = "site"
on = "hit"
count = "${settings.many}"
then = ["act"]
[[rule.test]]
name = "the site's"
log = '''
2026-01-01T00:00:00Z h app: hit
+1s                  h app: hit
+2s                  h app: hit
'''
)toml" + ("expect = [{ at = \"+" + std::to_string(at) + "s\", action = \"act\", key = { host = \"h\" } }]\n");
}

CheckReport check(std::vector<rules::RuleFile> files) {
  auto loaded = rules::load(std::move(files));
  for (const Diagnostic& d : loaded.diagnostics) UNSCOPED_INFO(to_text(d));
  REQUIRE(loaded.rules != nullptr);
  CheckReport report = check_rules(loaded.rules);
  std::erase_if(report.diagnostics, [](const Diagnostic& d) { return d.gravity == Gravity::warning; });
  for (const Diagnostic& d : report.diagnostics) UNSCOPED_INFO(to_text(d));
  return report;
}

}  // namespace

TEST_CASE("a site changes a setting: the vendor's tests hold, and so do its own, each of its own value") {
  const CheckReport report = check({{"vendor/a.toml", kVendor}, {"site/a.toml", site(site_rule(2))}, {"site/b.toml", site("[settings]\nmany = \"3 in 1h\"\n")}});
  CHECK(report.diagnostics.empty());
  CHECK(report.tests == 2);
  CHECK(report.samples == 1);
}

TEST_CASE("a site's test that says what was so before its change fails") {
  const CheckReport report = check({{"vendor/a.toml", kVendor}, {"site/a.toml", site(site_rule(1) + "[settings]\nmany = \"3 in 1h\"\n")}});
  REQUIRE(!report.diagnostics.empty());
  for (const Diagnostic& d : report.diagnostics) {
    CHECK(d.code == "E071");
    CHECK(d.place.file == "site/a.toml");
  }
}

TEST_CASE("a site overrides a rule and an event: what the vendor says of them holds of the vendor's") {
  for (const char* change : {"[[override]]\nrule = \"vendor\"\nwhy = \"no\"\noff = true\n",
                             "[[override]]\nrule = \"vendor\"\nwhy = \"later\"\nset = { count = \"5 in 1h\" }\n",
                             "[[override]]\nevent = \"hit\"\nwhy = \"worse\"\nset = { weight = \"4\" }\n"}) {
    CAPTURE(change);
    const CheckReport report = check({{"vendor/a.toml", kVendor}, {"site/a.toml", site(change)}});
    CHECK(report.diagnostics.empty());
    CHECK(report.tests == 1);
    CHECK(report.samples == 1);
  }
}

TEST_CASE("within one directory a change is the author's own, and his tests see it") {
  const CheckReport report = check({{"vendor/a.toml", kVendor}, {"vendor/b.toml", site("[[override]]\nrule = \"vendor\"\nwhy = \"later\"\nset = { count = \"5 in 1h\" }\n")}});
  REQUIRE(report.diagnostics.size() == 1);
  CHECK(report.diagnostics[0].code == "E071");
}
