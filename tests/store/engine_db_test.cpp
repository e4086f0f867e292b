// SPDX-License-Identifier: Apache-2.0
#include "store/engine_db.h"

#include "base/json.h"
#include "catch.h"
#include "temp_dir.h"

using namespace correlator;
using namespace correlator::store;
using correlator::testing::TempDir;
using engine::StateKind;
using engine::StateRow;

namespace {

IntakeRow line_row(std::uint64_t seq, std::string frame) {
  IntakeRow row;
  row.seq = seq;
  row.time = Timestamp{static_cast<std::int64_t>(seq) * 1'000'000};
  row.stream = "a.log";
  row.line_number = seq;
  row.frame = std::move(frame);
  return row;
}

engine::Decision decision(std::string id, std::string rule, std::int64_t seconds) {
  engine::Decision d;
  d.id = std::move(id);
  d.rule = std::move(rule);
  d.time = Timestamp{seconds * 1'000'000};
  d.seq = static_cast<std::uint64_t>(seconds);
  d.why = "because";
  return d;
}

std::vector<std::string> ids(EngineDb& db, const DecisionFilter& filter) {
  std::vector<std::string> out;
  REQUIRE(db.each_decision(filter, [&](std::string_view document) {
              out.push_back(parse_json(document)->at("id").get<std::string>());
              return true;
            }).ok());
  return out;
}

// The snapshot's rows, windows first.
std::vector<StateRow> rows_of(EngineDb& db) {
  std::vector<StateRow> out;
  for (int kind = 1; kind <= 10; ++kind) {
    REQUIRE(db.each_row(static_cast<StateKind>(kind), [&](const StateRow& row) {
                out.push_back(row);
                return Status();
              }).ok());
  }
  return out;
}

}  // namespace

TEST_CASE("what a batch wrote comes back after a restart, hostile bytes included") {
  const TempDir dir;
  const std::string hostile("'); DROP TABLE intake; --\0\xff", 28);
  {
    auto db = EngineDb::open(dir.path());
    REQUIRE(db.ok());
    Batch batch;
    batch.rules = {"h1", RuleTexts{{"a.toml", "format = 1\n"}}};
    batch.intake = {line_row(1, hostile)};
    batch.state = {{StateKind::window, 7, "rule.x", "host=a", hostile, false},
                   {StateKind::open_case, 7, "rule.x", "host=a", "{}", false}};
    batch.snapshot_seq = 1;
    batch.decisions = {decision("aa11", "rule.x", 1)};
    batch.cursors = {{"a.log", "id", 100, 1, "{}"}};
    REQUIRE(db->commit(batch).ok());
  }
  auto db = EngineDb::open(dir.path());
  REQUIRE(db.ok());
  auto snapshot = db->snapshot();
  REQUIRE(snapshot.ok());
  CHECK(snapshot->seq == 1);
  CHECK(snapshot->rules_hash == "h1");
  const auto rows = rows_of(*db);
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].owner == "rule.x");
  CHECK(rows[0].body == hostile);
  CHECK(db->row(StateKind::open_case, 7)->value().key == "host=a");
  CHECK_FALSE(db->row(StateKind::open_case, 8)->has_value());
  std::string frame;
  REQUIRE(db->each_intake(0, [&](IntakeRow&& row) {
              frame = row.frame;
              CHECK(row.stream == "a.log");
              return true;
            }).ok());
  CHECK(frame == hostile);
  CHECK(db->rules("h1")->at(0).second == "format = 1\n");
  CHECK(db->cursors()->at(0).offset == 100);
  CHECK(ids(*db, {}) == std::vector<std::string>{"aa11"});
}

TEST_CASE("a row is replaced and erased by its kind and id") {
  const TempDir dir;
  auto db = EngineDb::open(dir.path());
  REQUIRE(db.ok());
  Batch batch;
  batch.state = {{StateKind::window, 1, "r", "k", "old", false}, {StateKind::context, 1, "c", "k", "other", false}};
  REQUIRE(db->commit(batch).ok());
  batch.state = {{StateKind::window, 1, "r", "k", "new", false}};
  REQUIRE(db->commit(batch).ok());
  CHECK(rows_of(*db).at(0).body == "new");
  batch.state = {{StateKind::window, 1, "", "", "", true}};
  REQUIRE(db->commit(batch).ok());
  REQUIRE(rows_of(*db).size() == 1);
  CHECK(rows_of(*db)[0].kind == StateKind::context);
}

TEST_CASE("a batch is all or nothing") {
  const TempDir dir;
  auto db = EngineDb::open(dir.path());
  REQUIRE(db.ok());
  Batch first;
  first.intake = {line_row(1, "x")};
  REQUIRE(db->commit(first).ok());
  Batch twice;
  twice.state = {{StateKind::window, 5, "r", "k", "b", false}};
  twice.intake = {line_row(2, "y"), line_row(1, "again")};  // the second row cannot be written
  const Status status = db->commit(twice);
  REQUIRE_FALSE(status.ok());
  CHECK(status.error().code == "E305");
  CHECK(rows_of(*db).empty());
  twice.intake = {line_row(2, "y")};
  CHECK(db->commit(twice).ok());  // the same batch, mended, goes through
}

TEST_CASE("a second writer is refused in words, a reader is not") {
  const TempDir dir;
  auto first = EngineDb::open(dir.path());
  REQUIRE(first.ok());
  auto second = EngineDb::open(dir.path());
  REQUIRE_FALSE(second.ok());
  CHECK(second.error().code == "E302");
  CHECK(second.error().message.find("another correlator (process ") == 0);
  CHECK(EngineDb::open(dir.path(), {.access = Access::read_only}).ok());
}

TEST_CASE("reading where nothing is") {
  const TempDir dir;
  auto db = EngineDb::open(dir.path() / "none", {.access = Access::read_only});
  REQUIRE_FALSE(db.ok());
  CHECK(db.error().code == "E301");
}

TEST_CASE("decisions by rule, time, beginning of the id, and the newest") {
  const TempDir dir;
  auto db = EngineDb::open(dir.path());
  REQUIRE(db.ok());
  Batch batch;
  batch.decisions = {decision("aa1", "x", 10), decision("ab2", "y", 20), decision("b3", "x", 30)};
  REQUIRE(db->commit(batch).ok());
  CHECK(ids(*db, {.rule = "x"}) == std::vector<std::string>{"aa1", "b3"});
  CHECK(ids(*db, {.id_prefix = "a"}) == std::vector<std::string>{"aa1", "ab2"});
  CHECK(ids(*db, {.from = Timestamp{20'000'000}}) == std::vector<std::string>{"ab2", "b3"});
  CHECK(ids(*db, {.to = Timestamp{19'999'999}}) == std::vector<std::string>{"aa1"});
  CHECK(ids(*db, {.limit = 2}) == std::vector<std::string>{"ab2", "b3"});
}

TEST_CASE("old intake is dropped behind a snapshot that stands at its new beginning") {
  const TempDir dir;
  auto db = EngineDb::open(dir.path(), {.intake_bytes = 4'000});
  REQUIRE(db.ok());
  std::uint64_t seq = 0;
  for (int round = 0; round < 20; ++round) {
    Batch batch;
    for (int i = 0; i < 5; ++i) batch.intake.push_back(line_row(++seq, std::string(60, 'x')));
    batch.state = {{StateKind::window, 1, "r", "k", std::to_string(seq), false}};
    batch.snapshot_seq = seq;
    REQUIRE(db->commit(batch).ok());
    REQUIRE(db->trim_intake().ok());
  }
  auto base = db->base_snapshot();
  REQUIRE(base.ok());
  REQUIRE(base->seq > 0);
  REQUIRE(base->rows.size() == 1);
  CHECK(base->rows[0].body == std::to_string(base->seq));  // the state as it was then
  std::uint64_t first = 0, rows = 0;
  REQUIRE(db->each_intake(0, [&](IntakeRow&& row) {
              if (rows++ == 0) first = row.seq;
              return true;
            }).ok());
  CHECK(first == base->seq + 1);
  CHECK(rows < 100);
}

namespace {

// Rounds of five lines and a decision d1, d2, … of about `bytes`, each round trimmed; the intake keeps some thirty lines.
void decide_rounds(EngineDb& db, int rounds, std::size_t bytes, const std::function<std::uint64_t()>& taken) {
  std::uint64_t seq = 0;
  for (int round = 1; round <= rounds; ++round) {
    Batch batch;
    for (int i = 0; i < 5; ++i) batch.intake.push_back(line_row(++seq, std::string(60, 'x')));
    batch.decisions = {decision("d" + std::to_string(round), "r", static_cast<std::int64_t>(seq))};
    batch.decisions[0].why = std::string(bytes, 'y');
    batch.snapshot_seq = seq;
    REQUIRE(db.commit(batch).ok());
    REQUIRE(db.trim_intake(nullptr, taken).ok());
  }
}

}  // namespace

TEST_CASE("decisions beyond their bound go with their intake, the oldest first, and only those that were taken over") {
  const TempDir dir;
  const DbOptions small{.intake_bytes = 4'000, .decision_bytes = 3'000};
  auto db = EngineDb::open(dir.path(), small);
  REQUIRE(db.ok());
  std::uint64_t taken = 0;
  SECTION("nobody takes them over: all stay") {
    decide_rounds(*db, 20, 1'000, nullptr);
    CHECK(ids(*db, {}).size() == 20);
    CHECK(db->dropped_decisions()->count == 0);
  }
  SECTION("the dispatcher's last one and all behind it stay") {
    taken = 4;
    decide_rounds(*db, 20, 1'000, [&] { return taken; });
    CHECK(ids(*db, {}).front() == "d4");
    CHECK(ids(*db, {}).size() == 17);
    CHECK(db->dropped_decisions()->count == 3);
    CHECK(db->dropped_decisions()->upto == 3);
    CHECK(db->dropped_decisions()->newest == Timestamp{15'000'000});
    CHECK(db->decision_id(3).value() == std::nullopt);
    CHECK(db->decision_id(4).value() == std::optional<std::string>("d4"));
    CHECK(db->decision_id(21).value() == std::optional<std::string>(""));
  }
  SECTION("decisions whose lines are there stay, whatever their size") {
    taken = 1'000;
    decide_rounds(*db, 20, 5'000, [&] { return taken; });
    const std::uint64_t base = db->base_snapshot()->seq;
    REQUIRE(base > 20);
    REQUIRE(base < 100);
    CHECK(ids(*db, {}).front() == "d" + std::to_string(base / 5 + 1));
  }
  SECTION("what fits the bound stays") {
    taken = 1'000;
    decide_rounds(*db, 20, 10, [&] { return taken; });
    const std::size_t kept = ids(*db, {}).size();
    CHECK(kept > 5);
    CHECK(kept < 20);
    CHECK(db->dropped_decisions()->count == 20 - kept);
    std::size_t bytes = 0, oldest = 0;
    REQUIRE(db->decisions_after(0, [&](StoredDecision&& d) {
                if (bytes == 0) oldest = d.document.size() + d.arguments.size();
                bytes += d.document.size() + d.arguments.size();
                return true;
              }).ok());
    // Trimmed when the intake last was, which may be a few rounds ago.
    CHECK(bytes <= 3'000 + 8 * oldest);
    CHECK(ids(*db, {}).back() == "d20");
  }
}

TEST_CASE("the newest decision stays: a start reads there what was decided, and numbers go on") {
  const TempDir dir;
  const DbOptions none{.intake_bytes = 1'000, .decision_bytes = 0};
  {
    auto db = EngineDb::open(dir.path(), none);
    REQUIRE(db.ok());
    decide_rounds(*db, 1, 100, nullptr);
    for (std::uint64_t seq = 6; seq < 60; ++seq) {
      Batch batch;
      batch.intake = {line_row(seq, std::string(60, 'x'))};
      batch.snapshot_seq = seq;
      REQUIRE(db->commit(batch).ok());
      REQUIRE(db->trim_intake(nullptr, [] { return 1'000; }).ok());
    }
    CHECK(ids(*db, {}) == std::vector<std::string>{"d1"});
  }
  auto db = EngineDb::open(dir.path(), none);
  REQUIRE(db.ok());
  CHECK(db->last_decided() == 5);
}

TEST_CASE("a database is made with the pages asked for and keeps them") {
  const TempDir dir;
  // Bytes 16 and 17 of an SQLite file, big-endian.
  const auto page = [&] {
    const std::string file = dir.read("engine.db");
    return static_cast<unsigned char>(file.at(16)) << 8 | static_cast<unsigned char>(file.at(17));
  };
  REQUIRE(EngineDb::open(dir.path(), {.page_bytes = 16'384}).ok());
  CHECK(page() == 16'384);
  REQUIRE(EngineDb::open(dir.path()).ok());
  CHECK(page() == 16'384);
}

TEST_CASE("what is read at once is of one moment, whoever writes meanwhile") {
  const TempDir dir;
  auto db = EngineDb::open(dir.path());
  REQUIRE(db.ok());
  Batch batch;
  batch.state = {{StateKind::window, 1, "r", "k", "old", false}, {StateKind::open_case, 1, "r", "k", "old", false}};
  REQUIRE(db->commit(batch).ok());
  auto reader = EngineDb::open(dir.path(), {.access = Access::read_only});
  REQUIRE(reader.ok());
  batch.state = {{StateKind::window, 1, "r", "k", "new", false}, {StateKind::open_case, 1, "r", "k", "new", false}};
  std::string seen;
  const auto note = [&](const StateRow& row) { return seen += row.body + " ", Status(); };
  REQUIRE(reader->reading([&]() -> Status {
                  if (auto read = reader->each_row(StateKind::window, note); !read.ok()) return read;
                  if (auto written = db->commit(batch); !written.ok()) return written;
                  return reader->each_row(StateKind::open_case, note);
                }).ok());
  CHECK(seen == "old old ");
  REQUIRE(reader->each_row(StateKind::window, note).ok());
  CHECK(seen == "old old new ");
}

TEST_CASE("the intake's bytes are known after a restart without adding them up") {
  const TempDir dir;
  for (int round = 0; round < 3; ++round) {
    auto db = EngineDb::open(dir.path(), {.intake_bytes = 1'000});
    REQUIRE(db.ok());
    Batch batch;  // 300 bytes each: only the sum of all rounds passes half of the bound and then all of it
    for (std::uint64_t i = 1; i <= 3; ++i)
      batch.intake.push_back(line_row(static_cast<std::uint64_t>(round) * 3 + i, std::string(100, 'x')));
    batch.snapshot_seq = static_cast<std::uint64_t>(round) * 3 + 3;
    REQUIRE(db->commit(batch).ok());
    REQUIRE(db->trim_intake().ok());
    CHECK(db->base_snapshot()->seq == (round < 2 ? 0U : 6U));
  }
}
