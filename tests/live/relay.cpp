// SPDX-License-Identifier: Apache-2.0
// Stands between rsyslogd and the plug-in and notes when a line was handed over.
//   relay FILE TEXT PROGRAM ARGUMENT...     appends "T nanoseconds of CLOCK_MONOTONIC TAB line" to FILE for each line that holds TEXT, before
// PROGRAM gets it. With omprog one line is under way, so that what a read gives is a line.
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <ctime>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace {

// False when nobody takes it any more.
bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd, bytes.data(), bytes.size());
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

void forward(int from, int to, int log, std::string_view mark) {
  std::vector<char> buffer(1 << 16);
  for (ssize_t n = 0; (n = read(from, buffer.data(), buffer.size())) > 0;) {
    const std::string_view bytes(buffer.data(), static_cast<std::size_t>(n));
    if (log >= 0 && std::search(bytes.begin(), bytes.end(), mark.begin(), mark.end()) != bytes.end()) {
      timespec now{};
      clock_gettime(CLOCK_MONOTONIC, &now);
      char text[48];
      std::snprintf(text, sizeof text, "T %lld\t", static_cast<long long>(now.tv_sec) * 1'000'000'000 + now.tv_nsec);
      if (!write_all(log, text + std::string(bytes))) _exit(4);
    }
    if (!write_all(to, bytes)) break;
  }
  close(to);
}

}  // namespace

int main(int argc, char** argv) {
  int in[2], out[2];
  if (argc < 4 || pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return 2;
  const int log = open(argv[1], O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (log < 0) return 4;
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execv(argv[3], argv + 3);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  std::signal(SIGPIPE, SIG_IGN);
  std::thread answers([&] { forward(out[0], STDOUT_FILENO, -1, {}); });
  forward(STDIN_FILENO, in[1], log, argv[2]);
  answers.join();
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
