// SPDX-License-Identifier: Apache-2.0
// One function for each sub-command: it adds its options to the parser and sets `command` when it was chosen.
#pragma once

#include <CLI/CLI.hpp>

#include "cli/cli.h"

namespace correlator::cli {

void add_replay(CLI::App& app, CommandLine& out);
void add_run(CLI::App& app, CommandLine& out);
void add_check(CLI::App& app, CommandLine& out);
void add_explain(CLI::App& app, CommandLine& out);
void add_status(CLI::App& app, CommandLine& out);
void add_windows(CLI::App& app, CommandLine& out);
void add_decisions(CLI::App& app, CommandLine& out);
void add_why(CLI::App& app, CommandLine& out);
void add_metrics(CLI::App& app, CommandLine& out);
void add_dispatch(CLI::App& app, CommandLine& out);
void add_forward_events(CLI::App& app, CommandLine& out);
void add_control(CLI::App& app, CommandLine& out);
void add_import(CLI::App& app, CommandLine& out);
void add_sec(CLI::App& app, CommandLine& out);
void add_schema(CLI::App& app, CommandLine& out);
void add_help(CLI::App& app, CommandLine& out);

}  // namespace correlator::cli
