// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "syslog/archive_clock.h"
#include "syslog/parser.h"

using namespace correlator::syslog;

TEST_CASE("smoke") {
  Parser p;
  Message m;
  REQUIRE(p.parse("Nov  3 17:40:22 h1 kernel: [   12.345678] EDAC MC0: 1 CE", m));
  CHECK(m.host == "h1");
  CHECK(m.program == "kernel");
  CHECK(m.text == "EDAC MC0: 1 CE");
}
