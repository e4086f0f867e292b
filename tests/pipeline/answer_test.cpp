// SPDX-License-Identifier: Apache-2.0
// When a line is answered, and when what was answered is on the disk; in virtual time, over a real database.
#include <algorithm>
#include <deque>
#include <functional>

#include "piping.h"
#include "store_trouble.h"

using namespace correlator;
using namespace correlator::pipeline;
using namespace correlator::pipeline::test;
using correlator::testing::OtherProcess;
using correlator::testing::TempDir;
using correlator::testing::WatchedFiles;

namespace {

// An input that can be asked to send again, as omprog can.
class Peer final : public input::LiveSource {
 public:
  Peer() : LiveSource("peer") {}
  int fd() const override { return -1; }
  Result<Next> next(input::LiveFrame& frame) override {
    if (frames.empty()) return Next::nothing;
    current_ = frames.front();
    frames.pop_front();
    frame = {};
    frame.bytes = current_;
    frame.id = current_;  // the same line has the same identity
    return Next::frame;
  }
  void answer(bool accepted) override { answers.push_back(accepted); }
  bool answers_early() const override { return true; }
  Status send_answers() override {
    if (when_sent) when_sent();
    return {};
  }
  bool may_refuse() const override { return true; }
  bool has_marks() const override { return true; }

  std::deque<std::string> frames;
  std::vector<bool> answers;
  std::function<void()> when_sent;  // early

 private:
  std::string current_;
};

struct House {
  TempDir dir;
  WatchedFiles files;
  OtherProcess another{dir.path()};
  SimulatedClock clock{*parse_rfc3339("2026-01-01T01:00:00Z")};
  Peer* peer = nullptr;
  std::unique_ptr<Session> session;
  std::unique_ptr<Live> live;

  explicit House(LiveOptions options = {}) {
    store::DbOptions db_options;
    db_options.spool_bytes = 64 << 10;
    db_options.busy = Duration{};
    db_options.files = &files;
    auto db = store::EngineDb::open(dir.path(), db_options);
    REQUIRE(db);
    auto started = Session::start(load_rules(kRules), std::move(*db), {}, nullptr);
    REQUIRE(started);
    session = std::move(*started);
    auto source = std::make_unique<Peer>();
    peer = source.get();
    std::vector<std::unique_ptr<input::LiveSource>> sources;
    sources.push_back(std::move(source));
    live = std::make_unique<Live>(*session, std::move(sources), clock, std::move(options));
    after({});  // the first snapshot is behind us
    files.synced.clear();
  }
  void after(Duration time) {
    clock.advance(time);
    REQUIRE(live->round({}));
  }
  std::size_t log_syncs() const {
    return static_cast<std::size_t>(std::count(files.synced.begin(), files.synced.end(), "engine.db-wal"));
  }
};

const char* const kLine = "2026-01-01T00:00:00Z h1 k: error D1";

}  // namespace

TEST_CASE("a line that nothing can take is not answered, is refused in time, and counts once when it comes again") {
  House house;
  REQUIRE(house.another.says("BEGIN IMMEDIATE"));
  house.files.fail = true;
  house.peer->frames.emplace_back(kLine);
  house.after({});
  CHECK(house.peer->answers.empty());
  house.after(Duration::milliseconds(7'999));
  CHECK(house.peer->answers.empty());
  house.after(Duration::milliseconds(1));
  CHECK(house.peer->answers == std::vector<bool>{false});

  house.files.fail = false;
  REQUIRE(house.another.says("ROLLBACK"));
  house.peer->frames.emplace_back(kLine);
  house.after(Duration::seconds(1));
  CHECK(house.peer->answers == std::vector<bool>{false, true});
  CHECK(house.session->engine().counters().lines == 1);
}

TEST_CASE("what was answered without a sync is synced 20 ms later, though nothing more comes") {
  LiveOptions options;
  options.sync.burst = options.sync.per_second = 0;  // a storm, from the first line on
  options.snapshot_every = Duration::hours(1);
  House house(options);
  house.peer->frames.emplace_back(kLine);
  house.after({});
  CHECK(house.peer->answers == std::vector<bool>{true});
  CHECK(house.live->batching());
  CHECK(house.log_syncs() == 0);
  house.after(Duration{19'999});
  CHECK(house.log_syncs() == 0);
  house.after(Duration{1});
  CHECK(house.log_syncs() == 1);
  CHECK_FALSE(house.live->batching());
}

namespace {

LiveOptions storm() {
  LiveOptions options;
  options.sync.burst = options.sync.per_second = 0;
  options.snapshot_every = Duration::hours(1);
  return options;
}

std::vector<std::string> decided_in(const std::filesystem::path& dir) {
  auto db = store::EngineDb::open(dir, {.access = store::Access::read_only});
  REQUIRE(db);
  std::vector<std::string> out;
  REQUIRE(db->each_decision({}, [&](std::string_view document) {
    out.emplace_back(document);
    return true;
  }));
  return out;
}

struct Death {};

// What kRules counts to three.
void two_of_three(House& house) {
  house.peer->frames.emplace_back(kLine);
  house.peer->frames.emplace_back("2026-01-01T00:00:02Z h1 k: error D1");
  house.after({});
}

}  // namespace

TEST_CASE("in a storm a line is answered before the engine sees it, outside one behind its record") {
  House busy(storm());
  std::uint64_t seen = 99;
  busy.peer->when_sent = [&] { seen = busy.session->engine().counters().lines; };
  busy.peer->frames.emplace_back(kLine);
  busy.after({});
  CHECK(seen == 0);
  CHECK(busy.session->engine().counters().lines == 1);
  CHECK(busy.peer->answers == std::vector<bool>{true});
  CHECK(busy.session->db()->spooled() == 1);

  House calm;
  calm.peer->when_sent = [] { FAIL("there is no storm"); };
  calm.peer->frames.emplace_back(kLine);
  calm.after({});
  CHECK(calm.peer->answers == std::vector<bool>{true});
}

TEST_CASE("a line that may decide something is announced before the engine sees it, now and then, and not in a storm") {
  House house;
  std::vector<std::uint64_t> seen;
  house.live->soon = [&] { seen.push_back(house.session->engine().counters().lines); };
  const auto line_after = [&](Duration time, const char* line) {
    house.peer->frames.emplace_back(line);
    house.after(time);
  };
  line_after({}, "2026-01-01T00:00:00Z h1 k: nothing of interest");
  CHECK(seen.empty());
  line_after({}, kLine);
  CHECK(seen == std::vector<std::uint64_t>{0});
  line_after(Duration{9'999}, "2026-01-01T00:00:01Z h1 k: error D1");
  CHECK(seen.size() == 1);
  line_after(Duration{1}, "2026-01-01T00:00:02Z h1 k: error D1");
  CHECK(seen == std::vector<std::uint64_t>{0, 2});

  House busy(storm());
  two_of_three(busy);  // the first of them makes it one
  busy.live->soon = [] { FAIL("in a storm"); };
  busy.peer->frames.emplace_back("2026-01-01T00:00:03Z h1 k: error D1");
  busy.after(Duration::milliseconds(11));
  CHECK(busy.session->engine().counters().lines == 3);
}

TEST_CASE("what a line decides that was answered before the engine saw it is decided at the next start, once") {
  House house(storm());
  two_of_three(house);
  // It decides; the engine dies between the answer and the step.
  house.peer->frames.emplace_back("2026-01-01T00:00:03Z h1 k: error D1");
  house.peer->when_sent = [] { throw Death(); };
  bool died = false;
  try {
    [[maybe_unused]] const auto going = house.live->round({});
  } catch (const Death&) {
    died = true;
  }
  CHECK(died);
  CHECK(house.peer->answers == std::vector<bool>{true, true, true});
  house.live.reset();
  house.session.reset();
  CHECK(decided_in(house.dir.path()).empty());
  for (int start = 0; start < 2; ++start) {
    store::DbOptions options;
    options.spool_bytes = 64 << 10;
    auto db = store::EngineDb::open(house.dir.path(), options);
    REQUIRE(db);
    REQUIRE(Session::start(load_rules(kRules), std::move(*db), {}, nullptr));
    CHECK(decided_in(house.dir.path()).size() == 1);
  }
}

TEST_CASE("a decision of an answered line that cannot be written is not forgotten, and nothing is read until it is written") {
  House house(storm());
  two_of_three(house);
  house.peer->frames.emplace_back("2026-01-01T00:00:03Z h1 k: error D1");
  house.peer->frames.emplace_back("2026-01-01T00:00:04Z h1 k: error D2");
  house.peer->when_sent = [&] {
    REQUIRE(house.another.says("BEGIN IMMEDIATE"));
    house.files.fail = true;
  };
  house.after({});
  house.after(Duration::seconds(20));
  CHECK(house.peer->answers == std::vector<bool>{true, true, true});  // not refused either: rsyslogd has let go of it
  CHECK(house.peer->frames.size() == 1);
  house.peer->when_sent = nullptr;
  house.files.fail = false;
  REQUIRE(house.another.says("ROLLBACK"));
  house.after(Duration::seconds(1));
  CHECK(decided_in(house.dir.path()).size() == 1);
  house.after({});
  CHECK(house.peer->answers == std::vector<bool>{true, true, true, true});
}
