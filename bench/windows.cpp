// SPDX-License-Identifier: Apache-2.0
// What live windows cost: N keys of one counting rule with three events each, in memory, on disk, and at a restart.
//   bench_windows [KEYS] [STATE_DIR]
#include <fmt/format.h>
#include <malloc.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>

#include "pipeline/session.h"
#include "rules/loader.h"

namespace correlator {
namespace {

constexpr const char* kRules = R"(format = 1
[class."bench.error"]
key = ["host", "part"]
requires = { severity = "text", part = "text" }
[[event]]
id = "bench"
class = "bench.error"
match = 'ERR (?P<part>\S+)'
let = { severity = "'corrected'" }
[[rule]]
id = "bench.count"
on = "bench.error"
count = "10 in 24h"
max_keys = 1000000
)";

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::size_t heap() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

int complain(const Diagnostic& d) {
  std::fputs(to_text(d).c_str(), stderr);
  return 1;
}

// Three events for each key, an hour apart, in batches as a replay would commit them.
Status feed(pipeline::Session& session, std::uint64_t keys) {
  const Timestamp begin = *parse_rfc3339("2026-01-01T00:00:00Z");
  for (int round = 0; round < 3; ++round) {
    for (std::uint64_t key = 0; key < keys; ++key) {
      const std::string frame = fmt::format("2026-01-01T{:02}:00:00Z kvm{:04} prog: ERR part{:03}", round, key / 500, key % 500);
      pipeline::Line line;
      line.frame = frame;
      line.stream = "bench";
      line.time = begin + Duration::hours(round);
      session.line(line);
      if (session.uncommitted() >= 100'000) {
        if (auto status = session.commit(); !status) return status;
      }
    }
  }
  return session.commit();
}

int run(std::uint64_t keys, const std::string& dir) {
  rules::Loaded loaded = rules::load({{"bench.toml", kRules}});
  if (loaded.rules == nullptr) return complain(loaded.diagnostics.front());
  std::filesystem::remove_all(dir);
  {
    auto db = store::EngineDb::open(dir);
    if (!db) return complain(db.error());
    auto session = pipeline::Session::start(loaded.rules, std::move(db).value(), {}, nullptr);
    if (!session) return complain(session.error());
    const std::size_t before = heap();
    const auto begin = std::chrono::steady_clock::now();
    if (auto status = feed(**session, keys); !status) return complain(status.error());
    fmt::print("fed              {} windows of 3 events in {:.1f} s\n", (*session)->engine().live_windows(), seconds_since(begin));
    const double bytes = static_cast<double>(heap() - before) / static_cast<double>(keys);
    const double evidence = static_cast<double>((*session)->engine().evidence_bytes()) / static_cast<double>(keys);
    fmt::print("memory           {:.0f} bytes a window, evidence {:.0f} bytes a window beside it\n", bytes - evidence, evidence);
  }
  const auto begin = std::chrono::steady_clock::now();
  auto db = store::EngineDb::open(dir);
  if (!db) return complain(db.error());
  auto engine = pipeline::restore_engine(*db, {});
  if (!engine) return complain(engine.error());
  fmt::print("restart          {} windows back in {:.1f} s\n", engine->live_windows(), seconds_since(begin));
  return 0;
}

}  // namespace
}  // namespace correlator

int main(int argc, char** argv) {
  const std::uint64_t keys = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  return correlator::run(keys, argc > 2 ? argv[2] : "bench-windows-state");
}
