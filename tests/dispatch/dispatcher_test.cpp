// SPDX-License-Identifier: Apache-2.0
// One action: how it is started, bounded, ended and recorded.
#include <unistd.h>

#include "base/json.h"
#include "bench.h"
#include "engine/json.h"

using namespace correlator;
using namespace correlator::dispatch;
using namespace correlator::dispatch::test;

TEST_CASE("an action gets its arguments as they are, the document on stdin, and nothing of ours") {
  Bench b("[action.act]\nrun = \"act\"\n",
          "printf '%s\\n' \"$@\" >$DIR/argv; cat >$DIR/stdin; ls /proc/self/fd >$DIR/fds; pwd\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1", {"--name", "$(touch $DIR/owned); `id`\n-rf *"})).ok());
  b.until_idle();
  CHECK(b.dir.read("argv") == "--name\n$(touch $DIR/owned); `id`\n-rf *\n");
  CHECK_FALSE(std::filesystem::exists(b.dir.path() / "owned"));
  CHECK(b.dir.read("stdin").find("\"id\":\"d1\"") != std::string::npos);
  CHECK(b.dir.read("fds") == "0\n1\n2\n3\n");  // 3 is ls's own
  CHECK(b.job("d1").state == JobState::done);
  CHECK(b.attempt("d1").output == "/\n");
  REQUIRE(b.outcomes.size() == 1);
  CHECK(b.outcomes[0].result == engine::OutcomeRecord::Result::done);
}

TEST_CASE("an action that reads lines gets them instead of the document, a line each, whatever they hold") {
  // The rule of the bench gives no lines, so the action stands in a rule of its own.
  Bench b("[action.act]\nrun = \"act\"\n[[rule]]\nid = \"r2\"\nmatch = 'y'\nthen = { do = \"reads\", lines = \"text\" }\n"
          "[action.reads]\nrun = \"act\"\nstdin = \"lines\"\n",
          "cat >$DIR/stdin\n");
  engine::Decision decision = b.decision("d1");
  decision.action = "reads";
  decision.lines = {"plain", "$(touch $DIR/owned) `id`", "two\nlines\x1b[2J", "a\ttab", ""};
  REQUIRE(b.dispatcher->submit(decision).ok());
  b.until_idle();
  CHECK(b.dir.read("stdin") == "plain\n$(touch $DIR/owned) `id`\ntwo\\nlines\\x1b[2J\na\ttab\n\n");
  CHECK_FALSE(std::filesystem::exists(b.dir.path() / "owned"));
  engine::Decision other = b.decision("d2");
  other.lines = {"plain"};
  REQUIRE(b.dispatcher->submit(other).ok());
  b.until_idle();
  CHECK(b.dir.read("stdin").find("\"lines\":[\"plain\"]") != std::string::npos);
}

TEST_CASE("the same decision runs once") {
  Bench b("[action.act]\nrun = \"act\"\n", "echo x >>$DIR/runs\n");
  for (int i = 0; i < 3; ++i) REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.until_idle();
  b.open();  // and not again after a restart
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.until_idle();
  CHECK(b.dir.read("runs") == "x\n");
}

TEST_CASE("a decision as the store keeps it is the same job") {
  Bench b("[action.act]\nrun = \"act\"\nbudget = \"b\"\n[budget.b]\nat_most = 9\nover = \"who\"\n",
          "echo x >>$DIR/runs\n");
  engine::Decision decision = b.decision("d1", {"a b"});
  decision.serial = "vm1";
  decision.key = {{"who", expr::Value(std::string("kim"))}};
  REQUIRE(b.dispatcher->submit(to_line(engine::to_json(decision))).ok());
  REQUIRE(b.dispatcher->submit(decision).ok());
  CHECK(b.job("d1").serial == "vm1");
  CHECK(b.job("d1").budget == "b/kim");
  CHECK(b.job("d1").argv == std::vector<std::string>{"a b"});
  CHECK(b.job("d1").decided == decision.time);
  b.until_idle();
  CHECK(b.dir.read("runs") == "x\n");
  decision.id = "d2";
  decision.fate = engine::Decision::Fate::held;
  REQUIRE(b.dispatcher->submit(to_line(engine::to_json(decision))).ok());
  CHECK_FALSE(b.dispatcher->ledger().find("d2")->has_value());
  CHECK(b.dispatcher->submit(std::string_view("no document")).error().code == "E304");
}

TEST_CASE("L22: a script that a signal ended has failed") {
  Bench b("[action.act]\nrun = \"act\"\n", "kill -9 $$\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.until_idle();
  CHECK(b.job("d1").state == JobState::failed);
  CHECK(b.job("d1").reason == "killed by signal 9");
}

TEST_CASE("a failure is tried again as often as told, after its pause") {
  Bench b("[action.act]\nrun = \"act\"\nretry = 2\nretry_after = \"10s\"\n", "echo x >>$DIR/runs; exit 1\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  for (int i = 0; i < 20 && b.job("d1").state != JobState::failed; ++i) {
    for (int k = 0; k < 50 && (b.dispatcher->running() > 0 || k == 0); ++k) b.poll(Duration{50'000});
    if (i == 0) CHECK(b.dir.read("runs") == "x\n");  // not before its time
    b.clock.advance(Duration::seconds(10));
  }
  CHECK(b.dir.read("runs") == "x\nx\nx\n");
  CHECK(b.job("d1").tries == 3);
}

TEST_CASE("what another try cannot help is not tried again") {
  const int code = GENERATE(2, 5, 6);
  Bench b("[action.act]\nrun = \"act\"\nretry = 2\nretry_after = \"1s\"\n",
          "echo x >>$DIR/runs; exit " + std::to_string(code) + "\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.until_idle();
  CHECK(b.job("d1").state == JobState::failed);
  CHECK(b.job("d1").reason.starts_with("exit code " + std::to_string(code)));
  CHECK(b.dir.read("runs") == "x\n");
}

TEST_CASE("L13: a script that hangs is killed with its children; others go on") {
  Bench b("[action.act]\nrun = \"act\"\ntimeout = \"30s\"\n",
          "[ \"$1\" = hang ] || exit 0\ntrap '' TERM\nsleep 1000 & echo $! >$DIR/child; echo $$ >$DIR/self; "
          "wait; sleep 1000\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1", {"hang"})).ok());
  for (int i = 0; i < 4500 && b.dir.read("self").empty(); ++i) b.poll(Duration{20'000});
  REQUIRE(b.dispatcher->submit(b.decision("d2", {"quick"})).ok());
  for (int i = 0; i < 4500 && b.job("d2").state != JobState::done; ++i) b.poll(Duration{20'000});
  CHECK(b.job("d2").state == JobState::done);
  CHECK(b.job("d1").state == JobState::running);
  b.clock.advance(Duration::seconds(30));
  b.poll(Duration{1'000});  // SIGTERM, which it ignores
  b.clock.advance(Duration::seconds(5));
  b.until_idle();
  CHECK(b.job("d1").state == JobState::timed_out);
  const auto child = parse_uint(trim(b.dir.read("child")));
  REQUIRE(child);
  for (int i = 0; i < 4500 && !dead(*child); ++i) ::usleep(10'000);  // SIGKILL takes a moment
  CHECK(dead(*child));
}

TEST_CASE("a flood of output is bounded and does no harm") {
  Bench b("[action.act]\nrun = \"act\"\n", "head -c 3000000 /dev/zero | tr '\\0' y\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.until_idle();
  CHECK(b.job("d1").state == JobState::done);
  CHECK(b.attempt("d1").output.size() == 64 * 1024);
}

TEST_CASE("a missing script and one that is not executable are refused with the reason") {
  Bench b("[action.act]\nrun = \"nothing\"\n", "");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.until_idle();
  CHECK(b.job("d1").state == JobState::refused);
  CHECK(b.job("d1").reason.find("cannot start") == 0);
}

TEST_CASE("L10: a decision older than max_age is recorded and not acted on") {
  Bench b("[action.act]\nrun = \"act\"\nmax_age = \"15m\"\n", "echo x >>$DIR/runs\n");
  const engine::Decision at_limit = b.decision("d1"), old = b.decision("d2");
  b.clock.advance(Duration::minutes(15));
  REQUIRE(b.dispatcher->submit(at_limit).ok());
  b.until_idle();
  b.clock.advance(Duration{1});
  REQUIRE(b.dispatcher->submit(old).ok());
  b.until_idle();
  CHECK(b.job("d1").state == JobState::done);
  CHECK(b.job("d2").state == JobState::skipped);
  CHECK(b.dir.read("runs") == "x\n");
}

TEST_CASE("a destructive action does not start on lines nobody vouches for") {
  Bench b("[action.act]\nrun = \"act\"\ndestructive = true\n", "echo x >>$DIR/runs\n");
  engine::Decision claimed = b.decision("d1");
  claimed.trust = engine::Trust::claimed;
  REQUIRE(b.dispatcher->submit(claimed).ok());
  REQUIRE(b.dispatcher->submit(b.decision("d2")).ok());
  b.until_idle();
  CHECK(b.job("d1").state == JobState::refused);
  CHECK(b.job("d2").state == JobState::done);
}

TEST_CASE("L15: a budget counts what runs and what is unknown") {
  Bench b("[action.act]\nrun = \"act\"\nbudget = \"b\"\n[budget.b]\nat_most = 2\nper = \"1h\"\n",
          "echo x >>$DIR/runs\n");
  for (const char* id : {"d1", "d2", "d3"}) REQUIRE(b.dispatcher->submit(b.decision(id)).ok());
  for (int i = 0; i < 100 && (b.dispatcher->waiting() > 1 || b.dispatcher->running() > 0); ++i)
    b.poll(Duration{50'000});
  CHECK(b.dir.read("runs") == "x\nx\n");
  CHECK(b.dispatcher->waiting() == 1);
}

TEST_CASE("the kill switch stops starts, and taking it away lets them go on") {
  Bench b("[action.act]\nrun = \"act\"\n", "echo x >>$DIR/runs\n");
  b.dir.write("stop-actions", "");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.poll(Duration{1'000});
  CHECK(b.dispatcher->waiting() == 1);
  CHECK(b.dispatcher->idle());  // it will not start by itself
  CHECK(b.job("d1").reason.find("stop-actions exists") != std::string::npos);
  std::filesystem::remove(b.dir.path() / "stop-actions");
  for (int i = 0; i < 200 && b.job("d1").state != JobState::done; ++i) b.poll(Duration{50'000});
  CHECK(b.job("d1").state == JobState::done);
}

TEST_CASE("shadow mode records what would run") {
  Bench b("[action.act]\nrun = \"act\"\n", "echo x >>$DIR/runs\n");
  b.open({.shadow = true});
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.until_idle();
  CHECK(b.job("d1").state == JobState::shadow);
  CHECK(b.dir.read("runs").empty());
}

TEST_CASE("after a crash: idempotent runs again, anything else is unknown and waits for a person") {
  const bool idempotent = GENERATE(true, false);
  Bench b(idempotent ? "[action.act]\nrun = \"act\"\nidempotent = true\n" : "[action.act]\nrun = \"act\"\n",
          "echo x >>$DIR/runs\n");
  {
    auto ledger = store::LedgerDb::open(b.dir.path());
    REQUIRE(ledger.ok());
    store::Job job;
    job.decision = "d1";
    job.rule = "r";
    job.action = "act";
    job.decided = b.clock.now();
    REQUIRE(ledger->add(job).ok());
    job.state = JobState::running;
    job.tries = 1;
    job.pid = 0;  // it died between `running` and the spawn's record
    REQUIRE(ledger->begin(job, {.decision = "d1", .number = 1, .started = b.clock.now()}).ok());
  }
  b.open();
  b.until_idle();
  CHECK(b.job("d1").state == (idempotent ? JobState::done : JobState::unknown));
  CHECK(b.dir.read("runs") == (idempotent ? "x\n" : ""));
}

TEST_CASE("undo runs once, with the arguments of the action") {
  Bench b("[action.act]\nrun = \"act\"\nundo = \"back\"\n", "exit 0\n");
  b.dir.write("back", "#!/bin/sh\necho \"$@\" >>$DIR/undone\n", true);
  CHECK(b.dispatcher->undo("d1").error().code == "E403");
  REQUIRE(b.dispatcher->submit(b.decision("d1", {"--name", "vm1"})).ok());
  b.until_idle();
  for (int i = 0; i < 2; ++i) REQUIRE(b.dispatcher->undo("d1").ok());
  b.until_idle();
  CHECK(b.dir.read("undone") == "--name vm1\n");
}
