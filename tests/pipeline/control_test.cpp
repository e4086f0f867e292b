// SPDX-License-Identifier: Apache-2.0
// What operators ask of an engine.
#include <fstream>

#include "pipeline/control.h"
#include "piping.h"

using namespace correlator;
using namespace correlator::pipeline;
using namespace correlator::pipeline::test;

namespace {

std::string golden(const char* name) {
  std::ifstream in(std::string(CORRELATOR_SOURCE_DIR "/tests/pipeline/errors/") + name);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

ControlRequest request(std::string verb, std::string rule, std::string key = {}) {
  auto parsed = parse_request(to_line(ControlRequest{std::move(verb), {engine::CommandRecord::Verb::ack, std::move(rule), std::move(key), {}, "anna"}}));
  REQUIRE(parsed.ok());
  return *parsed;
}

}  // namespace

TEST_CASE("a request travels as a line and back; what is none is refused") {
  const ControlRequest got = request("silence", "three", "host=h1 part=D1");
  CHECK(got.command.verb == engine::CommandRecord::Verb::silence);
  CHECK(got.command.key == "host=h1 part=D1");
  CHECK(got.command.author == "anna");
  for (const char* line : {"", "{", "[]", R"({"verb":"format"})"}) {
    CHECK(to_text(parse_request(line).error()) == golden("E511-unknown.txt"));
  }
}

TEST_CASE("commands say what they met, and what they did not") {
  auto session = Session::start(load_rules(kRules), std::nullopt, {}, {});
  REQUIRE(session.ok());
  for (const char* text : {"2026-01-01T00:00:00Z h1 k: error D1", "2026-01-01T00:00:01Z h1 k: error D1", "2026-01-01T00:00:02Z h1 k: error D1"}) {
    Line line;
    line.frame = text;
    line.stream = "log";
    line.time = *parse_rfc3339(std::string_view(text).substr(0, 20));
    (*session)->line(line);
  }
  CHECK(to_text(carry_out(**session, request("ack", "thre")).error()) == golden("E512-no-rule.txt"));
  CHECK(to_text(carry_out(**session, request("reset", "three", "host=h2 part=D1")).error()) == golden("E513-no-window.txt"));
  CHECK(*carry_out(**session, request("ack", "three", "host=h1 part=D1")) == "three host=h1 part=D1: 1 open case acknowledged");
  CHECK((*session)->engine().open_cases() == 1);
  CHECK(*carry_out(**session, request("reset", "three")) == "three: 1 case closed, 1 window forgotten");
  CHECK((*session)->engine().open_cases() == 0);
}
