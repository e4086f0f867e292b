// SPDX-License-Identifier: Apache-2.0
// The command line: main() is these steps in order.
#pragma once

#include <functional>

namespace correlator::cli {

// sysexits(3), as far as they fit; documented in README.
enum ExitCode : int {
  kFine = 0,
  kNo = 1,          // the answer is no: tests failed, decisions differ
  kUsage = 2,       //
  kBadData = 65,    // an input file is damaged
  kNoInput = 66,    // an input file is missing
  kIoError = 74,    //
  kBadConfig = 78,  // rules do not load
};
inline constexpr int kGoOn = -1;

struct CommandLine {
  std::function<int()> command;
};

// Signals and standard streams: a closed pipe is an error of write(), not a death.
void prepare_process();
// kGoOn, or the exit code where help or a usage error has already been printed.
int parse(int argc, char** argv, CommandLine& out);
int run(const CommandLine& command_line);
// Flushes stdout; kIoError if what was printed did not get out.
int finish(int code);

}  // namespace correlator::cli
