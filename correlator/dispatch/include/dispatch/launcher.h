// SPDX-License-Identifier: Apache-2.0
// What starts programs, as an interface: processes in the product (process.h); in a simulation programs
// that live in virtual time.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace correlator::dispatch {

constexpr std::size_t kMaxOutput = 64 * 1024;

struct ProcessSpec {
  std::filesystem::path program;       // absolute; never looked up in PATH
  std::vector<std::string> arguments;  // without argv[0]; each reaches the program as it is
  std::vector<std::pair<std::string, std::string>> environment;  // all that the child sees
  std::string input;                                             // its stdin
  std::size_t max_output = kMaxOutput;  // bytes of stdout and stderr that are kept; more is read and dropped
  // Where what it says outlives us; empty: nowhere. FILE.pipe is its stdout, which it holds open at both
  // ends: it gets no SIGPIPE and loses nothing when we die, and the kernel bounds what waits there. What was
  // read is appended to FILE.
  std::filesystem::path output;
};

struct ProcessEnd {
  int exit_code = -1;  // -1 if a signal ended it or its end is not known
  int signal = 0;
  bool known = true;  // false for a process that another dispatcher started: its exit code went to nobody
  bool success() const { return known && exit_code == 0; }
};

// A program under way. One that we started dies with its Child; one that was adopted does not.
class Child {
 public:
  virtual ~Child() = default;

  virtual std::int64_t pid() const = 0;
  // To poll() on: readable when the process ended; when there is output. -1: nothing to poll.
  virtual int exit_fd() const = 0;
  virtual int output_fd() const = 0;

  virtual void read_output() = 0;
  // The end, if it has come. Kills what is left of the group.
  virtual std::optional<ProcessEnd> try_wait() = 0;
  // SIGTERM or SIGKILL to the whole group.
  virtual void terminate() = 0;
  virtual void kill() = 0;
  virtual const std::string& output() const = 0;
};

// A program that is ready to run and does not yet; without go() nothing has run.
class Held {
 public:
  virtual ~Held() = default;
  // Once. E401 if it cannot be started.
  virtual Result<std::unique_ptr<Child>> go() = 0;
};

class Launcher {
 public:
  virtual ~Launcher() = default;
  // Goes on beside the caller, who may have a sync to wait for.
  virtual std::unique_ptr<Held> hold(const ProcessSpec& spec) = 0;
  // E401 if it cannot be started.
  Result<std::unique_ptr<Child>> start(const ProcessSpec& spec) { return hold(spec)->go(); }
  // A process that an earlier dispatcher started for `decision` and that still runs; nullptr if it is gone,
  // or if its number belongs to another process by now.
  // `output`: as it was given to start(); what it said so far, and what it will say, is read on.
  virtual std::unique_ptr<Child> adopt(std::int64_t pid, const std::string& decision,
                                       const std::filesystem::path& output) = 0;
};

// The real one. Has no state.
Launcher& system_launcher();

}  // namespace correlator::dispatch
