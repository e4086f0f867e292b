// SPDX-License-Identifier: Apache-2.0
// sim [--seed N] [--runs N | --seconds N] [--power] [--strict] [--lines N] [--keep-going]
#include <signal.h>

#include <chrono>
#include <cstdio>
#include <ctime>
#include <string>

#include "base/text.h"
#include "disk.h"
#include "run.h"

namespace correlator::sim {
namespace {

struct Options {
  std::uint64_t seed = 1, runs = 0, seconds = 20, lines = 60;
  bool power = false, strict = false, keep_going = false;
};

int usage() {
  std::fprintf(stderr, "usage: sim [--seed N] [--runs N | --seconds N] [--power] [--strict] [--lines N] [--keep-going]\n");
  return 2;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    bool* flag = name == "--power" ? &options.power : name == "--strict" ? &options.strict : name == "--keep-going" ? &options.keep_going : nullptr;
    if (flag != nullptr) {
      *flag = true;
      continue;
    }
    std::uint64_t* slot = name == "--seed" ? &options.seed : name == "--runs" ? &options.runs : name == "--seconds" ? &options.seconds : name == "--lines" ? &options.lines : nullptr;
    const auto number = slot != nullptr && i + 1 < argc ? parse_uint(argv[++i]) : std::nullopt;
    if (!number) return false;
    *slot = *number;
  }
  return options.lines >= 10;
}

void report(const RunResult& all, std::uint64_t runs, std::uint64_t failed, double seconds) {
  const auto n = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf("%llu runs in %.1f s, %.1f s of them on a core: lines %llu, recorded %llu, decisions %llu, reloads %llu\n", n(runs), seconds, static_cast<double>(std::clock()) / CLOCKS_PER_SEC, n(all.lines), n(all.recorded), n(all.decisions), n(all.reloads));
  std::printf("kills %llu of the engine, %llu of the dispatcher; power cuts %llu; troubles %llu, turns with a spool in use %llu, refused %llu, came again %llu\n",
              n(all.engine_deaths), n(all.dispatcher_deaths), n(all.power_cuts), n(all.troubles), n(all.spooled), n(all.refused), n(all.repeated));
  std::printf("lost %llu, doubled %llu; gone with the last 20 ms of a storm %llu (the longest %.1f ms)\n", n(all.lost), n(all.doubled), n(all.lost_allowed), static_cast<double>(all.lost_span_us) / 1000);
  std::printf("starts %llu, of them again %llu; second opinions %llu; jobs forgotten with decisions that a power cut took %llu\n", n(all.starts), n(all.started_again), n(all.opinions), n(all.forgotten));
  for (const auto& [name, count] : point_counts()) std::printf("  %-24s passed %9llu, died there %6llu\n", name.c_str(), n(count.passes), n(count.deaths));
  std::printf("%llu failed\n", n(failed));
}

int run(const Options& options) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - begin).count(); };
  RunOptions run_options;
  run_options.mode = options.power ? Mode::power : Mode::kills;
  run_options.strict = options.strict;
  run_options.lines = static_cast<int>(options.lines);
  RunResult all;
  std::uint64_t runs = 0, failed = 0;
  for (; options.runs > 0 ? runs < options.runs : passed() < static_cast<double>(options.seconds); ++runs) {
    const std::uint64_t seed = options.seed + runs;
    const RunResult result = run_seed(seed, run_options);
    all.add(result);
    if (result.wrong.empty()) continue;
    ++failed;
    std::printf("=== WRONG: --seed %llu --runs 1%s%s\n", static_cast<unsigned long long>(seed), options.power ? " --power" : "", options.strict ? " --strict" : "");
    for (std::size_t i = 0; i < result.wrong.size() && i < 5; ++i) std::printf("%s\n", result.wrong[i].c_str());
    if (!options.keep_going) break;
  }
  report(all, runs, failed, passed());
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace correlator::sim

int main(int argc, char** argv) {
  ::signal(SIGPIPE, SIG_IGN);  // the peer may have hung up
  correlator::sim::Options options;
  if (!correlator::sim::parse(argc, argv, options)) return correlator::sim::usage();
  return correlator::sim::run(options);
}
