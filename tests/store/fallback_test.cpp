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

  EngineDb open() {
    DbOptions options;
    options.spool_bytes = 64 << 10;
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

TEST_CASE("what was committed without a sync is synced before the spool is used instead") {
  Site site;
  EngineDb db = site.open();
  REQUIRE(db.record(line(1)));
  site.other("BEGIN IMMEDIATE");
  REQUIRE(db.record(line(2)));
  REQUIRE(db.record(line(3)));
  CHECK(site.files.synced == std::vector<std::string>{"engine.db-wal"});
  // Where the database is locked, sync() has nothing to wait for.
  REQUIRE(db.sync());
}

TEST_CASE("the name of the spool is synced before anything is in it") {
  Site site;
  EngineDb db = site.open();
  CHECK(site.files.directories == 1);
}
