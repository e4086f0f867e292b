// SPDX-License-Identifier: Apache-2.0
#include "cli/cli.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <optional>
#include <sstream>
#include <string>
#include <vector>

#include "base/text.h"
#include "commands.h"
#include "common.h"

namespace correlator::cli {

void prepare_process() {
  std::signal(SIGPIPE, SIG_IGN);
}

namespace {

// CLI11 only says that a sub-command is missing.
std::optional<Diagnostic> unknown_command(const CLI::App& app, int argc, char** argv) {
  if (argc < 2 || argv[1][0] == '-') return std::nullopt;
  std::vector<std::string> names;
  for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(sub->get_name());
    if (names.back() == argv[1]) return std::nullopt;
  }
  const std::string near = closest(argv[1], names);
  return make_error("E501", fmt::format("there is no command {}", argv[1]),
                    near.empty() ? fmt::format("the commands are {}", join(names, ", "))
                                 : fmt::format("did you mean {}?", near));
}

}  // namespace

int parse(int argc, char** argv, CommandLine& out) {
  CLI::App app{
      "correlator notices what the log says about failing hardware and guests, and runs what you decided to "
      "do about it.\n"
      "Exit codes: 0 fine, 1 the answer is no, 2 usage, 65 bad data, 66 no input, 74 I/O, 78 bad "
      "configuration."};
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
  add_metrics(app, out);
  add_control(app, out);
  add_dispatch(app, out);
  add_sec(app, out);
  add_import(app, out);
  add_forward_events(app, out);
  add_schema(app, out);
  add_help(app, out);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {  // CLI11 says --help and --version this way, too
    if (const auto unknown = unknown_command(app, argc, argv)) {
      complain(*unknown);
      return kUsage;
    }
    std::ostringstream help, complaint;
    const int code = app.exit(error, help, complaint);
    std::fputs(help.str().c_str(), stdout);
    // It repeats what was typed, which may come from a file name or a log.
    const std::string said = complaint.str();
    for (const std::string_view line : split(trim(said), "\n"))
      std::fputs((printable(line) + "\n").c_str(), stderr);
    return code == 0 ? kFine : kUsage;
  }
  return kGoOn;
}

int run(const CommandLine& command_line) {
  return command_line.command();
}

int finish(int code) {
  if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return code;
  if (errno == EPIPE) return code;  // the reader has seen enough: `correlator replay … | head`
  complain(make_error("E505", "the output could not be written",
                      "the disk is full, or what it was piped into has ended"));
  return kIoError;
}

}  // namespace correlator::cli
