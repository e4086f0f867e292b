// SPDX-License-Identifier: Apache-2.0
// R3: threads, block sizes, readers and other rules change no decision, whatever the frames look like.
#include <atomic>
#include <random>

#include "effort.h"
#include "piping.h"
#include "pipeline/scan_pool.h"

using namespace correlator;
using namespace correlator::pipeline;
using namespace correlator::pipeline::test;

namespace {

// A record of three lines, and an event of one line whose pattern has nothing that a scan could look for.
const char* const kMore = R"toml([class.record]
key = ["host", "part"]
[[event]]
id = "record"
class = "record"
[event.record]
once = ['^begin (?P<part>\w+)', '^middle (?P<what>\w+)']
last = '^end (?P<how>\w+)$'
same = ["host"]
needs = ["part"]
within = "1h"
[[rule]]
id = "pairs"
on = "record"
count = "2 in 6h"
)toml";

const char* const kOthers = R"toml([class.other]
key = ["host"]
[[event]]
id = "other"
class = "other"
match = '^(?P<word>[a-z]+) [0-9]+$'
[[event]]
id = "another"
class = "other"
match = 'nothing of (?P<word>\w+)'
)toml";

class Log {
 public:
  explicit Log(std::uint64_t seed) : random_(seed) {}

  std::string lines(int n) {
    std::string out;
    for (int i = 0; i < n; ++i) out += frame();
    return out;
  }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  std::string frame() {
    second_ += below(40) == 0 ? below(4000) : below(120);
    const std::string host = "h" + std::to_string(below(3)), text = what();
    char date[40];
    std::snprintf(date, sizeof date, "2026-01-%02dT%02d:%02d:%02dZ", 1 + second_ / 86400, second_ / 3600 % 24, second_ / 60 % 60, second_ % 60);
    switch (below(8)) {
      case 0: return json(date, host, text);
      case 1: return "6," + std::to_string(second_) + "," + std::to_string(second_) + "000000,-;" + text + "\n SUBSYSTEM=x\n DEVICE=y\n";
      case 2: return text + "\n";  // undated
      case 3: return "\n__CURSOR=c" + std::to_string(second_) + "\n__REALTIME_TIMESTAMP=" + std::to_string(1767225600LL + second_) + "000000\n_HOSTNAME=" + host +
                     "\n_TRANSPORT=kernel\nSYSLOG_IDENTIFIER=kernel\nPRIORITY=3\nMESSAGE=" + text + "\n\n";
      default: return std::string(date) + " " + host + " kernel: " + text + "\n";
    }
  }

  // Each letter of the text may be spelt as an escape: a search in the bytes does not find it.
  std::string json(const std::string& date, const std::string& host, const std::string& text) {
    std::string spelt;
    for (const char c : text) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(static_cast<unsigned char>(c)));
      spelt += below(5) == 0 ? std::string(escape) : std::string(1, c);
    }
    return R"({"timereported":")" + date + R"(","timegenerated":")" + date + R"(","hostname":")" + host +
           R"(","inputname":"imklog","programname":"kernel","syslogfacility-text":"kern","syslogtag":"kernel:","msg":")" + spelt + "\"}\n";
  }

  std::string what() {
    const std::string part = "D" + std::to_string(below(3));
    switch (below(9)) {
      case 0: return "last message repeated 2 times";
      case 1: return "answer " + part;
      case 2: return "begin " + part;
      case 3: return "middle " + part;
      case 4: return "end " + part;
      case 5: return "nothing of interest";
      case 6: return "-- MARK --";
      default: return "error " + part;
    }
  }

  std::mt19937_64 random_;
  int second_ = 0;
};

std::string file(const testing::TempDir& dir, const std::string& name) { return (dir.path() / name).string(); }

}  // namespace

TEST_CASE("property: threads, block sizes and other rules change no decision (R3)") {
  const std::string rules = std::string(kRules) + kMore;
  for (std::uint64_t seed = 1; seed <= effort(4); ++seed) {
    INFO("seed " << seed);
    const testing::TempDir dir;
    dir.write("a.log", Log(seed).lines(900));
    dir.write("b.log", Log(seed + 1000).lines(300));
    const std::vector<std::string> logs = {file(dir, "a.log"), file(dir, "b.log")};
    const Run whole = replay_files(rules, logs);
    REQUIRE(whole.decisions.size() > 10);
    for (const unsigned threads : {1U, 2U, 5U}) {
      for (const std::size_t block : {1, 70, 1000, 1 << 20}) {
        INFO(threads << " threads, blocks of " << block);
        ReplayOptions options;
        options.threads = threads;
        options.stream.block_size = block;
        options.stream.read_ahead = threads != 2 || block != 70;
        const Run run = replay_files(rules, logs, {}, options);
        CHECK(run.ids == whole.ids);
        CHECK(run.counters.lines == whole.counters.lines);
        CHECK(run.result.lines == whole.result.lines);
        CHECK(run.result.bytes == whole.result.bytes);
        // Rules beside them look at other lines, and at all of them.
        const Run beside = replay_files(rules + kOthers, logs, {}, options);
        CHECK(beside.ids == whole.ids);
      }
    }
  }
}

TEST_CASE("property: stopped and gone on with by several threads, nothing is lost and nothing counts twice") {
  const std::string rules = std::string(kRules) + kMore;
  const testing::TempDir dir;
  dir.write("log", Log(7).lines(3000));
  const Run whole = replay_files(rules, {file(dir, "log")});
  ReplayOptions options;
  options.threads = 3;
  options.stream.block_size = 700;
  options.stop = [&] { return true; };  // asked each 256 items
  std::vector<std::string> ids;
  int stops = 0;
  for (bool stopped = true; stopped && stops < 40;) {
    const Run part = replay_files(rules, {file(dir, "log")}, dir.path() / "state", options);
    ids.insert(ids.end(), part.ids.begin(), part.ids.end());
    stopped = part.result.stopped;
    stops += stopped ? 1 : 0;
  }
  CHECK(stops >= 3);
  options.stop = {};
  const Run last = replay_files(rules, {file(dir, "log")}, dir.path() / "state", options);
  ids.insert(ids.end(), last.ids.begin(), last.ids.end());
  CHECK(ids == whole.ids);
  CHECK(recorded(dir.path() / "state").empty());
}

TEST_CASE("literals that are everywhere in the log at hand are given up for others, and no match is lost") {
  // "flurbish" is nowhere on the page of ordinary lines, and in each line of this log.
  const auto rules = load_rules(R"toml(format = 1
[class.error]
key = ["host", "part"]
[[event]]
id = "error"
class = "error"
match = 'flurbish of (?P<part>\w+) is rebooted'
)toml");
  const auto built = Matcher::build(rules);
  REQUIRE(built.ok());
  REQUIRE(built->patterns().literals(0).any_of.front().starts_with("flurbish of"));
  std::string lines;
  for (int i = 0; i < 4000; ++i) lines += "2026-01-01T00:00:00Z h1 kernel: flurbish of D1 is well\n";
  const std::string wanted = "2026-01-01T00:00:00Z h1 kernel: flurbish of D2 is rebooted\n";
  for (const unsigned threads : {1U, 3U}) {
    ScanPool pool(*built, threads);
    std::size_t found = 0;
    for (int i = 0; i < 40; ++i) {
      auto chunk = std::make_shared<Chunk>();
      chunk->joined = lines + wanted;
      chunk->bytes = chunk->joined;
      chunk->state.after_blank = false;
      chunk->traits = syslog::scan_block(chunk->bytes);
      const auto scan = pool.begin(chunk);
      pool.finish(*scan);
      for (const Candidate& candidate : scan->candidates) {
        ++found;
        REQUIRE(candidate.matches.size() == 1);
        CHECK(candidate.matches[0].groups.at(1) == "D2");
      }
    }
    CHECK(found == 40);
    CHECK(pool.times_tuned() >= 1);
  }
}
