// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>

#include "commands.h"
#include "common.h"

namespace correlator::cli {

void prepare_process() { std::signal(SIGPIPE, SIG_IGN); }

int parse(int argc, char** argv, CommandLine& out) {
  CLI::App app{
      "correlator notices what the log says about failing hardware and guests, and runs what you decided to do about it.\n"
      "Exit codes: 0 fine, 1 the answer is no, 2 usage, 65 bad data, 66 no input, 74 I/O, 78 bad configuration."};
  app.name("correlator");
  app.set_version_flag("--version", CORRELATOR_VERSION);
  app.require_subcommand(1);
  add_run(app, out);
  add_replay(app, out);
  add_check(app, out);
  add_explain(app, out);
  add_status(app, out);
  add_windows(app, out);
  add_decisions(app, out);
  add_why(app, out);
  add_schema(app, out);
  add_help(app, out);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // CLI11 says --help and --version this way, too
    const int code = app.exit(error);
    return code == 0 ? kFine : kUsage;
  }
  return kGoOn;
}

int run(const CommandLine& command_line) { return command_line.command(); }

int finish(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  if (errno == EPIPE) return code;  // the reader has seen enough: `correlator replay … | head`
  complain(make_error("E505", "the output could not be written", "the disk is full, or what it was piped into has ended"));
  return kIoError;
}

}  // namespace correlator::cli
