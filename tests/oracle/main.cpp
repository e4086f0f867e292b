// SPDX-License-Identifier: Apache-2.0
// oracle [--seed N] [--streams N | --records N | --seconds N] [--length N] [--only OPERATION] [--keep-going] [--no-properties]
#include <chrono>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/text.h"
#include "compare.h"
#include "properties.h"
#include "random.h"

namespace correlator::oracle {
namespace {

struct Options {
  std::uint64_t seed = 1, streams = 0, records = 0, seconds = 20, length = 250;  // streams: how many worlds
  std::string only;
  bool keep_going = false, properties = true;
};

int usage() {
  std::fprintf(stderr,
               "usage: oracle [--seed N] [--streams N | --records N | --seconds N] [--length N] [--only OPERATION]\n"
               "              [--keep-going] [--no-properties]\n");
  return 2;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (name == "--keep-going") {
      options.keep_going = true;
      continue;
    }
    if (name == "--no-properties") {
      options.properties = false;
      continue;
    }
    if (i + 1 == argc) return false;
    const std::string value = argv[++i];
    if (name == "--only") {
      options.only = value;
      continue;
    }
    const auto number = parse_uint(value);
    std::uint64_t* slot = name == "--seed"      ? &options.seed
                          : name == "--streams" ? &options.streams
                          : name == "--records" ? &options.records
                          : name == "--seconds" ? &options.seconds
                          : name == "--length"  ? &options.length
                                                : nullptr;
    if (!slot || !number) return false;
    *slot = *number;
  }
  return true;
}

// Returns what differs, made small; empty: nothing. Most streams are short, those of one world in fifty are a single long one.
std::string one_stream(std::uint64_t seed, const Options& options, std::uint64_t& records) {
  Random random(seed);
  const World world = random_world(random, options.only);
  const Loaded loaded = load(world);
  if (!loaded.error.empty()) return "the rules do not load\n" + loaded.error;
  const std::uint64_t streams = seed % 50 == 49 ? 1 : 10;
  for (std::uint64_t i = 0; i < streams; ++i) {
    const std::uint64_t length = random.between(options.length / 2, options.length + options.length / 2);
    const Stream stream = random_stream(random, world, streams == 1 ? 40 * length : length);
    records += stream.size();
    if (compare(world, loaded, stream)) return shrunk(world, stream);
  }
  return {};
}

std::string properties(std::uint64_t seed, const Options& options) {
  Random random(~seed);
  if (!options.only.empty()) return {};
  return seed % 2 == 0 ? order_within_disorder(random) : unrelated_rule(random);
}

int run(const Options& options) {
  std::setvbuf(stdout, nullptr, _IOLBF, 0);
  using Clock = std::chrono::steady_clock;
  const auto start = Clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  std::printf("seed %llu\n", static_cast<unsigned long long>(options.seed));
  std::uint64_t done = 0, failed = 0, records = 0;
  const auto more = [&] {
    if (options.streams > 0) return done < options.streams;
    return options.records > 0 ? records < options.records : passed() < static_cast<double>(options.seconds);
  };
  while (more()) {
    const std::uint64_t seed = options.seed + done++;
    std::string wrong = one_stream(seed, options, records);
    if (wrong.empty() && options.properties && seed % 4 == 0) wrong = properties(seed / 4, options);
    if (wrong.empty()) continue;
    ++failed;
    std::printf("=== DIFFERENCE: --seed %llu --streams 1\n%s", static_cast<unsigned long long>(seed), wrong.c_str());
    if (!options.keep_going) break;
  }
  const double seconds = passed();
  std::printf("%llu worlds, %llu records, %.1f s, %.0f records a second; %llu differ\n", static_cast<unsigned long long>(done),
              static_cast<unsigned long long>(records), seconds, static_cast<double>(records) / seconds,
              static_cast<unsigned long long>(failed));
  return failed == 0 ? 0 : 1;
}

}  // namespace
}  // namespace correlator::oracle

int main(int argc, char** argv) {
  correlator::oracle::Options options;
  if (!correlator::oracle::parse(argc, argv, options)) return correlator::oracle::usage();
  return correlator::oracle::run(options);
}
