// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

int main(int argc, char** argv) {
  correlator::cli::prepare_process();
  correlator::cli::CommandLine command_line;
  const int status = correlator::cli::parse(argc, argv, command_line);
  if (status != correlator::cli::kGoOn) return status;
  return correlator::cli::finish(correlator::cli::run(command_line));
}
