// SPDX-License-Identifier: Apache-2.0
#include "signals.h"

#include <array>
#include <csignal>
#include <cstddef>

#include "base/text.h"

namespace correlator::sec {
namespace {

constexpr std::array<int, 6> kNumbers{SIGHUP, SIGABRT, SIGUSR1, SIGUSR2, SIGINT, SIGTERM};
constexpr std::array<std::string_view, 6> kNames{"HUP", "ABRT", "USR1", "USR2", "INT", "TERM"};

// A signal handler may touch nothing else.
volatile std::sig_atomic_t came[6];

void note(int number) {
  for (std::size_t i = 0; i < kNumbers.size(); ++i) {
    if (kNumbers[i] == number) came[i] = 1;
  }
}

}  // namespace

Signals::Signals() {
  struct sigaction action {};
  action.sa_handler = note;
  sigemptyset(&action.sa_mask);
  for (const int number : kNumbers) ::sigaction(number, &action, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

std::vector<Signal> Signals::take() {
  std::vector<Signal> out;
  for (std::size_t i = 0; i < kNumbers.size(); ++i) {
    if (came[i] == 0) continue;
    came[i] = 0;
    out.push_back(static_cast<Signal>(i));
  }
  return out;
}

bool Signals::emulate(std::string_view name) {
  const std::string wanted = upper(name);
  for (std::size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] != wanted) continue;
    came[i] = 1;
    return true;
  }
  return false;
}

}  // namespace correlator::sec
