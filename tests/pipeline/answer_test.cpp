// SPDX-License-Identifier: Apache-2.0
// When a line is answered, and when what was answered is on the disk; in virtual time, over a real database.
#include <algorithm>
#include <deque>

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
  bool may_refuse() const override { return true; }
  bool has_marks() const override { return true; }

  std::deque<std::string> frames;
  std::vector<bool> answers;

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
