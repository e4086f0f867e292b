// SPDX-License-Identifier: Apache-2.0
// From the database to the spool and back: what the simulation (tests/sim) found, one case each.
#include "catch.h"
#include "store/engine_db.h"
#include "store_trouble.h"
#include "temp_dir.h"

using namespace correlator;
using namespace correlator::store;
using namespace correlator::testing;

namespace {

struct Site {
  TempDir dir;
  WatchedFiles files;
  OtherProcess another{dir.path()};

  EngineDb open() { return open(64 << 10); }
  EngineDb open_without_spool() { return open(0); }
  EngineDb open(std::uint64_t spool_bytes) {
    DbOptions options;
    options.spool_bytes = spool_bytes;
    options.busy = Duration{};
    options.files = &files;
    auto db = EngineDb::open(dir.path(), options);
    REQUIRE(db);
    return std::move(*db);
  }
  void other(const char* sql) { REQUIRE(another.says(sql)); }
};

Batch line(std::uint64_t seq) {
  Batch batch;
  IntakeRow row;
  row.seq = seq;
  row.stream = "omprog";
  row.frame = "line";
  batch.intake.push_back(row);
  batch.sync = true;
  return batch;
}

std::vector<std::uint64_t> recorded(EngineDb& db) {
  std::vector<std::uint64_t> out;
  REQUIRE(db.each_intake(0, [&](IntakeRow&& row) {
    out.push_back(row.seq);
    return true;
  }));
  return out;
}

}  // namespace

TEST_CASE("what is recorded after a drain whose spool could not be emptied is not emptied away with it") {
  Site site;
  EngineDb db = site.open();
  site.other("BEGIN IMMEDIATE");
  REQUIRE(db.record(line(1)));
  CHECK(db.spooling());
  site.other("ROLLBACK");
  site.files.fail = true;
  CHECK_FALSE(db.drain());
  CHECK_FALSE(db.record(line(2)));  // nowhere to put it that would last
  site.files.fail = false;
  REQUIRE(db.record(line(2)));
  REQUIRE(db.drain());
  CHECK_FALSE(db.spooling());
  CHECK(recorded(db) == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("a batch that is in the database and in the spool is taken once") {
  Site site;
  const auto spool = site.dir.path() / "spool", kept = site.dir.path() / "kept";
  {
    EngineDb db = site.open();
    site.other("BEGIN IMMEDIATE");
    REQUIRE(db.record(line(1)));
    REQUIRE(db.record(line(2)));
    std::filesystem::copy_file(spool, kept);
    site.other("ROLLBACK");
    REQUIRE(db.drain());
  }
  // As after a commit that failed at its sync and was found whole in the log by the next process.
  site.other("DELETE FROM meta WHERE name = 'spool_taken'; DELETE FROM intake WHERE seq = 2");
  std::filesystem::rename(kept, spool);
  EngineDb db = site.open();
  CHECK_FALSE(db.spooling());
  CHECK(recorded(db) == std::vector<std::uint64_t>{1, 2});
}

TEST_CASE("positions of a batch that the spool took without a sync, and the database then, are old when the next process finds it") {
  Site site;
  const auto spool = site.dir.path() / "spool", kept = site.dir.path() / "kept";
  const auto read_to = [](std::uint64_t seq) {
    Batch batch = line(seq);
    batch.cursors.push_back({"dispatcher", "ledger", seq, 0, {}});
    return batch;
  };
  {
    EngineDb db = site.open();
    site.other("BEGIN IMMEDIATE");
    site.files.fail_file_sync = true;
    CHECK_FALSE(db.record(read_to(1)));
    std::filesystem::copy_file(spool, kept);  // as a process leaves it that dies before it writes there again
    site.other("ROLLBACK");
    site.files.fail_file_sync = false;
    REQUIRE(db.record(read_to(1)));
    REQUIRE(db.record(read_to(2)));
  }
  std::filesystem::copy_file(kept, spool, std::filesystem::copy_options::overwrite_existing);
  EngineDb db = site.open();
  REQUIRE(db.drain());
  CHECK(recorded(db) == std::vector<std::uint64_t>{1, 2});
  const auto cursors = db.cursors();
  REQUIRE(cursors);
  REQUIRE(cursors->size() == 1);
  CHECK(cursors->front().offset == 2);
}

TEST_CASE("what was added to the spool behind a drain that the next process finds whole in the log is not passed over") {
  Site site;
  const auto spool = site.dir.path() / "spool", kept = site.dir.path() / "kept";
  {
    EngineDb db = site.open();
    site.other("BEGIN IMMEDIATE");
    REQUIRE(db.record(line(2)));
    const auto with_one = site.dir.path() / "with_one";
    std::filesystem::copy_file(spool, with_one);
    REQUIRE(db.record(line(3)));
    std::filesystem::copy_file(spool, kept);
    site.other("ROLLBACK");
    std::filesystem::rename(with_one, spool);
  }
  { EngineDb drained = site.open(); }
  // The database has the first of its two batches.
  std::filesystem::rename(kept, spool);
  EngineDb db = site.open();
  CHECK_FALSE(db.spooling());
  CHECK(recorded(db) == std::vector<std::uint64_t>{2, 3});
}

TEST_CASE("what was committed without a sync is synced before the spool is used instead") {
  Site site;
  EngineDb db = site.open();
  site.files.synced.clear();
  Batch first = line(1);
  first.sync = false;
  REQUIRE(db.commit(first));
  site.other("BEGIN IMMEDIATE");
  REQUIRE(db.record(line(2)));
  REQUIRE(db.record(line(3)));
  CHECK(site.files.synced == std::vector<std::string>{"engine.db-wal"});
  // Where the database is locked, sync() has nothing to wait for.
  REQUIRE(db.sync());
}

TEST_CASE("the names of the log and of the spool are synced before anything is in them") {
  Site site;
  EngineDb db = site.open();
  CHECK(site.files.directories == 2);
}

TEST_CASE("what an earlier process left in the log is synced before anything is answered") {
  Site site;
  { EngineDb db = site.open(); }
  site.files.synced.clear();
  EngineDb db = site.open();
  CHECK(site.files.synced == std::vector<std::string>{"engine.db-wal"});
}

namespace {

Batch decided(std::uint64_t seq) {
  Batch batch = line(seq);
  engine::Decision decision;
  decision.id = "d" + std::to_string(seq);
  decision.seq = seq;
  decision.rule = "r";
  batch.decisions.push_back(decision);
  batch.sync = true;
  return batch;
}

std::vector<std::string> readable(Site& site) {
  DbOptions options;
  options.access = Access::read_only;
  auto reader = EngineDb::open(site.dir.path(), options);
  REQUIRE(reader);
  std::vector<std::string> out;
  REQUIRE(reader->decisions_after(0, [&](StoredDecision&& decision) {
    out.push_back(decision.id);
    return true;
  }));
  return out;
}

}  // namespace

TEST_CASE("a decision can be read before it is synced, and is synced when record() returns") {
  Site site;
  EngineDb db = site.open();
  site.files.synced.clear();
  std::vector<std::string> seen;
  REQUIRE(db.record(decided(1), [&] {
    seen = readable(site);
    CHECK(site.files.synced.empty());
    // The reader's own sync, before it acts.
    REQUIRE(EngineDb::sync_what_is_read(site.dir.path(), site.files));
    CHECK(site.files.synced.size() == 1);
  }));
  CHECK(seen == std::vector<std::string>{"d1"});
  CHECK(site.files.synced.size() == 2);
  CHECK(db.decision_id(1).value() == std::optional<std::string>("d1"));
  CHECK(db.decision_id(2).value() == std::optional<std::string>(""));
}

TEST_CASE("a decision that was seen and could not be synced is made durable by the spool, and counts once") {
  Site site;
  EngineDb db = site.open();
  int shown = 0;
  const auto show = [&] {
    ++shown;
    site.files.fail_sync = "engine.db-wal";
  };
  REQUIRE(db.record(decided(1), show));
  CHECK(db.spooling());
  REQUIRE(db.record(decided(2), show));  // the spool's turn: nobody sees it yet
  CHECK(shown == 1);
  site.files.fail_sync.clear();
  REQUIRE(db.drain());
  CHECK(recorded(db) == std::vector<std::uint64_t>{1, 2});
  CHECK(readable(site) == std::vector<std::string>{"d1", "d2"});
}

TEST_CASE("lines of a storm wait in the spool; a decision does not, and what stands before it is brought over first") {
  Site site;
  EngineDb db = site.open();
  const auto in_storm = [](std::uint64_t seq) {
    Batch batch = line(seq);
    batch.sync = false;
    return batch;
  };
  for (const std::uint64_t seq : {1, 2, 3}) REQUIRE(db.record(in_storm(seq)));
  CHECK(db.spooled() == 3);
  CHECK_FALSE(db.spooling());  // by choice
  CHECK(recorded(db).empty());
  const int before = site.files.file_syncs;
  REQUIRE(db.record(line(4)));  // the one that is to be synced syncs those before it
  CHECK(site.files.file_syncs == before + 1);
  REQUIRE(db.sync());
  CHECK(site.files.file_syncs == before + 1);
  REQUIRE(db.record(in_storm(5)));
  REQUIRE(db.sync());
  CHECK(site.files.file_syncs == before + 2);
  CHECK(db.spooled() == 5);
  REQUIRE(db.record(decided(6)));
  CHECK(db.spooled() == 0);
  CHECK(recorded(db) == std::vector<std::uint64_t>{1, 2, 3, 4, 5, 6});
  // So does a snapshot.
  REQUIRE(db.record(in_storm(7)));
  Batch snapshot;
  snapshot.snapshot_seq = 7;
  REQUIRE(db.commit(snapshot));
  CHECK(recorded(db).size() == 7);
}

TEST_CASE("what waits in the spool of a storm is there after a death, and no more than some thousand lines are") {
  Site site;
  {
    EngineDb db = site.open(4 << 20);
    for (std::uint64_t seq = 1; seq <= 2000; ++seq) {
      Batch batch = line(seq);
      batch.sync = false;
      REQUIRE(db.record(batch));
    }
    CHECK(db.spooled() == 2000);
    Batch next = line(2001);
    next.sync = false;
    REQUIRE(db.record(next));
    CHECK(db.spooled() == 0);
    next.intake.front().seq = 2002;
    REQUIRE(db.record(next));
    CHECK(db.spooled() == 1);
  }
  EngineDb db = site.open();
  CHECK(recorded(db).size() == 2002);
}

TEST_CASE("a storm that fills the spool goes on in the database; one that meets a locked database goes on in the spool, synced") {
  Site site;
  EngineDb db = site.open(8 << 10);
  std::uint64_t seq = 0;
  const auto next = [&] {
    Batch batch = line(++seq);
    batch.sync = false;
    return batch;
  };
  while (db.spooled() == seq) REQUIRE(db.record(next()));
  CHECK(recorded(db).size() == seq);  // it was full
  site.other("BEGIN IMMEDIATE");
  const int before = site.files.file_syncs;
  REQUIRE(db.record(next()));
  CHECK(site.files.file_syncs == before);
  CHECK_FALSE(db.drain());
  REQUIRE(db.record(decided(++seq)));
  CHECK(db.spooling());
  CHECK(site.files.file_syncs == before + 1);
  REQUIRE(db.record(next()));
  CHECK(site.files.file_syncs == before + 2);
  site.other("ROLLBACK");
  REQUIRE(db.drain());
  CHECK_FALSE(db.spooling());
  CHECK(recorded(db).size() == seq);
}

TEST_CASE("where there is no spool, it comes again and counts once") {
  Site site;
  EngineDb db = site.open_without_spool();
  site.files.fail_sync = "engine.db-wal";
  Batch batch = decided(1);
  CHECK_FALSE(db.record(batch, [] {}));
  site.files.fail_sync.clear();
  batch.intake.push_back(line(2).intake.front());
  REQUIRE(db.record(batch, [] {}));
  CHECK(recorded(db) == std::vector<std::uint64_t>{1, 2});
  CHECK(readable(site) == std::vector<std::string>{"d1"});
}
