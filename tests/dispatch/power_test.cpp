// SPDX-License-Identifier: Apache-2.0
// The engine's decisions can be read before they are synced: nothing starts on one that a power cut could still take, and after
// such a cut the ledger knows no more than the engine does.
#include <algorithm>

#include "bench.h"
#include "dispatch/decision_reader.h"
#include "store/engine_db.h"
#include "store_trouble.h"

using namespace correlator;
using namespace correlator::dispatch;
using namespace correlator::dispatch::test;

namespace {

const char* const kAction = "[action.act]\nrun = \"act\"\nargs = [\"${who}\"]\n";

// A state directory with these decisions, numbered from 1.
class State {
 public:
  void decide(const std::vector<std::string>& ids) {
    auto db = store::EngineDb::open(dir.path());
    REQUIRE(db);
    store::Batch batch;
    for (const std::string& id : ids) {
      engine::Decision decision;
      decision.id = id;
      decision.seq = ++seq_;
      decision.rule = "r";
      decision.action = "act";
      decision.step = 1;
      decision.parts = {{"w"}};
      decision.time = *parse_rfc3339("2026-01-01T00:00:00Z");
      decision.trust = engine::Trust::vouched;
      batch.decisions.push_back(std::move(decision));
    }
    REQUIRE(db->commit(batch));
  }
  void forget_after(int n) { REQUIRE(testing::OtherProcess(dir.path()).says(("DELETE FROM decision WHERE n > " + std::to_string(n)).c_str())); }

  testing::TempDir dir;

 private:
  std::uint64_t seq_ = 0;
};

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> out;
  for (const std::string_view line : split(text, "\n")) {
    if (!line.empty()) out.emplace_back(line);
  }
  return out;
}

std::vector<std::string> take(Bench& b, DecisionReader& reader) {
  std::optional<Diagnostic> complaint;
  REQUIRE(reader.take(*b.dispatcher, complaint));
  b.until_idle();
  return lines_of(b.dir.read("runs"));
}

}  // namespace

TEST_CASE("nothing starts while what was read cannot be made durable") {
  Bench b(kAction, "echo $1 >>$DIR/runs\n");
  bool works = false;
  int asked = 0;
  const auto durable = [&]() -> Status {
    ++asked;
    return works ? Status{} : Status(make_error("E305", "syncing failed", ""));
  };
  REQUIRE(b.dispatcher->submit({stored(b, 1, "d1")}, "source", durable));
  CHECK(asked >= 1);
  CHECK_FALSE(b.dispatcher->held_back().ok());
  CHECK(b.job("d1").state == JobState::running);
  for (int i = 0; i < 3; ++i) b.poll(Duration{1'000});
  CHECK(b.dispatcher->running() == 0);
  CHECK(b.dir.read("runs").empty());
  // Neither does another one.
  REQUIRE(b.dispatcher->submit(b.decision("d2", {"x"})));
  b.poll(Duration{1'000});
  CHECK(b.dir.read("runs").empty());
  works = true;
  b.poll(Duration{1'000});
  CHECK(b.dispatcher->held_back().ok());
  b.until_idle();
  CHECK(lines_of(b.dir.read("runs")).size() == 2);
}

TEST_CASE("a reader syncs the engine's log before it acts, and says when that fails") {
  Bench b(kAction, "echo $CORRELATOR_DECISION >>$DIR/runs\n");
  State state;
  state.decide({"aa01"});
  testing::WatchedFiles files;
  DecisionReader reader(state.dir.path(), files);
  files.fail_sync = "engine.db-wal";
  std::optional<Diagnostic> complaint;
  REQUIRE(reader.take(*b.dispatcher, complaint));
  REQUIRE(complaint);
  CHECK(complaint->code == "E305");
  CHECK(b.dir.read("runs").empty());
  files.fail_sync.clear();
  CHECK(take(b, reader) == std::vector<std::string>{"aa01"});
  CHECK(files.synced.size() == 1);
}

TEST_CASE("what a power cut took from the engine is forgotten, and acted on when it is decided again") {
  Bench b(kAction, "echo $CORRELATOR_DECISION >>$DIR/runs\n");
  State state;
  state.decide({"aa01"});
  {
    DecisionReader reader(state.dir.path());
    CHECK(take(b, reader) == std::vector<std::string>{"aa01"});
    const auto source = store::EngineDb::open(state.dir.path(), {.access = store::Access::read_only})->identity();
    // Entered and synced here, the power goes before the engine's own sync: aa02 never started.
    REQUIRE(b.dispatcher->submit({stored(b, 2, "aa02")}, *source, [] { return Status(make_error("E305", "", "")); }));
  }
  // Before the engine is back, and after it has decided something else first.
  const bool first = GENERATE(true, false);
  if (!first) state.decide({"bb02", "aa02"});
  b.dispatcher.reset();
  {
    auto ledger = store::LedgerDb::open(b.dir.path());
    REQUIRE(ledger);
    auto lost = DecisionReader(state.dir.path()).reconcile(*ledger);
    REQUIRE(lost);
    CHECK(*lost == std::vector<std::string>{"aa02"});
    CHECK(ledger->find("aa02").value() == std::nullopt);
    CHECK(ledger->find("aa01").value().has_value());
    // Once is enough.
    CHECK(DecisionReader(state.dir.path()).reconcile(*ledger)->empty());
  }
  if (first) state.decide({"aa02"});
  b.open();
  DecisionReader reader(state.dir.path());
  std::vector<std::string> ran = take(b, reader);  // the last two at the same time
  std::sort(ran.begin(), ran.end());
  CHECK(ran == (first ? std::vector<std::string>{"aa01", "aa02"} : std::vector<std::string>{"aa01", "aa02", "bb02"}));
}

TEST_CASE("a job that ran is not forgotten, whatever the engine's database says") {
  Bench b(kAction, "echo $CORRELATOR_DECISION >>$DIR/runs\n");
  State state;
  state.decide({"aa01", "aa02"});
  {
    DecisionReader reader(state.dir.path());
    CHECK(take(b, reader).size() == 2);
  }
  state.forget_after(1);  // as by a backup that was put back
  b.dispatcher.reset();
  auto ledger = store::LedgerDb::open(b.dir.path());
  REQUIRE(ledger);
  CHECK(DecisionReader(state.dir.path()).reconcile(*ledger)->empty());
  CHECK(ledger->find("aa02").value()->state == JobState::done);
}

TEST_CASE("a job whose decision the engine dropped is not forgotten: what both had ends there") {
  const correlator::testing::TempDir dir;
  auto ledger = store::LedgerDb::open(dir.path());
  REQUIRE(ledger.ok());
  const auto waiting = [](const char* id, std::uint64_t n) {
    store::Job entered;
    entered.decision = id;
    entered.taken = n;
    return entered;
  };
  REQUIRE(ledger->enter({waiting("d1", 1), waiting("d2", 2), waiting("d3", 3)}, "engine", {3, "d3"}).ok());
  using Id = std::optional<std::string>;
  const auto gone = ledger->go_back("engine", [](std::uint64_t n) -> Result<Id> { return n == 3 ? Id("") : Id(); });
  REQUIRE(gone.ok());
  CHECK(*gone == std::vector<std::string>{"d3"});
  CHECK(ledger->position("engine")->n == 2);
  CHECK(ledger->position("engine")->id == "d2");
}
