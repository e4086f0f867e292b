// SPDX-License-Identifier: Apache-2.0
// Lines as they arrive: times, backlogs, repeats; what live says, replay says.
#include "piping.h"

#include "syslog/parser.h"

using namespace correlator;
using namespace correlator::pipeline;
using namespace correlator::pipeline::test;
using Lines = std::vector<std::string>;

namespace {

Timestamp at(std::string_view text) { return *parse_rfc3339(text); }

Effective effective(std::string_view line, std::string_view arrival) {
  syslog::Message message;
  REQUIRE(syslog::Parser().parse(line, message));
  return effective_time(message, at(arrival), Zone{}, Duration::seconds(5));
}

}  // namespace

TEST_CASE("the time of a line that arrives: its own, its arrival, the nearest year") {
  struct Case {
    const char *line, *arrival, *time;
    bool undated, clamped;
  };
  const std::vector<Case> cases = {
      {"2026-01-01T00:00:00Z h k: x", "2026-01-01T00:00:01Z", "2026-01-01T00:00:00Z", false, false},
      {"2026-01-01T00:00:06Z h k: x", "2026-01-01T00:00:01Z", "2026-01-01T00:00:06Z", false, false},
      {"2026-01-01T00:00:06.000001Z h k: x", "2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z", false, true},
      {"2099-01-01T00:00:00Z h k: x", "2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z", false, true},
      {"1970-01-01T00:00:00Z h k: x", "2026-01-01T00:00:01Z", "1970-01-01T00:00:00Z", false, false},
      {"Dec 31 23:59:59 h k: x", "2026-01-01T00:00:01Z", "2025-12-31T23:59:59Z", false, false},
      {"Jan  1 00:00:01 h k: x", "2025-12-31T23:59:59Z", "2026-01-01T00:00:01Z", false, false},
      {"Feb 29 12:00:00 h k: x", "2025-03-01T00:00:00Z", "2024-02-29T12:00:00Z", false, false},
      {"EDAC MC0: x", "2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z", true, false},
      {"[   12.5] EDAC MC0: x", "2026-01-01T00:00:01Z", "2026-01-01T00:00:01Z", true, false},
  };
  for (const Case& c : cases) {
    INFO(c.line << " at " << c.arrival);
    const Effective got = effective(c.line, c.arrival);
    CHECK(to_rfc3339(got.time) == c.time);
    CHECK(got.undated == c.undated);
    CHECK(got.clamped == c.clamped);
  }
}

TEST_CASE("L11: a message stamped two days ahead is clamped and counted, and makes nothing late") {
  const SimulatedClock clock(at("2026-01-01T00:10:00Z"));
  const Run run = live(kRules,
                       "2026-01-03T00:00:00Z h1 k: error D9\n"
                       "2026-01-01T00:00:00Z h1 k: error D1\n"
                       "2026-01-01T00:00:01Z h1 k: error D1\n"
                       "2026-01-01T00:00:02Z h1 k: error D1\n",
                       clock);
  CHECK(run.decisions == Lines{"2026-01-01T00:00:02Z three host=h1 part=D1"});
  CHECK(run.counters.clamped == 1);
  CHECK(run.counters.late == 0);
}

TEST_CASE("L10: a backlog of two hours counts in its own time, makes no host fall silent, and goes on over a restart") {
  const testing::TempDir dir;
  const SimulatedClock clock(at("2026-01-01T02:00:00Z"));
  // A line each nine minutes: three in an hour, and never ten minutes without one.
  const Run first = live(kRules, "2026-01-01T00:00:00Z h1 k: error D1\n2026-01-01T00:09:00Z h1 k: error D1\n", clock, dir.path());
  CHECK(first.decisions.empty());
  const Run second = live(kRules, "2026-01-01T00:18:00Z h1 k: error D1\n", clock, dir.path());
  CHECK(second.decisions == Lines{"2026-01-01T00:18:00Z three host=h1 part=D1"});
  const Run spread = live(kRules,
                          "2026-01-01T00:00:00Z h2 k: error D1\n2026-01-01T00:09:59Z h2 k: error D2\n"
                          "2026-01-01T00:19:00Z h2 k: error D1\n2026-01-01T00:28:00Z h2 k: answer D1\n",
                          clock);
  CHECK(spread.decisions.empty());
  CHECK(recorded(dir.path()).empty());
}

TEST_CASE("marks move the clock, so that what fell silent is found while nothing else is said") {
  const SimulatedClock clock(at("2026-01-01T02:00:00Z"));
  const Run run = live(kRules,
                       "2026-01-01T00:00:00Z h1 k: error D1\n"
                       "2026-01-01T00:10:04Z h1 rsyslogd: -- MARK --\n",
                       clock);
  CHECK(run.decisions.empty());
  const Run due = live(kRules,
                       "2026-01-01T00:00:00Z h1 k: error D1\n"
                       "2026-01-01T00:10:05Z h1 rsyslogd: -- MARK --\n",
                       clock);
  CHECK(due.decisions == Lines{"2026-01-01T00:10:00Z silent host=h1"});
}

TEST_CASE("a repeat counts what it repeats, however the lines come in") {
  const SimulatedClock clock(at("2026-01-01T02:00:00Z"));
  const std::string text =
      "2026-01-01T00:00:00Z h1 k: error D1\n2026-01-01T00:00:00Z h2 k: nothing\n"
      "2026-01-01T00:00:01Z h1 last message repeated 2 times\n2026-01-01T00:00:01Z h2 last message repeated 9 times\n";
  for (const std::size_t piece : {std::size_t{1}, std::size_t{7}, text.size()}) {
    CHECK(live(kRules, text, clock, {}, piece).decisions == Lines{"2026-01-01T00:00:01Z three host=h1 part=D1"});
  }
}

TEST_CASE("L7: what live decided the archive decides again, and the recorded run to the byte") {
  const testing::TempDir dir;
  std::string text;
  for (int i = 0; i < 300; ++i) {
    char line[96];
    // Ties, three hosts, gaps of up to half an hour, some lines a second late.
    const int second = i * 200 - (i % 7 == 0 ? 1 : 0) + (i % 50 == 0 ? 900 : 0);
    std::snprintf(line, sizeof line, "2026-01-01T%02d:%02d:%02dZ h%d k: %s D%d\n", second / 3600 % 24, second / 60 % 60, second % 60,
                  i % 3, i % 5 == 0 ? "answer" : "error", i % 2);
    text += line;
  }
  dir.write("log", text);
  const SimulatedClock clock(at("2026-01-02T00:00:00Z"));
  const Run lived = live(kRules, text, clock, dir.path() / "live");
  const Run replayed = replay_files(kRules, {(dir.path() / "log").string()}, dir.path() / "replay");
  REQUIRE(lived.decisions.size() > 10);
  CHECK(lived.decisions == replayed.decisions);
  CHECK(lived.ids == replayed.ids);
  CHECK(recorded(dir.path() / "live").empty());
  CHECK(recorded(dir.path() / "replay").empty());
}
