// SPDX-License-Identifier: Apache-2.0
#include "rules/timeline.h"

#include "catch.h"

namespace correlator::rules {
namespace {

using Kind = TimelineStep::Kind;

TEST_CASE("a timeline has times from its first line, arrivals, inputs and directives") {
  const Timeline t = parse_timeline(
      "2026-03-01T10:00:00Z kvm1 kernel: first\n"
      "\n"
      "# a remark\n"
      "+1h  kvm1 {imuxsock} kernel:  two  blanks \r\n"
      "+2h @+3h {tcp} kvm2 app[12]: x\n"
      "2026-03-02T00:00:00.5Z\tkvm1 kernel: absolute\n"
      "--- restart\n"
      "--- until +4h\n"
      "--- ack dimm.failing host=kvm1 dimm=D1\n"
      "--- action migrate fails\n"
      "  --- action migrate succeeds\n"
      "--- probe path failed kvm1  no answer: bond0 \n"
      "--- probe path ok\n"
      "--- probe path broken kvm1\n",
      {"f.toml", 10, 1});
  REQUIRE(t.diagnostics.empty());
  REQUIRE(t.steps.size() == 12);
  const Timestamp base = *parse_rfc3339("2026-03-01T10:00:00Z");
  CHECK(t.base == base);
  CHECK(t.steps[0].time == base);
  CHECK(t.steps[0].text == "kernel: first");
  CHECK_FALSE(t.steps[0].arrival);
  CHECK(t.steps[1].time == base + Duration::hours(1));
  CHECK(t.steps[1].input == "imuxsock");
  CHECK(t.steps[1].text == "kernel:  two  blanks ");
  CHECK(t.steps[1].place.line == 13);
  CHECK(t.steps[2].arrival == base + Duration::hours(3));
  CHECK(t.steps[2].host == "kvm2");
  CHECK(t.steps[2].input == "tcp");
  CHECK(to_rfc3339(t.steps[3].time) == "2026-03-02T00:00:00.500Z");
  CHECK(t.steps[4].kind == Kind::restart);
  CHECK(t.steps[5].kind == Kind::until);
  CHECK(t.steps[5].time == base + Duration::hours(4));
  CHECK(t.steps[6].target == "dimm.failing");
  CHECK(t.steps[6].key == "host=kvm1 dimm=D1");
  CHECK(t.steps[7].kind == Kind::fails);
  CHECK(t.steps[8].kind == Kind::succeeds);
  CHECK(t.steps[9].kind == Kind::probe_failed);
  CHECK(t.steps[9].target == "path");
  CHECK(t.steps[9].host == "kvm1");
  CHECK(t.steps[9].text == "no answer: bond0");
  CHECK(t.steps[10].kind == Kind::probe_ok);
  CHECK(t.steps[10].host.empty());
  CHECK(t.steps[11].kind == Kind::probe_broken);
}

TEST_CASE("a timeline that begins with a relative time counts from a fixed day") {
  const Timeline t = parse_timeline("+0s a b: c\n+1s a b: d", {});
  REQUIRE(t.steps.size() == 2);
  CHECK(to_rfc3339(t.base) == "2026-01-01T00:00:00Z");
  CHECK(to_rfc3339(t.steps[1].time) == "2026-01-01T00:00:01Z");
}

TEST_CASE("every bad line of a timeline is reported at its place, the others are kept") {
  const Timeline t = parse_timeline("+1h a b: c\nsoon a b: c\n+2h a\n--- action x\n+3h a b: c\n\x1b[31m a b",
                                    {"f.toml", 7, 1});
  CHECK(t.steps.size() == 2);
  REQUIRE(t.diagnostics.size() == 4);
  CHECK(t.diagnostics[0].place == Place{"f.toml", 8, 1});
  CHECK(t.diagnostics[1].place.line == 9);
  CHECK(t.diagnostics[2].place.line == 10);
  for (const Diagnostic& d : t.diagnostics) {
    CHECK(d.code == "E035");
    CHECK(to_text(d).find('\x1b') == std::string::npos);
  }
}

TEST_CASE("moments") {
  const Timestamp base = *parse_rfc3339("2026-01-01T00:00:00Z");
  CHECK(parse_moment("+90s", base) == base + Duration::seconds(90));
  CHECK(parse_moment("2026-01-01T00:00:00+01:00", base) == base + Duration::seconds(-3600));
  CHECK_FALSE(parse_moment("90s", base));
  CHECK_FALSE(parse_moment("+", base));
  CHECK_FALSE(parse_moment("", base));
}

}  // namespace
}  // namespace correlator::rules
