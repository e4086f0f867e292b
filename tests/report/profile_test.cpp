// SPDX-License-Identifier: Apache-2.0
#include "report/profile.h"

#include "base/json.h"
#include "catch.h"

using namespace correlator;
using namespace correlator::report;

namespace {

ProfilePage page() {
  ProfilePage page;
  page.patterns = {{"edac.ce", "rules/10-edac.toml", 34, {" ce "}, 1200, 1000, 900, 1'500'000},
                   {"idle", "rules/10-edac.toml", 50, {"never"}, 0, 0, 0, 0},
                   {"any", "site.toml", 7, {}, 0, 31, 2, 2'000'000'000},
                   {"hostile", "a\x1b[31m.toml", 1, {"\x1b]0;x", "two", "a literal that is much longer than the column"}, 3, 0, 0, 0}};
  page.rules = {{"dimm.failing", 900, 2, 40'000'000}, {"never", 0, 0, 0}, {"nor", 0, 0, 0}, {"silent", 0, 1, 60'000'000}};
  page.scan_ns = 250'000'000;
  page.unfiltered_ns = 1'500'000'000;
  page.confirm_ns = 502'000'000;
  page.engine_ns = 130'000'000;
  page.decoding_ns = 20'000'000;
  return page;
}

}  // namespace

TEST_CASE("a profile for people: the dearest first, and what did nothing only counted") {
  CHECK(profile_text(page()) ==
        "Patterns: 0.250 s for all literals at once, 1.500 s for the patterns without one (shared out among them), 0.502 s to confirm:\n"
        "   seconds       found       tried     matched  pattern\n"
        "     2.000           -          31           2  any (site.toml:7) no literal: each line is tried\n"
        "     0.002        1200        1000         900  edac.ce (rules/10-edac.toml:34) \" ce \"\n"
        "     0.000           3           0           0  hostile (a\\x1b[31m.toml:1) \"\\x1b]0;x\" \"two\" \"a literal that is much…\n"
        "                                                1 pattern found in no line\n"
        "Rules: 0.130 s in the engine, 0.020 s of it decoding events, 0.100 s in rules:\n"
        "   seconds      events   decisions  rule\n"
        "     0.060           0           1  silent\n"
        "     0.040         900           2  dimm.failing\n"
        "                                    2 rules with nothing to do\n");
}

TEST_CASE("a profile for programs has all rows") {
  ProfilePage two = page();
  two.patterns.resize(3);
  two.rules.resize(2);
  two.patterns.erase(two.patterns.begin());
  CHECK(profile_json(two) == Json::parse(R"({"type":"profile","scan_seconds":0.25,"unfiltered_seconds":1.5,"confirm_seconds":0.502,"engine_seconds":0.13,"decoding_seconds":0.02,
    "patterns":[
      {"event":"any","file":"site.toml","line":7,"literals":[],"found":0,"tried":31,"matched":2,"seconds":2.0},
      {"event":"idle","file":"rules/10-edac.toml","line":50,"literals":["never"],"found":0,"tried":0,"matched":0,"seconds":0.0}],
    "rules":[
      {"rule":"dimm.failing","events":900,"decisions":2,"seconds":0.04},
      {"rule":"never","events":0,"decisions":0,"seconds":0.0}]})"));
}
