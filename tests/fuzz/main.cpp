// SPDX-License-Identifier: Apache-2.0
// fuzz TARGET [--seed N] [--seconds N] [--run N]
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string>

#include "base/text.h"
#include "targets.h"

using namespace correlator;

namespace {

struct Options {
  std::uint64_t seed = 1, seconds = 5, run = 0;
};

int usage() {
  std::fprintf(stderr, "usage: fuzz TARGET [--seed N] [--seconds N] [--run N]\ntargets:");
  for (const fuzz::Target& target : fuzz::targets()) std::fprintf(stderr, " %s", target.name);
  std::fprintf(stderr, "\n");
  return 2;
}

bool parse(int argc, char** argv, Options& options) {
  for (int i = 2; i < argc; i += 2) {
    if (i + 1 == argc) return false;
    const auto number = parse_uint(argv[i + 1]);
    std::uint64_t* slot = std::strcmp(argv[i], "--seed") == 0      ? &options.seed
                          : std::strcmp(argv[i], "--seconds") == 0 ? &options.seconds
                          : std::strcmp(argv[i], "--run") == 0     ? &options.run
                                                                   : nullptr;
    if (slot == nullptr || !number) return false;
    *slot = *number;
  }
  return true;
}

// Each run has a generator of its own, so that it can be made again alone.
std::string input_of(const std::vector<std::string>& corpus, std::uint64_t seed, std::uint64_t run) {
  if (run <= corpus.size()) return corpus[run - 1];  // first the corpus as it is
  std::mt19937_64 random(seed * 0x9e3779b97f4a7c15U + run);
  return fuzz::mutated(corpus, random);
}

// A crash says which run it was; the rest is for a debugger, on that run alone.
std::uint64_t g_run = 0;
void say_run() {
  char text[64];
  const int n = std::snprintf(text, sizeof text, "\ncrashed in --run %llu\n", static_cast<unsigned long long>(g_run));
  if (::write(STDERR_FILENO, text, static_cast<std::size_t>(n)) < 0) return;
}
void on_signal(int number) {
  say_run();
  std::signal(number, SIG_DFL);
  std::raise(number);
}

}  // namespace

// Sanitizers end the program without a signal.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

int main(int argc, char** argv) {
  const fuzz::Target* target = argc > 1 ? fuzz::find_target(argv[1]) : nullptr;
  Options options;
  if (target == nullptr || !parse(argc, argv, options)) return usage();
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(say_run);
  } else {
    for (const int number : {SIGSEGV, SIGABRT, SIGFPE, SIGBUS, SIGILL}) std::signal(number, on_signal);
  }
  const std::vector<std::string> corpus = target->corpus();
  std::printf("%s: %zu in the corpus, seed %llu\n", target->name, corpus.size(), static_cast<unsigned long long>(options.seed));
  using Clock = std::chrono::steady_clock;
  const auto begin = Clock::now();
  std::uint64_t run = options.run > 0 ? options.run : 1;
  for (;; ++run) {
    g_run = run;
    const std::string input = input_of(corpus, options.seed, run);
    if (options.run > 0) std::printf("input: %s\n", printable(shorten(input, 4000)).c_str()), std::fflush(stdout);
    const std::string wrong = target->run(input);
    if (!wrong.empty()) {
      std::printf("\nFAILED: fuzz %s --seed %llu --run %llu\n%s\ninput: %s\n", target->name, static_cast<unsigned long long>(options.seed),
                  static_cast<unsigned long long>(run), printable(wrong).c_str(), printable(shorten(input, 4000)).c_str());
      return 1;
    }
    const bool whole_corpus = run >= corpus.size();
    if (options.run > 0 || (whole_corpus && Clock::now() - begin >= std::chrono::seconds(options.seconds))) break;
  }
  std::printf("%llu runs, nothing wrong\n", static_cast<unsigned long long>(run));
  return 0;
}
