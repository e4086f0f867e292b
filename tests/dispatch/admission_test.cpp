// SPDX-License-Identifier: Apache-2.0
// What may start when: limits, budgets, turns, approval; what is one action and what are several.
#include "bench.h"

using namespace correlator;
using namespace correlator::dispatch;
using namespace correlator::dispatch::test;

namespace {

const std::string kWaits = "echo $CORRELATOR_DECISION >>$DIR/runs; while [ ! -e $DIR/go ]; do sleep 0.02; done\n";

// Polls until `done` holds; some hundred rounds of at most 20 ms of a process's own time.
template <class Done>
bool until(Bench& b, Done&& done) {
  for (int i = 0; i < 1500; ++i) {
    if (done()) return true;
    b.poll(Duration{20'000});
  }
  return done();
}

std::string said(const Diagnostic& d) { return to_text(d); }
std::string golden(const std::string& name) {
  std::ifstream in(std::string(CORRELATOR_SOURCE_DIR) + "/tests/dispatch/errors/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

TEST_CASE("L14: an action is known by its decision: one rule's second target runs, too") {
  Bench b("[action.act]\nrun = \"act\"\n", "echo \"$@\" >>$DIR/runs\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1", {"kvm1"})).ok());
  REQUIRE(b.dispatcher->submit(b.decision("d2", {"kvm2"})).ok());
  b.until_idle();
  REQUIRE(b.dispatcher->submit(b.decision("d3", {"kvm1"})).ok());  // a later case of the first
  b.until_idle();
  const std::string runs = b.dir.read("runs");
  CHECK(runs.size() == 15);
  CHECK(runs.ends_with("kvm1\n"));
  CHECK(b.outcomes.size() == 3);
}

TEST_CASE("serial: one at a time for the same target, others beside it") {
  Bench b("[action.act]\nrun = \"act\"\n", kWaits);
  for (const auto& [id, target] : {std::pair{"d1", "kvm1"}, {"d2", "kvm1"}, {"d3", "kvm2"}}) {
    engine::Decision d = b.decision(id);
    d.serial = target;
    REQUIRE(b.dispatcher->submit(d).ok());
  }
  REQUIRE(until(b, [&] { return b.dir.read("runs").size() == 6; }));
  CHECK(b.dispatcher->running() == 2);
  CHECK(b.dispatcher->waiting() == 1);
  CHECK(b.job("d2").state == JobState::waiting);
  b.dir.write("go", "");
  b.until_idle();
  CHECK(b.dir.read("runs").ends_with("d2\n"));
  CHECK(b.job("d2").state == JobState::done);
}

TEST_CASE("a job says what it waits for now, not what it waited for first") {
  Bench b("[action.act]\nrun = \"act\"\nbudget = \"b\"\n[budget.b]\nat_most = 1\nper = \"6h\"\n", kWaits);
  for (const char* id : {"d1", "d2"}) {
    engine::Decision d = b.decision(id);
    d.serial = "kvm1";
    REQUIRE(b.dispatcher->submit(d).ok());
  }
  REQUIRE(until(b, [&] { return b.dir.read("runs").size() == 3; }));
  CHECK(b.job("d2").reason == "another action for kvm1 runs");
  b.dir.write("go", "");
  REQUIRE(until(b, [&] { return b.job("d1").state == JobState::done && b.job("d2").reason != "another action for kvm1 runs"; }));
  CHECK(b.job("d2").reason == "budget b: 1 started in the last 6h, 1 allowed");
  CHECK(b.job("d2").state == JobState::waiting);
}

TEST_CASE("L15: a budget counts what is in flight, also what is unknown, for each value it is over") {
  Bench b("[action.act]\nrun = \"act\"\nbudget = \"b\"\n[budget.b]\nin_flight = 1\nover = \"who\"\n", kWaits);
  const auto submit = [&](const char* id, const char* who) {
    engine::Decision d = b.decision(id);
    d.key = {{"who", std::string(who)}};
    REQUIRE(b.dispatcher->submit(d).ok());
  };
  submit("d1", "a");
  submit("d2", "a");
  submit("d3", "b");
  REQUIRE(until(b, [&] { return b.dir.read("runs").size() == 6; }));
  CHECK(b.dispatcher->running() == 2);
  CHECK(b.job("d2").state == JobState::waiting);
  b.dir.write("go", "");
  b.until_idle();
  CHECK(b.job("d2").state == JobState::done);
  // One whose end nobody saw holds its place until a person has looked.
  auto job = b.job("d1");
  job.state = JobState::unknown;
  REQUIRE(b.dispatcher->ledger().update(job).ok());
  submit("d4", "a");
  for (int i = 0; i < 5; ++i) b.poll(Duration{1'000});
  CHECK(b.job("d4").state == JobState::waiting);
  CHECK(b.dispatcher->running() == 0);
}

TEST_CASE("a budget of starts opens again when its span is over") {
  Bench b("[action.act]\nrun = \"act\"\nbudget = \"b\"\n[budget.b]\nat_most = 1\nper = \"1h\"\n", "echo x >>$DIR/runs\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  REQUIRE(b.dispatcher->submit(b.decision("d2")).ok());
  REQUIRE(until(b, [&] { return b.dispatcher->running() == 0 && b.dispatcher->waiting() == 1 && b.job("d1").state == JobState::done; }));
  b.clock.advance(Duration::minutes(14));
  b.poll(Duration{1'000});
  CHECK(b.dir.read("runs") == "x\n");
  b.clock.advance(Duration::minutes(46));
  b.until_idle();
  CHECK(b.job("d2").state == JobState::skipped);  // it became too old while it waited
  CHECK(b.dir.read("runs") == "x\n");
  REQUIRE(b.dispatcher->submit(b.decision("d3")).ok());
  b.until_idle();
  CHECK(b.dir.read("runs") == "x\nx\n");
}

TEST_CASE("a limit: more than told in its span are recorded, not run") {
  Bench b("[action.act]\nrun = \"act\"\nlimit = \"2 in 1h\"\n", "echo x >>$DIR/runs\n");
  for (const char* id : {"d1", "d2", "d3"}) {
    REQUIRE(b.dispatcher->submit(b.decision(id)).ok());
    b.until_idle();
  }
  CHECK(b.job("d3").state == JobState::skipped);
  CHECK(b.job("d3").reason == "over the limit of 2 in 1h for act");
  b.clock.advance(Duration::hours(1) + Duration{1});
  REQUIRE(b.dispatcher->submit(b.decision("d4")).ok());
  b.until_idle();
  CHECK(b.job("d4").state == JobState::done);
  CHECK(b.dir.read("runs") == "x\nx\nx\n");
}

TEST_CASE("what needs approval does not start by itself, and starts once when a person agrees") {
  const std::string rules = "[action.act]\nrun = \"act\"\nmax_age = \"1h\"\napprove = true\n";
  Bench asked(rules, "echo x >>$DIR/runs\n");
  REQUIRE(asked.dispatcher->submit(asked.decision("d1")).ok());
  REQUIRE(asked.dispatcher->submit(asked.decision("d2")).ok());
  asked.poll(Duration{1'000});
  CHECK(said(asked.dispatcher->judge("d", "anna", true).error()) == golden("E404-two.txt"));
  CHECK(*asked.dispatcher->judge("d1", "anna", true) == "act of r approved");
  CHECK(*asked.dispatcher->judge("d2", "anna", false) == "act of r denied");
  CHECK(said(asked.dispatcher->judge("d2", "anna", true).error()) == golden("E404-none.txt"));
  asked.until_idle();
  CHECK(asked.job("d1").state == JobState::done);
  CHECK(asked.job("d2").reason == "denied by anna");
  CHECK(asked.dir.read("runs") == "x\n");

  Bench b(rules, "echo x >>$DIR/runs\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  for (int i = 0; i < 5; ++i) b.poll(Duration{1'000});
  CHECK(b.job("d1").state == JobState::waiting);
  CHECK(b.dispatcher->waiting() == 1);
  CHECK(b.dispatcher->idle());  // a person has to do something first
  b.clock.advance(Duration::hours(1) + Duration{1});
  for (int i = 0; i < 5; ++i) b.poll(Duration{1'000});
  CHECK(b.job("d1").state == JobState::skipped);
  CHECK(b.dir.read("runs").empty());
}

TEST_CASE("a second opinion: yes starts, no refuses with what it said, anything else is asked again until max_age") {
  Bench b("[action.act]\nrun = \"act\"\nmax_age = \"1h\"\nconfirm = \"second\"\n", "echo x >>$DIR/runs\n");
  b.dir.write("second", "#!/bin/sh\necho \"$1\"; echo y >>$DIR/asked; exit $(cat $DIR/code)\n", true);
  const auto decide = [&](const std::string& id, const std::string& code) {
    b.dir.write("code", code);
    REQUIRE(b.dispatcher->submit(b.decision(id, {"for " + id})).ok());
    for (int i = 0; i < 200 && b.job(id).state == JobState::waiting && b.job(id).reason.find("again") == std::string::npos; ++i) {
      b.poll(Duration::milliseconds(50));
    }
  };
  decide("d1", "1");
  CHECK(b.job("d1").state == JobState::refused);
  CHECK(b.job("d1").reason == "the second opinion is no: for d1");
  CHECK(b.dir.read("runs").empty());
  decide("d2", "0");
  b.until_idle();
  CHECK(b.job("d2").state == JobState::done);
  decide("d3", "7");
  CHECK(b.job("d3").state == JobState::waiting);
  CHECK(b.job("d3").reason == "the second opinion could not tell (exit code 7); it is asked again");
  b.clock.advance(Duration::hours(2));
  b.until_idle();
  CHECK(b.job("d3").state == JobState::skipped);
  CHECK(b.dir.read("runs") == "x\n");
}

TEST_CASE("an action in shadow mode is only recorded, the others run") {
  Bench b("[action.act]\nrun = \"act\"\nmode = \"shadow\"\n", "echo x >>$DIR/runs\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.until_idle();
  CHECK(b.job("d1").state == JobState::shadow);
  CHECK(b.job("d1").reason == "act has mode = \"shadow\"");
  CHECK(b.dir.read("runs").empty());
  CHECK(b.outcomes.empty());  // nothing happened
}

TEST_CASE("what was held, dropped or has no action is no job") {
  Bench b("[action.act]\nrun = \"act\"\n", "echo x >>$DIR/runs\n");
  engine::Decision held = b.decision("d1"), dropped = b.decision("d2"), silent = b.decision("d3");
  held.fate = engine::Decision::Fate::held;
  dropped.fate = engine::Decision::Fate::dropped;
  silent.action.clear();
  for (const engine::Decision& d : {held, dropped, silent}) REQUIRE(b.dispatcher->submit(d).ok());
  CHECK(b.dispatcher->idle());
  CHECK_FALSE(b.dispatcher->ledger().find("d1")->has_value());
}

TEST_CASE("an action that the rules lost meanwhile is refused with the reason") {
  Bench b("[action.act]\nrun = \"act\"\n", "echo x >>$DIR/runs\n");
  b.dir.write("stop-actions", "");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.poll(Duration{1'000});
  auto other = rules::load({{"a.toml", "format = 1\n"}});
  REQUIRE(other.rules != nullptr);
  b.dispatcher->set_rules(other.rules);
  b.poll(Duration{1'000});
  CHECK(b.job("d1").state == JobState::refused);
  CHECK(b.job("d1").reason == "the rules have no such action any more");
}

TEST_CASE("the texts of what cannot be started or undone") {
  Bench b("[action.act]\nrun = \"act\"\n", "exit 1\n");
  const auto missing = system_launcher().start({.program = "/nowhere/act"});
  REQUIRE_FALSE(missing.ok());
  CHECK(said(missing.error()) == golden("E401-start.txt"));
  CHECK(said(b.dispatcher->undo("d1").error()) == golden("E403-unknown.txt"));
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.until_idle();
  CHECK(said(b.dispatcher->undo("d1").error()) == golden("E403-no-way-back.txt"));
  Bench c("[action.act]\nrun = \"act\"\nundo = \"--undo\"\n", "exit 1\n");
  REQUIRE(c.dispatcher->submit(c.decision("d1")).ok());
  c.until_idle();
  CHECK(said(c.dispatcher->undo("d1").error()) == golden("E403-not-done.txt"));
}

TEST_CASE("undo waits for no budget and uses none") {
  Bench b("[action.act]\nrun = \"act\"\nundo = \"--undo\"\nbudget = \"few\"\nlimit = \"2 in 1h\"\n[budget.few]\nat_most = 2\nper = \"1h\"\nin_flight = 1\n",
          "echo \"$@\" >>$DIR/runs\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1", {"one"})).ok());
  b.until_idle();
  REQUIRE(b.dispatcher->undo("d1").ok());
  b.until_idle();
  CHECK(b.job("d1.undo").state == JobState::done);
  REQUIRE(b.dispatcher->submit(b.decision("d2", {"two"})).ok());  // the second start of two
  b.until_idle();
  REQUIRE(b.dispatcher->undo("d2").ok());
  b.until_idle();
  CHECK(b.dir.read("runs") == "one\n--undo one\ntwo\n--undo two\n");
  REQUIRE(b.dispatcher->submit(b.decision("d3", {"three"})).ok());
  b.poll(Duration{1'000});
  CHECK(b.job("d3").state != JobState::done);
}

TEST_CASE("undo by an option of the same script, once, and it is not undone again") {
  Bench b("[action.act]\nrun = \"act\"\nundo = \"--undo --quick\"\n", "echo \"$@\" >>$DIR/runs\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1", {"--name", "vm 1"})).ok());
  b.until_idle();
  for (int i = 0; i < 2; ++i) REQUIRE(b.dispatcher->undo("d1").ok());
  b.until_idle();
  CHECK(b.dir.read("runs") == "--name vm 1\n--undo --quick --name vm 1\n");
  CHECK(b.job("d1.undo").undo_of == "d1");
  CHECK(b.job("d1.undo").state == JobState::done);
}

TEST_CASE("an action that is run again after the dispatcher's death is not, once its time is over") {
  const bool late = GENERATE(false, true);
  Bench b("[action.act]\nrun = \"act\"\nidempotent = true\nmax_age = \"15m\"\ntimeout = \"2m\"\n", "echo x >>$DIR/runs\n");
  const auto decided = b.clock.now();
  {
    auto ledger = store::LedgerDb::open(b.dir.path());
    REQUIRE(ledger.ok());
    store::Job job;
    job.decision = "d1";
    job.rule = "r";
    job.action = "act";
    job.document = R"({"trust":"vouched"})";
    job.decided = job.received = decided;
    REQUIRE(ledger->add(job).ok());
    job.state = JobState::running;
    job.tries = 1;
    REQUIRE(ledger->begin(job, {.decision = "d1", .number = 1, .started = decided}).ok());
  }
  const Duration pause = b.rules->actions[0].retry_after;
  b.clock.advance(Duration::minutes(17) + pause + Duration{late ? 1 : 0});
  b.open();
  b.until_idle();
  CHECK(b.job("d1").state == (late ? JobState::failed : JobState::done));
  CHECK(b.dir.read("runs") == (late ? "" : "x\n"));
  if (late) CHECK(b.job("d1").reason.starts_with("the decision is "));
}
