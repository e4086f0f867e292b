// SPDX-License-Identifier: Apache-2.0
// What live windows cost: N keys of one counting rule with three events each, in memory, for each event, on disk and at a
// restart. The control of an event's cost is the same with 1,000 keys.
//   bench_windows [KEYS] [STATE_DIR]; then bench_windows --restart [KEYS] [STATE_DIR]
//   bench_windows --cost [KEYS]            the cost of an event alone
#include <fmt/format.h>
#include <malloc.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

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

// Of this process: other work on the machine does not count.
double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& t) { return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double peak_megabytes() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  return static_cast<double>(used.ru_maxrss) / 1e3;
}

std::size_t heap() {
  const struct mallinfo2 info = mallinfo2();
  return info.uordblks + info.hblkhd;
}

int complain(const Diagnostic& d) {
  std::fputs(to_text(d).c_str(), stderr);
  return 1;
}

// One event for each key, in batches as a replay would commit them.
Status feed(pipeline::Session& session, std::uint64_t keys, int hour) {
  const Timestamp begin = *parse_rfc3339("2026-01-01T00:00:00Z");
  for (std::uint64_t key = 0; key < keys; ++key) {
    const std::string frame = fmt::format("2026-01-01T{:02}:00:00Z kvm{:04} prog: ERR part{:03}", hour, key / 500, key % 500);
    pipeline::Line line;
    line.frame = frame;
    line.stream = "bench";
    line.time = begin + Duration::hours(hour);
    session.line(line);
    if (session.uncommitted() >= 100'000) {
      if (auto status = session.commit(); !status) return status;
    }
  }
  return session.commit();
}

using Rules = std::shared_ptr<const rules::RuleSet>;

// CPU nanoseconds of an event that meets its window, the third one, without a database.
Result<double> event_cost(const Rules& rules, std::uint64_t keys, std::uint64_t repeat) {
  double seconds = 0;
  for (std::uint64_t i = 0; i < repeat; ++i) {
    auto session = pipeline::Session::start(rules, std::nullopt, {}, nullptr);
    if (!session) return session.error();
    for (int hour = 0; hour < 3; ++hour) {
      const double begin = cpu_seconds();
      if (auto status = feed(**session, keys, hour); !status) return status.error();
      if (hour == 2) seconds += cpu_seconds() - begin;
    }
  }
  return seconds * 1e9 / static_cast<double>(keys * repeat);
}

Status fill(const Rules& rules, std::uint64_t keys, const std::string& dir) {
  auto db = store::EngineDb::open(dir);
  if (!db) return db.error();
  auto session = pipeline::Session::start(rules, std::move(db).value(), {}, nullptr);
  if (!session) return session.error();
  const std::size_t before = heap();
  const double begin = cpu_seconds();
  for (int hour = 0; hour < 3; ++hour) {
    if (auto status = feed(**session, keys, hour); !status) return status;
  }
  const engine::Engine& engine = (*session)->engine();
  fmt::print("fed       {} windows of 3 events in {:.1f} CPU s, commits included\n", engine.live_windows(), cpu_seconds() - begin);
  const double bytes = static_cast<double>(heap() - before) / static_cast<double>(keys);
  const double evidence = static_cast<double>(engine.evidence_bytes()) / static_cast<double>(keys);
  fmt::print("memory    {:.0f} bytes a window, evidence texts {:.0f} bytes a window beside it\n", bytes - evidence, evidence);
  return {};
}

Status restart(std::uint64_t keys, const std::string& dir) {
  const std::size_t before = heap();
  const double begin = cpu_seconds();
  auto db = store::EngineDb::open(dir);
  if (!db) return db.error();
  auto engine = pipeline::restore_engine(*db, {});
  if (!engine) return engine.error();
  const double seconds = cpu_seconds() - begin;
  const double bytes = static_cast<double>(heap() - before) / 1e6;
  const double evidence = static_cast<double>(engine->evidence_bytes()) / 1e6;
  fmt::print("restart   {} of {} windows back in {:.2f} CPU s; heap {:.0f} MB, {:.0f} MB of it for evidence; peak {:.0f} MB\n",
             engine->live_windows(), keys, seconds, bytes, evidence, peak_megabytes());
  return {};
}

int cost(const Rules& rules, std::uint64_t keys) {
  const auto ns = event_cost(rules, keys, std::max<std::uint64_t>(100'000 / std::max<std::uint64_t>(keys, 1), 1));
  if (!ns) return complain(ns.error());
  fmt::print("event     {:.0f} CPU ns with {} keys\n", *ns, keys);
  return 0;
}

// restart alone (its peak of memory is the process's own), the cost of an event alone, or all but the restart.
int run(std::uint64_t keys, const std::string& dir, std::string_view only) {
  if (only == "--restart") {
    const Status status = restart(keys, dir);
    return status.ok() ? 0 : complain(status.error());
  }
  const rules::Loaded loaded = rules::load({{"bench.toml", kRules}});
  if (loaded.rules == nullptr) return complain(loaded.diagnostics.front());
  if (only == "--cost") return cost(loaded.rules, keys);
  std::filesystem::remove_all(dir);
  if (auto status = fill(loaded.rules, keys, dir); !status) return complain(status.error());
  const auto few = event_cost(loaded.rules, 1'000, std::max<std::uint64_t>(keys / 10'000, 1));
  if (!few) return complain(few.error());
  const auto many = event_cost(loaded.rules, keys, 1);
  if (!many) return complain(many.error());
  fmt::print("event     {:.0f} CPU ns with 1,000 keys, {:.0f} with {}: {:.2f} times\n", *few, *many, keys, *many / *few);
  return 0;
}

}  // namespace
}  // namespace correlator

int main(int argc, char** argv) {
  std::vector<std::string> args(argv + 1, argv + argc);
  std::string only;
  if (!args.empty() && (args[0] == "--restart" || args[0] == "--cost")) {
    only = args[0];
    args.erase(args.begin());
  }
  const std::uint64_t keys = args.empty() ? 1'000'000 : std::strtoull(args[0].c_str(), nullptr, 10);
  return correlator::run(keys, args.size() > 1 ? args[1] : "bench-windows-state", only);
}
