// SPDX-License-Identifier: Apache-2.0
#include "dispatch/process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <iterator>

namespace correlator::dispatch {
namespace {

int pidfd_open(pid_t pid) { return static_cast<int>(syscall(SYS_pidfd_open, pid, 0)); }

// stdin as a file in memory: a script that never reads cannot block us, one that seeks may.
int memory_file(const std::string& content) {
  const int fd = memfd_create("decision", MFD_CLOEXEC);
  if (fd < 0) return -1;
  std::size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::write(fd, content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) {
      ::close(fd);
      return -1;
    }
    done += static_cast<std::size_t>(n);
  }
  ::lseek(fd, 0, SEEK_SET);
  return fd;
}

std::filesystem::path pipe_of(const std::filesystem::path& output) { return output.string() + ".pipe"; }

// The two ends of the child's stdout and stderr. {-1, -1} with errno.
std::array<int, 2> open_output(const std::filesystem::path& output) {
  std::array<int, 2> ends{-1, -1};
  if (output.empty()) {
    if (::pipe2(ends.data(), O_CLOEXEC | O_NONBLOCK) != 0) return {-1, -1};
  } else {
    const std::filesystem::path pipe = pipe_of(output);
    remove_kept_output(output);  // of an attempt that was never begun
    if (::mkfifo(pipe.c_str(), 0600) != 0) return {-1, -1};
    ends[0] = ::open(pipe.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    // Read and write: as long as the child lives somebody reads, so that our death is no broken pipe for it.
    ends[1] = ends[0] < 0 ? -1 : ::open(pipe.c_str(), O_RDWR | O_CLOEXEC);
    if (ends[1] < 0) {
      const int error = errno;
      if (ends[0] >= 0) ::close(ends[0]);
      errno = error;
      return {-1, -1};
    }
  }
  // The child's end blocks as programs expect it to.
  ::fcntl(ends[1], F_SETFL, ::fcntl(ends[1], F_GETFL) & ~O_NONBLOCK);
  return ends;
}

int open_kept(const std::filesystem::path& output) {
  if (output.empty()) return -1;
  return ::open(output.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
}

std::vector<char*> pointers(std::vector<std::string>& words) {
  std::vector<char*> out;
  for (std::string& word : words) out.push_back(word.data());
  out.push_back(nullptr);
  return out;
}

Diagnostic cannot_start(const ProcessSpec& spec, int error) {
  return make_error("E401", fmt::format("cannot start {}: {}", spec.program.string(), std::strerror(error)),
                    "it must be an executable file in the actions directory, with an interpreter line if it is a script");
}

// Descriptors and signals of the child: stdin, stdout and stderr as given, everything else closed, default signals.
class SpawnSetup {
 public:
  SpawnSetup(int input, int output) {
    posix_spawn_file_actions_init(&files_);
    posix_spawn_file_actions_adddup2(&files_, input, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files_, output, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files_, output, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files_, STDERR_FILENO + 1);
    posix_spawn_file_actions_addchdir_np(&files_, "/");
    posix_spawnattr_init(&attributes_);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setpgroup(&attributes_, 0);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSetup() {
    posix_spawn_file_actions_destroy(&files_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSetup(const SpawnSetup&) = delete;
  SpawnSetup& operator=(const SpawnSetup&) = delete;

  const posix_spawn_file_actions_t* files() const { return &files_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t files_;
  posix_spawnattr_t attributes_;
};

class SystemLauncher final : public Launcher {
 public:
  Result<std::unique_ptr<Child>> start(const ProcessSpec& spec) override {
    auto process = Process::start(spec);
    if (!process) return process.error();
    return std::unique_ptr<Child>(std::make_unique<Process>(std::move(*process)));
  }
  std::unique_ptr<Child> adopt(std::int64_t pid, const std::string& decision, const std::filesystem::path& output) override {
    auto process = Process::adopt(pid, decision, output);
    return process ? std::make_unique<Process>(std::move(*process)) : nullptr;
  }
};

}  // namespace

Launcher& system_launcher() {
  static SystemLauncher launcher;
  return launcher;
}

Result<Process> Process::start(const ProcessSpec& spec) {
  const int input = memory_file(spec.input);
  const std::array<int, 2> output = input < 0 ? std::array<int, 2>{-1, -1} : open_output(spec.output);
  if (output[0] < 0) {
    const int error = errno;
    if (input >= 0) ::close(input);
    return cannot_start(spec, error);
  }
  std::vector<std::string> words = {spec.program.string()};
  words.insert(words.end(), spec.arguments.begin(), spec.arguments.end());
  std::vector<std::string> environment;
  for (const auto& [name, value] : spec.environment) environment.push_back(fmt::format("{}={}", name, value));
  const std::vector<char*> argv = pointers(words), envp = pointers(environment);
  const SpawnSetup setup(input, output[1]);
  pid_t pid = 0;
  const int error = ::posix_spawn(&pid, spec.program.c_str(), setup.files(), setup.attributes(), argv.data(), envp.data());
  ::close(input);
  ::close(output[1]);
  if (error != 0) {
    ::close(output[0]);
    return cannot_start(spec, error);
  }
  Process process;
  process.pid_ = pid;
  process.output_fd_ = output[0];
  process.kept_fd_ = open_kept(spec.output);
  process.max_output_ = spec.max_output;
  process.exit_fd_ = pidfd_open(pid);
  if (process.exit_fd_ < 0) return cannot_start(spec, errno);  // the destructor kills it
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
