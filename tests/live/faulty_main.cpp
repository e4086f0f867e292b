// SPDX-License-Identifier: Apache-2.0
// The product's main() with a hook in its fault points: CORRELATOR_FAULT="POINT:N" kills the process by SIGKILL at the Nth
// pass of that point, as a crash would, with nothing flushed and nothing closed.
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <string>

#include "base/fault.h"
#include "cli/cli.h"

namespace {

std::string g_point;
std::atomic<long> g_left{0};

void maybe_die(const char* point) {
  if (g_point == point && --g_left == 0) ::kill(::getpid(), SIGKILL);
}

}  // namespace

int main(int argc, char** argv) {
  if (const char* fault = std::getenv("CORRELATOR_FAULT"); fault != nullptr) {
    const char* colon = std::strrchr(fault, ':');
    g_point.assign(fault, colon == nullptr ? std::strlen(fault) : static_cast<std::size_t>(colon - fault));
    g_left = colon == nullptr ? 1 : std::atol(colon + 1);
    correlator::g_fault_hook = maybe_die;
  }
  correlator::cli::prepare_process();
  correlator::cli::CommandLine command_line;
  const int status = correlator::cli::parse(argc, argv, command_line);
  if (status != correlator::cli::kGoOn) return status;
  return correlator::cli::finish(correlator::cli::run(command_line));
}
