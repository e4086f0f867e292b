// SPDX-License-Identifier: Apache-2.0
// Archives through a session: going on where it stopped, merging, any block size; files that are not what they were.
#include <sys/resource.h>

#include <csignal>
#include <random>

#include "piping.h"

#include "pipeline/line.h"

using namespace correlator;
using namespace correlator::pipeline;
using namespace correlator::pipeline::test;
using Lines = std::vector<std::string>;

namespace {

// Several hosts, framings and gaps; the seed says all.
std::string random_log(std::uint64_t seed, int lines) {
  std::mt19937_64 random(seed);
  const auto below = [&](int n) { return static_cast<int>(random() % static_cast<unsigned>(n)); };
  std::string out;
  int second = 0;
  for (int i = 0; i < lines; ++i) {
    second += below(30) == 0 ? below(2000) : below(90);
    char stamp[40];
    const int s = second - (below(6) == 0 ? below(5) : 0);
    const int t = s < 0 ? 0 : s;
    const bool iso = below(3) != 0;
    std::snprintf(stamp, sizeof stamp, iso ? "2026-01-%02dT%02d:%02d:%02dZ" : "Jan %2d %02d:%02d:%02d", 1 + t / 86400, t / 3600 % 24,
                  t / 60 % 60, t % 60);
    out += std::string(stamp) + " h" + std::to_string(below(3));
    switch (below(6)) {
      case 0: out += " last message repeated 2 times\n"; break;
      case 1: out += " k: answer D" + std::to_string(below(3)) + "\n"; break;
      case 2: out += " sshd[1]: nothing of interest \xff\n"; break;
      default: out += " k: error D" + std::to_string(below(3)) + "\n"; break;
    }
  }
  return out;
}

std::string file(const testing::TempDir& dir, const std::string& name) { return (dir.path() / name).string(); }

}  // namespace

TEST_CASE("property: block size, read-ahead and commits change no decision (R3)") {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    INFO("seed " << seed);
    const testing::TempDir dir;
    dir.write("log", random_log(seed, 1500));
    ReplayOptions plain;
    plain.stream.clock.year = 2026;
    const Run whole = replay_files(kRules, {file(dir, "log")}, {}, plain);
    REQUIRE(whole.decisions.size() > 20);
    for (const std::size_t block : {64, 1000, 4096}) {
      ReplayOptions options = plain;
      options.stream.block_size = block;
      options.stream.read_ahead = block != 1000;
      options.commit_bytes = 500;
      const std::filesystem::path state = dir.path() / std::to_string(block);
      const Run run = replay_files(kRules, {file(dir, "log")}, block == 64 ? std::filesystem::path() : state, options);
      CHECK(run.ids == whole.ids);
      if (block != 64) CHECK(recorded(state).empty());
    }
  }
}

TEST_CASE("L21: what is read when a replay is stopped is not lost, and the end says what was still open") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    INFO("seed " << seed);
    const testing::TempDir dir;
    dir.write("log", random_log(seed, 1500));
    ReplayOptions options;
    options.stream.clock.year = 2026;
    const Run whole = replay_files(kRules, {file(dir, "log")}, {}, options);
    options.stream.block_size = 1000;
    std::vector<std::string> ids;
    int stops = 0;
    for (bool stopped = true; stopped;) {
      options.stop = [&] { return true; };  // asked each 256 items
      const Run part = replay_files(kRules, {file(dir, "log")}, dir.path() / "state", options);
      ids.insert(ids.end(), part.ids.begin(), part.ids.end());
      stopped = part.result.stopped && ++stops < 40;
    }
    CHECK(stops >= 3);
    options.stop = {};
    const Run last = replay_files(kRules, {file(dir, "log")}, dir.path() / "state", options);
    ids.insert(ids.end(), last.ids.begin(), last.ids.end());
    CHECK(ids == whole.ids);
    CHECK(last.open_windows == whole.open_windows);
    CHECK(whole.open_windows > 0);
    CHECK(recorded(dir.path() / "state").empty());
  }
}

namespace {

struct Died {};

// Goes on until it was asked `lives` times whether to stop (each 256 items), and dies there.
bool dies(const std::string& log, const std::filesystem::path& state, ReplayOptions options, int lives) {
  options.stop = [&lives] {
    if (--lives < 0) throw Died();
    return false;
  };
  try {
    replay_files(kRules, {log}, state, options);
  } catch (const Died&) {
    return true;
  }
  return false;
}

Lines documents(const std::filesystem::path& state) {
  Lines out;
  store::EngineDb db = open_state(state);
  REQUIRE(db.each_decision({}, [&](std::string_view document) { return out.emplace_back(document), true; }).ok());
  return out;
}

// How many records stand behind the state.
std::uint64_t behind_the_state(const std::filesystem::path& state) {
  store::EngineDb db = open_state(state);
  std::uint64_t records = 0;
  REQUIRE(db.each_intake(db.snapshot()->seq, [&](store::IntakeRow&&) { return ++records, true; }).ok());
  return records;
}

}  // namespace

TEST_CASE("records are written before the state: a death in between loses none and decides nothing twice (R1)") {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    INFO("seed " << seed);
    const testing::TempDir dir;
    dir.write("log", random_log(seed, 3000));
    ReplayOptions options;
    options.stream.clock.year = 2026;
    replay_files(kRules, {file(dir, "log")}, dir.path() / "whole", options);
    options.stream.block_size = 1000;
    options.record_bytes = 1;
    options.commit_every = Duration::hours(1);
    int deaths = 0;
    std::uint64_t behind = 0;
    while (dies(file(dir, "log"), dir.path() / "state", options, 2) && ++deaths < 40) behind = behind_the_state(dir.path() / "state");
    CHECK(deaths >= 3);
    CHECK(behind > 500);
    CHECK(documents(dir.path() / "state") == documents(dir.path() / "whole"));
    CHECK(recorded(dir.path() / "state").empty());
  }
}

TEST_CASE("files are merged by time, whatever their order on the command line") {
  const testing::TempDir dir;
  dir.write("a.log", "2026-01-01T00:00:00Z h1 k: error D1\n2026-01-01T00:20:00Z h1 k: error D1\n");
  dir.write("b.log", "2026-01-01T00:10:00Z h1 k: error D1\n2026-01-01T00:30:00Z h1 k: answer D1\n");
  const Lines expected = {"2026-01-01T00:20:00Z three host=h1 part=D1"};
  CHECK(replay_files(kRules, {file(dir, "a.log"), file(dir, "b.log")}).decisions == expected);
  CHECK(replay_files(kRules, {file(dir, "b.log"), file(dir, "a.log")}).decisions == expected);
}

TEST_CASE("a file that grew is read on, one that shrank or is another one is refused") {
  const testing::TempDir dir;
  const auto refused = [&](const std::string& code) {
    auto session = Session::start(load_rules(kRules), open_state(dir.path() / "state"), {}, {});
    REQUIRE(session.ok());
    const std::vector<std::string> names = {file(dir, "a.log")};
    auto result = replay(**session, input::expand_sources(names).sources, {});
    REQUIRE_FALSE(result.ok());
    CHECK(result.error().code == code);
  };
  // Longer than what a file is known by, so that what is left of it is still the same file.
  std::string head;
  for (int i = 0; i < 2000; ++i) head += "2026-01-01T00:00:00Z h1 k: nothing of interest\n";
  const std::string one = "2026-01-01T00:00:00Z h1 k: error D1\n", two = head + one + one;
  dir.write("a.log", two);
  CHECK(replay_files(kRules, {file(dir, "a.log")}, dir.path() / "state").decisions.empty());
  dir.write("a.log", two + "2026-01-01T00:02:00Z h1 k: error D1\n");
  CHECK(replay_files(kRules, {file(dir, "a.log")}, dir.path() / "state").decisions.size() == 1);
  CHECK(replay_files(kRules, {file(dir, "a.log")}, dir.path() / "state").decisions.empty());
  dir.write("a.log", head);
  refused("E206");
  std::filesystem::remove(dir.path() / "a.log");
  dir.write("a.log", "2026-01-01T00:00:00Z h7 k: other lines of another file\n" + two + two);
  refused("E207");
}

namespace {

// No file may grow beyond `bytes` while this lives: what a full disk looks like, for any user.
class SmallDisk {
 public:
  explicit SmallDisk(rlim_t bytes) {
    getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~SmallDisk() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  SmallDisk(const SmallDisk&) = delete;
  SmallDisk& operator=(const SmallDisk&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

}  // namespace

TEST_CASE("a batch that could not be written is written by the next commit, once") {
  const testing::TempDir dir;
  std::vector<std::string> decided;
  auto session = Session::start(load_rules(kRules), open_state(dir.path()), {}, [&](const engine::StepOutput& out, const rules::RuleSet&) {
    for (const engine::Decision& d : out.decisions) decided.push_back(d.id);
  });
  REQUIRE(session.ok());
  Line line;
  line.frame = "2026-01-01T00:00:00Z h1 k: error D1";
  line.stream = "s";
  line.time = *parse_rfc3339("2026-01-01T00:00:00Z");
  const auto say = [&](int times) {
    for (int i = 0; i < times; ++i) CHECK((*session)->line(line));
  };
  say(2);
  REQUIRE((*session)->commit().ok());
  {
    const SmallDisk full(4096);
    say(1);
    for (int i = 0; i < 2; ++i) {
      const Status failed = (*session)->commit();
      REQUIRE_FALSE(failed.ok());
      CHECK(failed.error().code == "E305");
      CHECK_FALSE(failed.error().hint.empty());
    }
    say(1);  // counting goes on meanwhile
  }
  CHECK((*session)->uncommitted() == 3);  // two lines, one decision
  REQUIRE((*session)->commit().ok());
  CHECK((*session)->uncommitted() == 0);
  session->reset();
  CHECK(decided.size() == 1);
  CHECK(recorded(dir.path()).empty());
  auto db = open_state(dir.path());
  std::uint64_t lines = 0, stored = 0;
  REQUIRE(db.each_intake(0, [&](store::IntakeRow&& row) {
              lines += row.kind == store::IntakeKind::line ? 1 : 0;
              return true;
            }).ok());
  REQUIRE(db.each_decision({}, [&](std::string_view) { return ++stored > 0; }).ok());
  CHECK(lines == 4);
  CHECK(stored == 1);
}

TEST_CASE("a line and its row in the intake, both ways; a damaged one is an error") {
  Line line;
  line.frame = std::string_view("a\0b\xff", 4);
  line.stream = "s";
  line.line_number = 7;
  line.time = Timestamp{5};
  line.arrival = Timestamp{6};
  line.undated = line.clamped = line.truncated = true;
  line.times = 3;
  line.host = "h";
  store::IntakeRow row = to_row(line, 9);
  CHECK(row.seq == 9);
  std::string host;
  auto back = to_line_record(row, host);
  REQUIRE(back.ok());
  CHECK(back->frame == line.frame);
  CHECK(back->arrival == line.arrival);
  CHECK((back->undated && back->clamped && back->truncated));
  CHECK(back->times == 3);
  CHECK(back->host == "h");
  for (const char* bad : {"{", "[]", "7", "{\"arrival\":\"x\"}", "{\"times\":{}}", "{\"host\":1}", "{\"undated\":\"yes\"}"}) {
    INFO(bad);
    row.extra = bad;
    auto damaged = to_line_record(row, host);
    REQUIRE_FALSE(damaged.ok());
    CHECK(damaged.error().code == "E304");
    CHECK(damaged.error().message == "intake record 9 cannot be read");
  }
}
