// SPDX-License-Identifier: Apache-2.0
#include "held_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "dispatch/process.h"
#include "host/memory_file.h"
#include "host/open_files.h"

namespace correlator::dispatch {
namespace {

constexpr int kExecFailed = 127;  // as shells say it; nobody sees it but a debugger
// A sync takes less than this on most disks, and to wake a process that sleeps takes a third of a sync where virtual CPUs halt when idle.
// Actions are few: their budgets see to it.
constexpr std::int64_t kLooksNs = 2'000'000;

// Only a system call, or none: the child of a vfork asks.
std::int64_t monotonic_ns() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1'000'000'000LL + now.tv_nsec;
}

void close_fd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

// The two ends of the child's stdout and stderr; false with errno.
bool open_output(const std::filesystem::path& output, std::array<int, 2>& ends) {
  if (output.empty()) {
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return false;
  } else {
    const std::filesystem::path pipe = pipe_of(output);
    remove_kept_output(output);  // of an attempt that was never begun
    if (::mkfifo(pipe.c_str(), 0600) != 0) return false;
    ends[0] = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    // Read and write: as long as the child lives somebody reads, so that our death is no broken pipe for it.
    ends[1] = ends[0] < 0 ? -1 : ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
    if (ends[1] < 0) return false;
  }
  // The child's end blocks as programs expect it to.
  ::fcntl(ends[1], F_SETFL, ::fcntl(ends[1], F_GETFL) & ~O_NONBLOCK);
  return true;
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

}  // namespace

std::filesystem::path pipe_of(const std::filesystem::path& output) { return output.string() + ".pipe"; }

HeldProcess::HeldProcess(const ProcessSpec& spec, Worker* worker) : spec_(spec) {
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, gate_.data()) != 0) {
    error_ = errno;
    return;
  }
  for (Worker* one : {worker, &own_}) {
    if (worker_ == nullptr && one != nullptr && one->begin([this] { hold(); })) worker_ = one;
  }
  if (worker_ == nullptr) error_ = EAGAIN;
}

void HeldProcess::wait() {
  if (worker_ != nullptr) std::exchange(worker_, nullptr)->wait();
}

HeldProcess::~HeldProcess() {
  // Its read ends with nothing.
  if (!gone_ && gate_[0] >= 0) ::shutdown(gate_[0], SHUT_RDWR);
  wait();
  if (!gone_) {
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
    if (!spec_.output.empty()) remove_kept_output(spec_.output);
  }
  for (int* fd : {&gate_[0], &gate_[1], &input_, &output_[0], &output_[1]}) close_fd(*fd);
}

Diagnostic HeldProcess::cannot_start(int error) const {
  return make_error("E401", fmt::format("cannot start {}: {}", spec_.program.string(), std::strerror(error)),
                    "it must be an executable file in the actions directory, with an interpreter line if it is a script");
}

void HeldProcess::prepare() {
  words_ = {spec_.program.string()};
  words_.insert(words_.end(), spec_.arguments.begin(), spec_.arguments.end());
  for (const auto& [name, value] : spec_.environment) environment_.push_back(fmt::format("{}={}", name, value));
  argv_ = pointers(words_);
  envp_ = pointers(environment_);
  input_ = host::memory_file(spec_.input).release();
  if (input_ < 0 || !open_output(spec_.output, output_)) error_ = errno;
}

// In the worker, to whom no signal is delivered: a handler of ours that ran in the child would run on our memory.
void HeldProcess::hold() {
  prepare();
  if (error_ != 0) return;
  // fork() would copy the tables of all memory; here the child borrows it, and this thread stands still meanwhile.
  pid_ = ::vfork();
  if (pid_ == 0) be_the_child();
  if (pid_ < 0) error_ = errno;
}

// In the child. False: nothing came, because the parent changed its mind, or died.
bool HeldProcess::let_go(int gate) {
  for (const std::int64_t begin = monotonic_ns(); !go_.load(std::memory_order_acquire);) {
    if (monotonic_ns() - begin > kLooksNs) break;
    ::sched_yield();
  }
  char byte = 0;
  return go_.load(std::memory_order_acquire) || ::read(gate, &byte, 1) == 1;
}

// stdin, stdout and stderr as given, everything else closed, default signals, a group of its own. Only system calls: the memory is
// the parent's, whose other threads go on.
void HeldProcess::be_the_child() {
  struct sigaction by_default {};
  by_default.sa_handler = SIG_DFL;
  for (int number = 1; number < NSIG; ++number) ::sigaction(number, &by_default, nullptr);
  host::usual_open_files();
  constexpr int gate = STDERR_FILENO + 1;
  const bool ready = ::setpgid(0, 0) == 0 && ::dup2(input_, STDIN_FILENO) >= 0 && ::dup2(output_[1], STDOUT_FILENO) >= 0 &&
                     ::dup2(output_[1], STDERR_FILENO) >= 0 && (gate_[1] == gate || ::dup3(gate_[1], gate, O_CLOEXEC) >= 0) &&
                     ::close_range(gate + 1, ~0U, 0) == 0 && ::chdir("/") == 0;
  if (ready && !let_go(gate)) ::_exit(kExecFailed);
  if (ready) {
    sigset_t none;
    sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::execve(spec_.program.c_str(), argv_.data(), envp_.data());
  }
  const int error = errno;
  [[maybe_unused]] const ssize_t told = ::write(ready ? gate : gate_[1], &error, sizeof error);
  ::_exit(kExecFailed);
}

Result<pid_t> HeldProcess::go() {
  const char byte = 1;
  go_.store(true, std::memory_order_release);
  // A child that has given up already said why.
  const bool let_go = gate_[0] >= 0 && ::send(gate_[0], &byte, 1, MSG_NOSIGNAL) == 1;
  wait();
  if (error_ == 0 && !let_go) error_ = EPIPE;
  if (error_ != 0) return cannot_start(error_);
  gone_ = true;
  close_fd(gate_[1]);
  int error = 0;
  // The end comes with the exec.
  if (::recv(gate_[0], &error, sizeof error, 0) == static_cast<ssize_t>(sizeof error)) {
    ::waitpid(pid_, nullptr, 0);
    return cannot_start(error);
  }
  return pid_;
}

int HeldProcess::take_output() { return std::exchange(output_[0], -1); }

}  // namespace correlator::dispatch
