// SPDX-License-Identifier: Apache-2.0
// The command line of SEC, as sec(1) takes it.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/diagnostic.h"

namespace correlator::sec {

struct Options {
  std::vector<std::string> conf;    // globs of rule files
  std::vector<std::string> input;   // glob, or glob=context
  std::int64_t input_timeout = 0;
  std::string timeout_script;
  std::int64_t reopen_timeout = 0, check_timeout = 0;
  double poll_timeout = 0.1;
  std::int64_t socket_timeout = 60;
  std::uint32_t block_size = 1 << 20, buffer_lines = 0;  // bytes read at once; lines kept for patterns of several, 0: as many as they need
  std::uint64_t store_limit = 0;
  std::int64_t sweep_every = 1;
  std::string log, syslog;
  int debug = 6;
  std::string pid, dump = "/tmp/sec.dump";
  std::string user;
  std::vector<std::string> groups;
  std::string umask;
  bool rule_times = false, dump_timestamp = false, dump_json = false;
  bool quoting = false, tail = true, from_start = false, detach = false;
  bool joint_buffer = false, keep_open = true, rw_fifo = true, terminate_children = true;
  bool internal_events = false, internal_contexts = false;
  bool test_only = false, help = false, version = false;
  bool timeline = false;  // standard input is "offset<TAB>line" on a clock of its own
  std::string state;      // directory; empty: nothing survives
  bool exact = false;     // --sec-compat=exact: also where SEC is wrong or not safe
};

// What cannot be is warned of and passed over, as SEC does: unknown options, values that are none.
Options parse_options(const std::vector<std::string>& words, Diagnostics& warnings);
std::string options_help();

// GLOB or GLOB=CONTEXT.
struct InputOption {
  std::string glob, context;
};
InputOption input_option(const std::string& given);

}  // namespace correlator::sec
