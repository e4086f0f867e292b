// SPDX-License-Identifier: Apache-2.0
// One child process: started without a shell and without fork(), in a process group of its own, with a time
// limit, its output bounded, its whole group gone when it is over.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"
#include "dispatch/launcher.h"

namespace correlator::dispatch {

class HeldProcess;

class Process final : public Child {
 public:
  // E401 if it cannot be started.
  static Result<Process> start(const ProcessSpec& spec);
  // One that is held runs from here on. E401 as above.
  static Result<Process> take_over(HeldProcess& held, const ProcessSpec& spec);
  // A process that an earlier dispatcher started for `decision` and that still runs; nothing if it is gone,
  // or if its number belongs to another process by now.
  // `output`: as it was given to start(); what it said so far, and what it will say, is read on.
  static std::optional<Process> adopt(std::int64_t pid, const std::string& decision,
                                      const std::filesystem::path& output = {});

  ~Process() override;
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;

  std::int64_t pid() const override { return pid_; }
  int exit_fd() const override { return exit_fd_; }
  int output_fd() const override { return output_fd_; }  // -1 once it is closed
  void read_output() override;
  std::optional<ProcessEnd> try_wait() override;
  void terminate() override;
  void kill() override;
  const std::string& output() const override { return output_; }
  bool output_cut() const { return output_cut_; }
  // What it said since the last call; makes room for more. For a program whose output has no end.
  std::string take_output() { return std::exchange(output_, {}); }

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

// What a process said whose dispatcher died, and takes it away. For one that is gone: adopt() reads it by
// itself.
std::string read_kept_output(const std::filesystem::path& output);
void remove_kept_output(const std::filesystem::path& output);

}  // namespace correlator::dispatch
