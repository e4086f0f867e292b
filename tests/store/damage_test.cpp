// SPDX-License-Identifier: Apache-2.0
// Databases that are newer, older, locked, damaged or full: what is said, and that nothing is lost or taken for empty.
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "catch.h"
#include "sqlite_shell.h"
#include "store/engine_db.h"
#include "store/ledger_db.h"
#include "temp_dir.h"

using namespace correlator;
using namespace correlator::store;
using correlator::testing::TempDir;
using engine::StateKind;

namespace {

// A state with windows on several pages.
void fill(const TempDir& dir, int windows = 400) {
  auto db = EngineDb::open(dir.path());
  REQUIRE(db.ok());
  Batch batch;
  batch.rules = {"h1", RuleTexts{{"a.toml", "format = 1\n"}}};
  for (int i = 1; i <= windows; ++i) {
    batch.state.push_back({StateKind::window, static_cast<std::uint64_t>(i), "rule", "host=h" + std::to_string(i), std::string(60, 'x'), false});
    IntakeRow row;
    row.seq = static_cast<std::uint64_t>(i);
    row.stream = "s";
    row.frame = std::string(60, 'y');
    batch.intake.push_back(row);
  }
  batch.snapshot_seq = static_cast<std::uint64_t>(windows);
  REQUIRE(db->commit(batch).ok());
}

std::string shell(const TempDir& dir, const std::string& sql, const char* file = "engine.db") {
  return testing::sqlite_shell(dir.path() / file, sql);
}

Diagnostic refused(const TempDir& dir, Access access = Access::read_write) {
  auto db = EngineDb::open(dir.path(), {.access = access});
  REQUIRE_FALSE(db.ok());
  return db.error();
}

}  // namespace

TEST_CASE("a person can read the state with the sqlite3 shell") {
  const TempDir dir;
  {
    auto db = EngineDb::open(dir.path());
    REQUIRE(db.ok());
    Batch batch;
    IntakeRow row;
    row.seq = 1;
    row.time = Timestamp{1'767'225'600'000'000};
    row.stream = "a.log";
    row.line_number = 7;
    row.frame = "EDAC MC0";
    batch.intake = {row};
    batch.state = {{StateKind::window, 1, "rule.x", "host=h1", "\1", false, {2, row.time, row.time + Duration::hours(1)}},
                   {StateKind::window, 2, "rule.y", "", "\1", false},
                   {StateKind::open_case, 1, "rule.x", "host=h1", "{}", false},
                   {StateKind::context, 1, "draining", "host=h1", "{}", false}};
    engine::Decision d;
    d.id = "ab12";
    d.seq = row.seq;
    d.time = row.time;
    d.rule = "rule.x";
    d.key = {{"host", std::string("h1")}};
    d.action = "notify";
    d.why = "two of two";
    d.evidence = {{1, row.time, "h1", "EDAC MC0", "a.log", 7}};
    batch.decisions = {d};
    REQUIRE(db->commit(batch).ok());
  }
  CHECK(shell(dir, "SELECT rule, key, have, oldest, newest FROM windows") ==
        "rule.x|host=h1|2|2026-01-01T00:00:00.000Z|2026-01-01T01:00:00.000Z\nrule.y||0||\n");
  CHECK(shell(dir, "SELECT rule, key FROM cases") == "rule.x|host=h1\n");
  CHECK(shell(dir, "SELECT context, key FROM contexts") == "draining|host=h1\n");
  CHECK(shell(dir, "SELECT at, rule, key, action, fate, why, id FROM decisions") ==
        "2026-01-01T00:00:00Z|rule.x|host=h1|notify|decided|two of two|ab12\n");
  CHECK(shell(dir, "SELECT decision, at, host, text FROM evidence") == "ab12|2026-01-01T00:00:00Z|h1|EDAC MC0\n");
  CHECK(shell(dir, "SELECT seq, at, stream, line, text FROM lines") == "1|2026-01-01T00:00:00Z|a.log|7|EDAC MC0\n");
}

TEST_CASE("a person can read the ledger with the sqlite3 shell") {
  const TempDir dir;
  {
    auto ledger = LedgerDb::open(dir.path());
    REQUIRE(ledger.ok());
    Job job;
    job.decision = "ab12";
    job.rule = "rule.x";
    job.action = "notify";
    job.argv = {"--host", "h 1"};
    job.received = Timestamp{1'767'225'600'000'000};
    REQUIRE(ledger->add(job).value());
    CHECK_FALSE(ledger->add(job).value());
    job.state = JobState::running;
    job.tries = 1;
    REQUIRE(ledger->begin(job, {.decision = "ab12", .number = 1, .started = job.received}).ok());
    job.state = JobState::failed;
    job.reason = "exit code 3";
    REQUIRE(ledger->end(job, {.decision = "ab12", .number = 1, .started = job.received, .ended = job.received, .exit_code = 3, .output = "no"}).ok());
  }
  CHECK(shell(dir, "SELECT at, rule, action, argv, state, tries, reason, exit_code, output FROM actions", "dispatch.db") ==
        "2026-01-01T00:00:00Z|rule.x|notify|[\"--host\",\"h 1\"]|failed|1|exit code 3|3|no\n");
}

TEST_CASE("schemas go forward only: a new one is made, an unknown one is not touched") {
  const TempDir dir;
  fill(dir, 3);
  const std::string version = shell(dir, "PRAGMA user_version");
  CHECK(std::atoi(version.c_str()) >= 1);
  fill(dir, 0);  // opening it again migrates nothing
  CHECK(shell(dir, "PRAGMA user_version") == version);
  CHECK(shell(dir, "SELECT count(*) FROM windows") == "3\n");
  CHECK(shell(dir, "PRAGMA integrity_check") == "ok\n");
  shell(dir, "PRAGMA user_version = 99");
  for (const Access access : {Access::read_write, Access::read_only}) CHECK(refused(dir, access).code == "E303");
  CHECK(shell(dir, "SELECT count(*) FROM windows") == "3\n");
  // A database without any schema is one that was just created: it gets all steps.
  const TempDir empty;
  shell(empty, "VACUUM");
  CHECK(refused(empty, Access::read_only).code == "E303");
  fill(empty, 3);
  CHECK(shell(empty, "PRAGMA user_version") == version);
  auto ledger = LedgerDb::open(dir.path());
  REQUIRE(ledger.ok());
  shell(dir, "PRAGMA user_version = 99", "dispatch.db");
  auto newer = LedgerDb::open(dir.path());
  REQUIRE_FALSE(newer.ok());
  CHECK(newer.error().code == "E303");
}

TEST_CASE("a damaged page is an error, wherever it lies, and never an empty state") {
  for (const char* table : {"meta", "owner", "live_window", "intake", "intake_block"}) {
    INFO(table);
    const TempDir dir;
    fill(dir);
    const int page = std::atoi(shell(dir, std::string("SELECT rootpage FROM sqlite_master WHERE name = '") + table + "'").c_str());
    REQUIRE(page > 1);
    {
      std::fstream file(dir.path() / "engine.db", std::ios::binary | std::ios::in | std::ios::out);
      file.seekp((page - 1) * 4096);
      file << std::string(4096, '\xff');
    }
    auto db = EngineDb::open(dir.path(), {.access = Access::read_only});
    REQUIRE(db.ok());
    const auto snapshot = db->snapshot();
    const Status rows = db->each_row(StateKind::window, [](const engine::StateRow&) { return Status{}; });
    const Status intake = db->each_intake(0, [](IntakeRow&&) { return true; });
    REQUIRE((!snapshot.ok() || !rows.ok() || !intake.ok()));
    const Diagnostic& said = !snapshot.ok() ? snapshot.error() : !rows.ok() ? rows.error() : intake.error();
    CHECK(said.code == "E304");
    CHECK(said.hint.find("move ") == 0);
  }
  const TempDir dir;
  fill(dir);
  std::ofstream(dir.path() / "engine.db", std::ios::binary) << "this is no database, whatever its name says";
  CHECK(refused(dir).code == "E304");
}

TEST_CASE("a full disk: the batch is refused whole, and goes through when there is room") {
  const TempDir dir;
  auto db = EngineDb::open(dir.path());
  REQUIRE(db.ok());
  Batch batch;
  for (int i = 1; i <= 200; ++i) {
    IntakeRow row;
    row.seq = static_cast<std::uint64_t>(i);
    row.stream = "s";
    row.frame = std::string(500, 'x');
    batch.intake.push_back(row);
  }
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const rlimit small{40'000, before.rlim_max};
  const auto handler = ::signal(SIGXFSZ, SIG_IGN);
  setrlimit(RLIMIT_FSIZE, &small);
  const Status failed = db->commit(batch);
  setrlimit(RLIMIT_FSIZE, &before);
  ::signal(SIGXFSZ, handler);
  REQUIRE_FALSE(failed.ok());
  CHECK(failed.error().code == "E305");
  std::uint64_t rows = 0;
  const auto count = [&](IntakeRow&&) { return ++rows > 0; };
  REQUIRE(db->each_intake(0, count).ok());
  CHECK(rows == 0);
  REQUIRE(db->commit(batch).ok());
  REQUIRE(db->each_intake(0, count).ok());
  CHECK(rows == 200);
}

TEST_CASE("a locked database is said, a dead writer leaves no lock behind, one may wait for its turn") {
  const TempDir dir;
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t writer = ::fork();
  REQUIRE(writer >= 0);
  if (writer == 0) {  // holds the directory until it is killed
    auto db = EngineDb::open(dir.path());
    const char ok = db.ok() ? 'y' : 'n';
    if (::write(ready[1], &ok, 1) != 1) ::_exit(1);
    for (;;) ::pause();
  }
  char ok = 0;
  REQUIRE(::read(ready[0], &ok, 1) == 1);
  REQUIRE(ok == 'y');
  CHECK(refused(dir).code == "E302");
  CHECK(refused(dir).message == "another correlator (process " + std::to_string(writer) + ") uses " + dir.path().string());
  ::kill(writer, SIGKILL);
  auto waited = EngineDb::open(dir.path(), {.wait_for_lock = true});
  CHECK(waited.ok());
  ::waitpid(writer, nullptr, 0);
  ::close(ready[0]);
  ::close(ready[1]);
}
