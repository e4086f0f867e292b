// SPDX-License-Identifier: Apache-2.0
// The intake as rows and as blocks: whichever way records were written, they come back the same.
#include <cstdio>
#include <random>

#include "catch.h"
#include "sqlite_shell.h"
#include "store/engine_db.h"
#include "temp_dir.h"

using namespace correlator;
using namespace correlator::store;
using namespace correlator::testing;

namespace {

bool operator==(const IntakeRow& a, const IntakeRow& b) {
  return a.seq == b.seq && a.kind == b.kind && a.time == b.time && a.stream == b.stream && a.line_number == b.line_number && a.frame == b.frame &&
         a.extra == b.extra && a.line_id == b.line_id;
}

std::string some_bytes(std::mt19937& random, std::size_t most) {
  std::string out(random() % (most + 1), ' ');
  for (char& c : out) c = static_cast<char>(random());
  return out;
}

IntakeRow some_row(std::mt19937& random, std::uint64_t seq) {
  IntakeRow row;
  row.seq = seq;
  row.kind = static_cast<IntakeKind>(1 + random() % 8);
  row.time = Timestamp{random() % 20 == 0 ? Timestamp::min().us : static_cast<std::int64_t>(random()) * 1'000 - 1'000'000'000};
  row.stream = std::vector<std::string>{"", "a.log", "b.log"}[random() % 3];
  row.line_number = random() % 3 == 0 ? 0 : random();
  if (random() % 4 != 0) row.frame = some_bytes(random, random() % 50 == 0 ? 100'000 : 200);
  if (random() % 8 == 0) row.extra = "{\"host\":\"" + std::to_string(random()) + "\"}";
  if (random() % 4 == 0) row.line_id = some_bytes(random, 30);
  return row;
}

std::vector<IntakeRow> read(EngineDb& db, std::uint64_t after = 0) {
  std::vector<IntakeRow> out;
  REQUIRE(db.each_intake(after, [&](IntakeRow&& row) {
    out.push_back(std::move(row));
    return true;
  }));
  return out;
}

bool same(const std::vector<IntakeRow>& a, std::span<const IntakeRow> b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const IntakeRow& x, const IntakeRow& y) { return x == y; });
}

std::vector<std::string> ids(EngineDb& db, std::uint64_t most) {
  std::vector<std::string> out;
  REQUIRE(db.each_line_id(most, [&](std::string_view id) { out.emplace_back(id); }));
  return out;
}

// Batches of one, of some, of many; now and then a number is left out.
std::vector<IntakeRow> write_some(EngineDb& db, std::mt19937& random) {
  std::vector<IntakeRow> all;
  std::uint64_t seq = 0;
  for (int batch = 0; batch < 12; ++batch) {
    Batch to;
    const std::size_t size = std::vector<std::size_t>{1, 15, 16, 17, 40, 1'500}[random() % 6];
    for (std::size_t i = 0; i < size; ++i) to.intake.push_back(some_row(random, seq += random() % 100 == 0 ? 2 : 1));
    all.insert(all.end(), to.intake.begin(), to.intake.end());
    REQUIRE(db.commit(to));
  }
  return all;
}

// A state of 200 lines in blocks; its records are changed as a damaged disk might.
struct Damaged {
  TempDir dir;
  std::mt19937 random{1};

  Damaged() {
    auto db = EngineDb::open(dir.path());
    REQUIRE(db);
    Batch batch;
    for (std::uint64_t seq = 1; seq <= 200; ++seq) batch.intake.push_back(some_row(random, seq));
    REQUIRE(db->commit(batch));
  }
  Status read(const std::string& change) {
    sqlite_shell(dir.path() / "engine.db", change);
    auto db = EngineDb::open(dir.path());
    REQUIRE(db);
    const Status all = db->each_intake(0, [](IntakeRow&&) { return true; });
    const auto one = db->intake(200);
    CHECK((!one.ok() || !one->has_value() || (*one)->seq == 200));
    return all;
  }
};

}  // namespace

TEST_CASE("records come back as they were written, as rows and as blocks, from anywhere on and one by one") {
  const unsigned seed = GENERATE(range(1U, 9U));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const TempDir dir;
  auto db = EngineDb::open(dir.path());
  REQUIRE(db);
  const std::vector<IntakeRow> all = write_some(*db, random);
  CHECK(same(read(*db), all));
  for (int i = 0; i < 20; ++i) {
    const std::size_t at = random() % all.size();
    CHECK(same(read(*db, all[at].seq), std::span(all).subspan(at + 1)));
  }
  std::vector<std::string> known;
  for (const IntakeRow& row : all) {
    if (!row.line_id.empty()) known.push_back(row.line_id);
  }
  CHECK(ids(*db, all.size()) == known);
  const std::size_t some = random() % known.size();
  CHECK(ids(*db, some) == std::vector<std::string>(known.end() - static_cast<std::ptrdiff_t>(some), known.end()));
  std::size_t at = 0;
  for (std::uint64_t seq = 0; seq <= all.back().seq + 1; ++seq) {
    const auto found = db->intake(seq);
    REQUIRE(found);
    const bool there = at < all.size() && all[at].seq == seq;
    REQUIRE(found->has_value() == there);
    if (there) CHECK((**found == all[at++]));
  }
  // Another process sees the same, and what is read ends where it is told to.
  auto reader = EngineDb::open(dir.path(), {.access = Access::read_only});
  REQUIRE(reader);
  CHECK(same(read(*reader), all));
  std::size_t seen = 0;
  REQUIRE(reader->each_intake(0, [&](IntakeRow&&) { return ++seen < 30; }));
  CHECK(seen == 30);
}

TEST_CASE("many records are few rows, few are rows of their own") {
  const TempDir dir;
  auto db = EngineDb::open(dir.path());
  REQUIRE(db);
  std::mt19937 random(1);
  Batch batch;
  for (std::uint64_t seq = 1; seq <= 15; ++seq) batch.intake.push_back(some_row(random, seq));
  REQUIRE(db->commit(batch));
  batch.intake.clear();
  for (std::uint64_t seq = 16; seq <= 31; ++seq) batch.intake.push_back(some_row(random, seq));
  for (IntakeRow& row : batch.intake) row.frame = std::string(100, 'x');
  REQUIRE(db->commit(batch));
  CHECK(sqlite_shell(dir.path() / "engine.db", "SELECT (SELECT count(*) FROM intake), count(*) FROM intake_block") == "15|1\n");
}

TEST_CASE("a person sees the lines of both") {
  const TempDir dir;
  {
    auto db = EngineDb::open(dir.path());
    REQUIRE(db);
    Batch batch;
    for (std::uint64_t seq = 1; seq <= 41; ++seq) {
      IntakeRow row;
      row.seq = seq;
      row.time = Timestamp{1'767'225'600'000'000} + Duration::seconds(static_cast<std::int64_t>(seq));
      if (seq % 3 == 0) {
        row.kind = IntakeKind::mark;
      } else {
        row.stream = seq % 2 == 0 ? "" : "a'.log";
        row.line_number = seq * 10;
        row.frame = "it's line " + std::to_string(seq);
        row.extra = seq % 5 == 0 ? "{\"undated\":true}" : "";
      }
      batch.intake.push_back(row);
      if (seq == 1 || seq == 41) {
        REQUIRE(db->commit(batch));
        batch.intake.clear();
      }
    }
  }
  const auto file = dir.path() / "engine.db";
  CHECK(sqlite_shell(file, "SELECT * FROM lines ORDER BY seq LIMIT 4") ==
        "1|2026-01-01T00:00:01Z|a'.log|10|it's line 1\n"
        "2|2026-01-01T00:00:02Z||20|it's line 2\n"
        "4|2026-01-01T00:00:04Z||40|it's line 4\n"
        "5|2026-01-01T00:00:05Z|a'.log|50|it's line 5\n");
  CHECK(sqlite_shell(file, "SELECT count(*), min(seq), max(line), max(at) FROM lines") == "28|1|410|2026-01-01T00:00:41Z\n");
}

TEST_CASE("a storm's lines are brought over as blocks") {
  const TempDir dir;
  std::mt19937 random(3);
  std::vector<IntakeRow> all;
  {
    DbOptions options;
    options.spool_bytes = 1 << 20;
    auto db = EngineDb::open(dir.path(), options);
    REQUIRE(db);
    for (std::uint64_t seq = 1; seq <= 100; ++seq) {
      Batch batch;
      batch.intake = {some_row(random, seq)};
      all.push_back(batch.intake.front());
      REQUIRE(db->record(batch));
    }
    CHECK(db->spooled() == 100);
    REQUIRE(db->drain());
    CHECK(same(read(*db), all));
  }
  CHECK(sqlite_shell(dir.path() / "engine.db", "SELECT count(*) FROM intake") == "0\n");
}

TEST_CASE("old intake goes in blocks, too, and what the state says of its lines is carried over first") {
  const TempDir dir;
  auto db = EngineDb::open(dir.path(), {.intake_bytes = 40'000});
  REQUIRE(db);
  std::uint64_t seq = 0, carried = 0;
  for (int round = 0; round < 20; ++round) {
    Batch batch;
    for (int i = 0; i < 50; ++i) {
      IntakeRow row;
      row.seq = ++seq;
      row.stream = "a.log";
      row.frame = std::string(60, 'x');
      batch.intake.push_back(row);
    }
    batch.snapshot_seq = seq;
    REQUIRE(db->commit(batch));
    REQUIRE(db->trim_intake([&](const engine::RowVisitor& write) {
      carried = seq;
      return write({engine::StateKind::evidence, seq, {}, {}, "[]", false});
    }));
    CHECK(db->snapshot()->evidence_seq == carried);
  }
  const auto base = db->base_snapshot();
  REQUIRE(base);
  REQUIRE(base->seq > 0);
  REQUIRE_FALSE(base->rows.empty());
  CHECK(base->rows.back().kind == engine::StateKind::evidence);
  CHECK(base->rows.back().id == base->seq);
  const auto kept = read(*db);
  REQUIRE_FALSE(kept.empty());
  CHECK(kept.front().seq == base->seq + 1);
  CHECK(kept.size() < 600);
  CHECK_FALSE(db->intake(base->seq)->has_value());
  CHECK(db->row(engine::StateKind::evidence, base->seq)->has_value());
  // What cannot be carried over keeps the intake as it is.
  auto strict = EngineDb::open(dir.path() / "other", {.intake_bytes = 1'000});
  REQUIRE(strict);
  Batch batch;
  batch.intake = {some_row(*std::make_unique<std::mt19937>(1), 1)};
  batch.intake[0].frame = std::string(1'000, 'x');
  batch.snapshot_seq = 1;
  REQUIRE(strict->commit(batch));
  const Status refused = strict->trim_intake([](const engine::RowVisitor&) { return Status(make_error("E310", "no", "no")); });
  REQUIRE_FALSE(refused);
  CHECK(refused.error().code == "E310");
  CHECK(strict->snapshot()->evidence_seq == 0);
  CHECK(read(*strict).size() == 1);
}

TEST_CASE("a damaged block is an error, and never other records") {
  for (const char* change : {"records = ''", "records = '[]'", "records = '[[1,2'", "records = '[[1,2,3,4,5,6,7,8,9]]'", "records = replace(records, ']', '')",
                             "records = 'x' || records", "last = last + 1", "last = first - 1", "bytes = x''", "bytes = substr(bytes, 1, 1000)",
                             "records = '[[1,0,1,1,0,9223372036854775807]]', last = first", "records = '[[1,0,1,1,-1,5]]', last = first",
                             "records = '[[1,0,1,1,0,-5]]', last = first", "records = '[[1,0,1,1,99999999,1]]', last = first",
                             "records = '[[1,0,1,1,0,99999999999999999999]]', last = first", "records = '[[1,0.5]]', last = first"}) {
    INFO(change);
    Damaged damaged;
    const Status status = damaged.read(std::string("UPDATE intake_block SET ") + change);
    REQUIRE_FALSE(status);
    CHECK(status.error().code == "E304");
    CHECK(status.error().hint.find("move it away") != std::string::npos);
  }
}

TEST_CASE("a block of any bytes is read to its end or refused") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int i = 0; i < 25; ++i) {
    Damaged damaged;
    const std::string place = std::to_string(1 + random() % 4000);
    const std::string with = std::string(1, "0123456789,[]-x"[random() % 15]);
    const Status status = damaged.read("UPDATE intake_block SET records = substr(records, 1, " + place + ") || '" + with + "' || substr(records, " + place + " + 2)");
    if (!status) CHECK(status.error().code == "E304");
  }
}
