// SPDX-License-Identifier: Apache-2.0
// One child process: started without a shell and without fork(), in a process group of its own, with a time limit, its
// output bounded, its whole group gone when it is over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "time/timestamp.h"

namespace correlator::dispatch {

constexpr std::size_t kMaxOutput = 64 * 1024;

struct ProcessSpec {
  std::filesystem::path program;           // absolute; never looked up in PATH
  std::vector<std::string> arguments;      // without argv[0]; each reaches the program as it is
  std::vector<std::pair<std::string, std::string>> environment;  // all that the child sees
  std::string input;                       // its stdin
  std::size_t max_output = kMaxOutput;     // bytes of stdout and stderr that are kept; more is read and dropped
  // Where what it says outlives us; empty: nowhere. FILE.pipe is its stdout, which it holds open at both ends: it gets no SIGPIPE and
  // loses nothing when we die, and the kernel bounds what waits there. What was read is appended to FILE.
  std::filesystem::path output;
};

struct ProcessEnd {
  int exit_code = -1;  // -1 if a signal ended it or its end is not known
  int signal = 0;
  bool known = true;  // false for a process that another dispatcher started: its exit code went to nobody
  bool success() const { return known && exit_code == 0; }
};

class Process {
 public:
  // E401 if it cannot be started.
  static Result<Process> start(const ProcessSpec& spec);
  // A process that an earlier dispatcher started for `decision` and that still runs; nothing if it is gone, or if its
  // number belongs to another process by now.
  // `output`: as it was given to start(); what it said so far, and what it will say, is read on.
  static std::optional<Process> adopt(std::int64_t pid, const std::string& decision, const std::filesystem::path& output = {});

  ~Process();
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  std::int64_t pid() const { return pid_; }
  // To poll() on: readable when the process ended; when there is output (-1 once that is closed).
  int exit_fd() const { return exit_fd_; }
  int output_fd() const { return output_fd_; }

  void read_output();
  // The end, if it has come. Kills what is left of the group.
  std::optional<ProcessEnd> try_wait();
  // SIGTERM or SIGKILL to the whole group.
  void terminate();
  void kill();

  const std::string& output() const { return output_; }
  bool output_cut() const { return output_cut_; }

 private:
  Process() = default;
  void keep(std::string_view text);
  void close_all();

  std::int64_t pid_ = 0;
  int exit_fd_ = -1;
  int output_fd_ = -1;
  int kept_fd_ = -1;  // what was read is written there, too
  bool adopted_ = false;
  bool ended_ = false;
  std::size_t max_output_ = 0;
  std::string output_;
  bool output_cut_ = false;
};

// What a process said whose dispatcher died, and takes it away. For one that is gone: adopt() reads it by itself.
std::string read_kept_output(const std::filesystem::path& output);
void remove_kept_output(const std::filesystem::path& output);

}  // namespace correlator::dispatch
