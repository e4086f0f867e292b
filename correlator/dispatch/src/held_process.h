// SPDX-License-Identifier: Apache-2.0
// A process that is there and does not run its program yet: the way to an exec takes longer than a sync, and goes on beside it.
#pragma once

#include <sys/types.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "dispatch/launcher.h"
#include "worker.h"

namespace correlator::dispatch {

class HeldProcess {
 public:
  // Nothing of what can go wrong is told before go(). `worker`: does it, unless it is busy; outlives this.
  explicit HeldProcess(const ProcessSpec& spec, Worker* worker = nullptr);
  // Without go() the process ends without having run anything, and what was made for its output is taken away.
  ~HeldProcess();
  HeldProcess(const HeldProcess&) = delete;
  HeldProcess& operator=(const HeldProcess&) = delete;

  // Lets it run; returns when it does. Its number, a child of ours; E401 if it could not be started. Once.
  Result<pid_t> go();
  // Our end of its output; the caller's from now on.
  int take_output();

 private:
  void prepare();
  void hold();
  void wait();
  [[noreturn]] void be_the_child();
  bool let_go(int gate);
  Diagnostic cannot_start(int error) const;

  ProcessSpec spec_;
  std::vector<std::string> words_, environment_;
  std::vector<char*> argv_, envp_;
  int input_ = -1;
  std::array<int, 2> output_{-1, -1};  // ours, the child's
  std::array<int, 2> gate_{-1, -1};    // ours, the child's: a byte lets it go; what comes back is the errno of its exec
  std::atomic<bool> go_{false};        // says so sooner, to a child that still looks: it lives on our memory
  pid_t pid_ = -1;
  int error_ = 0;  // of what came before the process
  bool gone_ = false;
  // Who does it stands still, as with vfork(2), until the program runs.
  Worker own_;
  Worker* worker_ = nullptr;
};

// FILE.pipe: what a process whose output is kept in FILE writes to.
std::filesystem::path pipe_of(const std::filesystem::path& output);

}  // namespace correlator::dispatch
