// SPDX-License-Identifier: Apache-2.0
#include "dispatch/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

#include "held_process.h"

namespace correlator::dispatch {
namespace {

int pidfd_open(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

int open_kept(const std::filesystem::path& output) {
  if (output.empty()) return -1;
  return ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

// A process that is held until it may run.
class HeldChild final : public Held {
 public:
  HeldChild(const ProcessSpec& spec, Worker* worker) : spec_(spec), process_(spec, worker) {}
  Result<std::unique_ptr<Child>> go() override {
    auto process = Process::take_over(process_, spec_);
    if (!process) return process.error();
    return std::unique_ptr<Child>(std::make_unique<Process>(std::move(*process)));
  }

 private:
  ProcessSpec spec_;
  HeldProcess process_;
};

class SystemLauncher final : public Launcher {
 public:
  std::unique_ptr<Held> hold(const ProcessSpec& spec) override { return std::make_unique<HeldChild>(spec, &worker_); }
  std::unique_ptr<Child> adopt(std::int64_t pid, const std::string& decision, const std::filesystem::path& output) override {
    auto process = Process::adopt(pid, decision, output);
    return process ? std::make_unique<Process>(std::move(*process)) : nullptr;
  }

 private:
  Worker worker_;
};

}  // namespace

Launcher& system_launcher() {
  static SystemLauncher launcher;
  return launcher;
}

Result<Process> Process::start(const ProcessSpec& spec) {
  HeldProcess held(spec);
  return take_over(held, spec);
}

Result<Process> Process::take_over(HeldProcess& held, const ProcessSpec& spec) {
  auto pid = held.go();
  if (!pid) return pid.error();
  Process process;
  process.pid_ = *pid;
  process.output_fd_ = held.take_output();
  process.kept_fd_ = open_kept(spec.output);
  process.max_output_ = spec.max_output;
  process.exit_fd_ = pidfd_open(*pid);
  // The destructor kills it.
  if (process.exit_fd_ < 0) return make_error("E401", fmt::format("cannot watch {}: {}", spec.program.string(), std::strerror(errno)), "look at the limits of this process: open files");
  return process;
}

std::optional<Process> Process::adopt(std::int64_t pid, const std::string& decision, const std::filesystem::path& output) {
  if (pid <= 1) return std::nullopt;
  Process process;
  process.exit_fd_ = pidfd_open(static_cast<pid_t>(pid));
  if (process.exit_fd_ < 0) return std::nullopt;
  // Numbers are used again: the environment tells whether this is still the process that was started for the decision.
  std::ifstream in(fmt::format("/proc/{}/environ", pid), std::ios::binary);
  const std::string environment{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  const std::string wanted = fmt::format("CORRELATOR_DECISION={}", decision) + '\0';
  if (environment.find(wanted) == std::string::npos) return std::nullopt;
  process.pid_ = pid;
  process.adopted_ = true;
  process.max_output_ = kMaxOutput;
  if (!output.empty()) {
    process.output_ = read_kept_output(output);
    process.kept_fd_ = open_kept(output);
    process.output_fd_ = ::open(pipe_of(output).c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  }
  return process;
}

Process::Process(Process&& other) noexcept { *this = std::move(other); }

Process& Process::operator=(Process&& other) noexcept {
  std::swap(pid_, other.pid_);
  std::swap(exit_fd_, other.exit_fd_);
  std::swap(output_fd_, other.output_fd_);
  std::swap(kept_fd_, other.kept_fd_);
  std::swap(adopted_, other.adopted_);
  std::swap(ended_, other.ended_);
  std::swap(max_output_, other.max_output_);
  std::swap(output_, other.output_);
  std::swap(output_cut_, other.output_cut_);
  return *this;
}

void Process::close_all() {
  for (int* fd : {&exit_fd_, &output_fd_, &kept_fd_}) {
    if (*fd >= 0) ::close(*fd);
    *fd = -1;
  }
}

Process::~Process() {
  // A process that an earlier dispatcher started is left alone: another one may wait for it again.
  if (pid_ > 0 && !ended_ && !adopted_) {
    kill();
    ::waitpid(static_cast<pid_t>(pid_), nullptr, 0);
  }
  close_all();
}

void Process::read_output() {
  if (output_fd_ < 0) return;
  std::array<char, 16 * 1024> buffer;
  // A flood must not keep us from looking after the others: at most 1 MiB at a time.
  for (int reads = 0; reads < 64; ++reads) {
    const ssize_t n = ::read(output_fd_, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return;  // nothing more by now
    if (n == 0) {
      ::close(output_fd_);
      output_fd_ = -1;
      return;
    }
    const std::size_t room = max_output_ - output_.size();
    keep({buffer.data(), std::min<std::size_t>(room, static_cast<std::size_t>(n))});
    if (static_cast<std::size_t>(n) > room) output_cut_ = true;
  }
}

void Process::keep(std::string_view text) {
  output_ += text;
  if (kept_fd_ < 0) return;
  // A full disk loses what a dispatcher after us would have known, and nothing else.
  [[maybe_unused]] const ssize_t written = ::write(kept_fd_, text.data(), text.size());
}

std::optional<ProcessEnd> Process::try_wait() {
  pollfd ready{exit_fd_, POLLIN, 0};
  if (::poll(&ready, 1, 0) <= 0) return std::nullopt;
  ProcessEnd end;
  if (adopted_) {
    end.known = false;
  } else {
    int status = 0;
    if (::waitpid(static_cast<pid_t>(pid_), &status, WNOHANG) <= 0) return std::nullopt;
    if (WIFEXITED(status)) end.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) end.signal = WTERMSIG(status);
  }
  read_output();
  kill();  // what it left behind in its group
  ended_ = true;
  close_all();
  return end;
}

void Process::terminate() {
  if (pid_ > 1) ::kill(static_cast<pid_t>(-pid_), SIGTERM);
}

void Process::kill() {
  if (pid_ > 1) ::kill(static_cast<pid_t>(-pid_), SIGKILL);
}

std::string read_kept_output(const std::filesystem::path& output) {
  std::ifstream in(output, std::ios::binary);
  std::string text(kMaxOutput, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(std::max<std::streamsize>(in.gcount(), 0)));
  return text;
}

void remove_kept_output(const std::filesystem::path& output) {
  ::unlink(output.c_str());
  ::unlink(pipe_of(output).c_str());
}

}  // namespace correlator::dispatch
