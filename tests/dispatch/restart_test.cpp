// SPDX-License-Identifier: Apache-2.0
// A dispatcher that died and what its successor makes of the jobs that ran: at least once under one key, never twice unasked.
#include <unistd.h>

#include "bench.h"
#include "dispatch/process.h"

using namespace correlator;
using namespace correlator::dispatch;
using namespace correlator::dispatch::test;

namespace {

// A process as a dispatcher that died left it: in the ledger as running, still there or not.
struct Left {
  std::optional<Process> process;

  Left(Bench& b, const std::string& environment_of, bool alive = true) {
    ProcessSpec spec;
    spec.program = "/bin/sleep";
    spec.arguments = {"1000"};
    spec.environment = {{"CORRELATOR_DECISION", environment_of}};
    auto started = Process::start(spec);
    REQUIRE(started.ok());
    process = std::move(*started);
    // Until execve() is done its environment is still ours.
    std::string environment;
    for (int i = 0; i < 1000 && environment.find("CORRELATOR_DECISION=") == std::string::npos; ++i) {
      std::ifstream in("/proc/" + std::to_string(process->pid()) + "/environ", std::ios::binary);
      environment.assign(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
    }
    auto ledger = store::LedgerDb::open(b.dir.path());
    REQUIRE(ledger.ok());
    store::Job job;
    job.decision = "d1";
    job.rule = "r";
    job.action = "act";
    job.document = "{\"trust\":\"vouched\"}";
    job.decided = b.clock.now();
    REQUIRE(ledger->add(job).ok());
    job.state = JobState::running;
    job.tries = 1;
    REQUIRE(ledger->begin(job, {.decision = "d1", .number = 1, .started = b.clock.now()}).ok());
    job.pid = process->pid();
    REQUIRE(ledger->set_pid(job, {.decision = "d1", .number = 1, .pid = job.pid}).ok());
    if (!alive) end();
  }
  void end() {
    process->kill();
    while (!process->try_wait()) {
    }
  }
};

}  // namespace

TEST_CASE("a process that still runs is waited for, not started again") {
  const bool idempotent = GENERATE(false, true);
  Bench b(idempotent ? "[action.act]\nrun = \"act\"\nidempotent = true\n" : "[action.act]\nrun = \"act\"\n", "echo x >>$DIR/runs\n");
  Left left(b, "d1");
  b.open();
  CHECK(b.dispatcher->running() == 1);
  CHECK(b.job("d1").state == JobState::running);
  b.poll(Duration{1'000});
  CHECK(b.dir.read("runs").empty());
  left.end();
  b.until_idle();
  // Nobody saw how it ended: an idempotent one runs again, of the other a person is told.
  CHECK(b.job("d1").state == (idempotent ? JobState::done : JobState::unknown));
  CHECK(b.dir.read("runs") == (idempotent ? "x\n" : ""));
  REQUIRE(b.outcomes.size() == 1);
  CHECK(b.outcomes[0].result == (idempotent ? engine::OutcomeRecord::Result::done : engine::OutcomeRecord::Result::unknown));
}

TEST_CASE("a process that was taken over is bounded by its time, too") {
  Bench b("[action.act]\nrun = \"act\"\ntimeout = \"30s\"\n", "");
  Left left(b, "d1");
  b.open();
  b.clock.advance(Duration::seconds(30));
  b.poll(Duration{1'000});
  for (int i = 0; i < 2000 && !left.process->try_wait(); ++i) b.poll(Duration{1'000});
  b.until_idle();
  CHECK(b.job("d1").state == JobState::timed_out);
  CHECK(b.job("d1").reason == "killed after 30s");
}

TEST_CASE("a number that belongs to another process by now is left alone") {
  Bench b("[action.act]\nrun = \"act\"\n", "echo x >>$DIR/runs\n");
  Left other(b, "d2");
  b.open();
  CHECK(b.dispatcher->running() == 0);
  CHECK(b.job("d1").state == JobState::unknown);
  b.poll(Duration{1'000});
  CHECK_FALSE(dead(static_cast<std::uint64_t>(other.process->pid())));
}

TEST_CASE("what waited goes on waiting over a restart, with its next try") {
  Bench b("[action.act]\nrun = \"act\"\nretry = 1\nretry_after = \"10s\"\n", "echo x >>$DIR/runs; exit 1\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  for (int i = 0; i < 1000 && b.job("d1").tries == 0; ++i) b.poll(Duration{10'000});
  for (int i = 0; i < 1000 && b.dispatcher->running() > 0; ++i) b.poll(Duration{10'000});
  CHECK(b.job("d1").state == JobState::waiting);
  b.open();
  b.poll(Duration{1'000});
  CHECK(b.dir.read("runs") == "x\n");
  b.clock.advance(Duration::seconds(10));
  b.until_idle();
  CHECK(b.dir.read("runs") == "x\nx\n");
  CHECK(b.job("d1").state == JobState::failed);
}

TEST_CASE("L13: a script that forks and leaves is done, and what it left behind goes with it") {
  Bench b("[action.act]\nrun = \"act\"\n", "sleep 1000 & echo $! >$DIR/child\nexit 0\n");
  REQUIRE(b.dispatcher->submit(b.decision("d1")).ok());
  b.until_idle();
  CHECK(b.job("d1").state == JobState::done);
  const auto child = parse_uint(trim(b.dir.read("child")));
  REQUIRE(child);
  for (int i = 0; i < 400 && !dead(*child); ++i) b.poll(Duration{10'000});
  CHECK(dead(*child));
}

TEST_CASE("what a script says outlives the dispatcher that started it: what was read, and what was not") {
  const testing::TempDir dir;
  const auto output = dir.path() / "d1.1";
  ProcessSpec spec;
  spec.program = "/bin/sh";
  spec.arguments = {"-c", "echo one; while [ ! -e " + (dir.path() / "go").string() + " ]; do sleep 0.01; done; echo two >&2; head -c 9999999 /dev/zero"};
  spec.environment = {{"CORRELATOR_DECISION", "d1"}, {"PATH", "/usr/bin:/bin"}};
  spec.output = output;
  auto first = Process::start(spec);
  REQUIRE(first.ok());
  for (int i = 0; i < 90'000 && first->output() != "one\n"; ++i) {
    first->read_output();
    ::usleep(1000);
  }
  REQUIRE(first->output() == "one\n");
  // From here on nobody reads with the first one's descriptors, as if it had died.
  auto second = Process::adopt(first->pid(), "d1", output);
  REQUIRE(second);
  CHECK(second->output() == "one\n");
  dir.write("go", "");
  std::optional<ProcessEnd> end;
  for (int i = 0; i < 90'000 && !(end = second->try_wait()); ++i) {
    second->read_output();
    ::usleep(1000);
  }
  REQUIRE(end);
  CHECK_FALSE(end->known);
  CHECK(second->output().starts_with(std::string("one\ntwo\n\0\0", 10)));
  CHECK(second->output().size() == kMaxOutput);
  CHECK(second->output_cut());
  // And once more for a third, which comes when all is over.
  CHECK(read_kept_output(output) == second->output());
  CHECK_FALSE(Process::adopt(first->pid(), "another", output));
  remove_kept_output(output);
  CHECK(read_kept_output(output).empty());
  CHECK_FALSE(std::filesystem::exists(output.string() + ".pipe"));
}
