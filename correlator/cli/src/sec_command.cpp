// SPDX-License-Identifier: Apache-2.0
// correlator sec: SEC's command line, which is read by the module that knows it.
#include <algorithm>

#include "commands.h"
#include "sec/service.h"

namespace correlator::cli {

void add_sec(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand("sec", "Run rule files of SEC (Simple Event Correlator); sec --help lists its options");
  sub->set_help_flag();
  sub->prefix_command();
  sub->callback([sub, &out] {
    out.command = [words = sub->remaining()] { return sec::serve(words); };
  });
}

}  // namespace correlator::cli
