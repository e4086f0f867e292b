// SPDX-License-Identifier: Apache-2.0
// Lines of evidence stand in the intake and are carried over when it is trimmed: decisions are the same to the byte, over trims and restarts.
#include <random>

#include "base/json.h"
#include "engine/json.h"
#include "piping.h"
#include "sqlite_shell.h"

using namespace correlator;
using namespace correlator::pipeline;
using namespace correlator::pipeline::test;

namespace {

const char* const kSlow = R"toml(format = 1
[class.error]
key = ["host", "part"]
[[event]]
id = "error"
class = "error"
match = 'error (?P<part>\w+)'
[[rule]]
id = "nine"
on = "error"
count = "9 in 24h"
)toml";

struct Stepped {
  std::vector<std::string> decisions;  // documents
  std::unique_ptr<Session> session;
  store::DbOptions options;
  std::filesystem::path dir;  // empty: no database
  std::uint64_t line = 0;

  void start() {
    session.reset();
    std::optional<store::EngineDb> db;
    if (!dir.empty()) {
      auto opened = store::EngineDb::open(dir, options);
      REQUIRE(opened);
      db = std::move(*opened);
    }
    auto started = Session::start(load_rules(kSlow), std::move(db), {}, [this](const engine::StepOutput& out, const rules::RuleSet&) {
      for (const engine::Decision& d : out.decisions) decisions.push_back(to_line(engine::to_json(d)));
    });
    REQUIRE(started);
    session = std::move(*started);
  }

  void feed(std::mt19937& random) {
    ++line;
    Line next;
    // What a text holds comes back through a frame or through a row: both must give the same bytes.
    std::string frame = "<3>Jan  1 00:00:00 h" + std::to_string(random() % 3) + " app[7]: error p" + std::to_string(random() % 12) + " ";
    for (int i = 0; i < 40; ++i) frame += static_cast<char>(random() % 4 == 0 ? 128 + random() % 128 : 32 + random() % 95);
    if (random() % 50 == 0) frame += std::string(9'000, 'x');
    next.frame = frame;
    next.stream = "some.log";
    next.line_number = line;
    next.time = Timestamp{1'767'225'600'000'000} + Duration::seconds(static_cast<std::int64_t>(line));
    next.times = random() % 20 == 0 ? 2 : 1;
    if (random() % 10 == 0) next.host = "elsewhere";
    session->line(next);
  }
};

std::string sql(const std::filesystem::path& dir, const std::string& text) { return testing::sqlite_shell(dir / "engine.db", text); }

}  // namespace

TEST_CASE("property: evidence is the same, wherever its text comes from") {
  const unsigned seed = GENERATE(range(1U, 7U));
  INFO("seed " << seed);
  const testing::TempDir dir;
  Stepped alone, stored;
  stored.dir = dir.path();
  stored.options.intake_bytes = seed % 2 == 0 ? 30'000 : std::uint64_t{1} << 30;
  std::mt19937 first(seed), second(seed), when(seed);
  alone.start();
  stored.start();
  for (int i = 0; i < 1'500; ++i) {
    alone.feed(first);
    stored.feed(second);
    if (when() % 30 == 0) REQUIRE(stored.session->commit());
    if (when() % 150 == 0) {  // what was not committed would be gone
      REQUIRE(stored.session->commit());
      stored.start();
    }
  }
  REQUIRE(stored.session->commit());
  CHECK(alone.decisions.size() > 20);
  CHECK(stored.decisions == alone.decisions);
  stored.session.reset();
  CHECK(recorded(dir.path()).empty());
  // No text stands twice, and no row of evidence stays behind.
  const bool trimmed = stored.options.intake_bytes < 1'000'000;
  CHECK((sql(dir.path(), "SELECT count(*) FROM live_evidence") == "0\n") == !trimmed);
  CHECK((sql(dir.path(), "SELECT value FROM meta WHERE name = 'base_seq'").empty()) == !trimmed);
  CHECK(sql(dir.path(), "SELECT count(*) FROM live_evidence WHERE id > (SELECT CAST(value AS INTEGER) FROM meta WHERE name = 'evidence_seq')") == "0\n");
}

TEST_CASE("a line of evidence that cannot be read decides nothing") {
  const testing::TempDir dir;
  Stepped stored;
  stored.dir = dir.path();
  std::mt19937 random(1);
  stored.start();
  for (int i = 0; i < 100; ++i) stored.feed(random);
  REQUIRE(stored.session->commit());
  stored.session.reset();
  stored.decisions.clear();
  sql(dir.path(), "UPDATE intake_block SET bytes = x''");
  stored.start();
  for (int i = 0; i < 100; ++i) stored.feed(random);
  const Status status = stored.session->commit();
  REQUIRE_FALSE(status);
  CHECK(status.error().code == "E304");
  CHECK(stored.decisions.empty());
}
