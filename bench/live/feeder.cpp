// SPDX-License-Identifier: Apache-2.0
// Plays rsyslogd's omprog: gives lines of the shipped template to a plug-in, one under way at a time, as fast as it answers, and prints
// how it fares. For a soak of many millions of lines, and for what the plug-in can do without an rsyslogd that needs the CPU, too.
//   feeder LINES MATCHING-OF-1000 EVERY PROGRAM ARGUMENT...    a row each EVERY lines; PROGRAM is started with --greeted
// p50 and p99: milliseconds from a line's writing to its OK, of the EVERY lines before the row.
#include <fcntl.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>
#include <string>
#include <vector>

namespace {

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

long kib(pid_t pid, const char* name) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/status");
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(name, 0) == 0) return std::atol(line.c_str() + std::strlen(name) + 1);
  }
  return 0;
}

double cpu(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string text;
  std::getline(in, text);
  long user = 0, system = 0;
  std::sscanf(text.c_str() + text.rfind(')') + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %ld %ld", &user, &system);
  return static_cast<double>(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK));
}

std::string frame(long number, bool matching) {
  char stamp[32], text[640];
  const std::time_t at = std::time(nullptr);
  std::tm utc{};
  gmtime_r(&at, &utc);
  std::strftime(stamp, sizeof stamp, "%Y-%m-%dT%H:%M:%S", &utc);
  char message[160];
  if (matching) {
    std::snprintf(message, sizeof message, "EDAC MC0: 1 CE memory read error on DIMM_%ld (channel:0 slot:0 page:0x%lx offset:0x0)", number % 64, number);
  } else {
    std::snprintf(message, sizeof message, "10.1.%ld.%ld \\\"GET \\/api\\/v1\\/items\\/%ld HTTP\\/1.1\\\" 200 %ld", number % 250, number % 241, number, number % 9973);
  }
  const int size = std::snprintf(
      text, sizeof text,
      R"({"id":"%032lX","timereported":"%s.%06ldZ","timegenerated":"%s.%06ldZ","hostname":"kvm%ld","fromhost-ip":"127.0.0.1","inputname":"imuxsock","uid":"0","exe":"\/usr\/sbin\/nginx","facility":"1","severity":"6","programname":"nginx","syslogtag":"nginx[%ld]:","procid":"%ld","sequence":"","message":" %s"})"
      "\n",
      number, stamp, number % 1000000, stamp, number % 1000000, number % 40, number % 30000, number % 30000, message);
  return {text, static_cast<std::size_t>(size)};
}

// Sorts them.
double quantile(std::vector<double>& values, double which) {
  std::sort(values.begin(), values.end());
  return values[static_cast<std::size_t>(which * static_cast<double>(values.size() - 1))];
}

}  // namespace

int main(int argc, char** argv) {
  int in[2], out[2];
  if (argc < 5 || std::atol(argv[3]) < 1 || pipe2(in, O_CLOEXEC) != 0 || pipe2(out, O_CLOEXEC) != 0) return 2;
  const long lines = std::atol(argv[1]), matching = std::atol(argv[2]), every = std::atol(argv[3]);
  const pid_t child = fork();
  if (child == 0) {
    dup2(in[0], STDIN_FILENO);
    dup2(out[1], STDOUT_FILENO);
    execv(argv[4], argv + 4);
    _exit(127);
  }
  close(in[0]);
  close(out[1]);
  std::printf("%10s %9s %10s %12s %10s %9s %9s\n", "lines", "seconds", "lines/s", "us CPU/line", "RSS KiB", "p50 ms", "p99 ms");
  const double begin = now();
  double last = begin, last_cpu = 0;
  std::vector<double> waits;  // seconds
  for (long number = 1; number <= lines; ++number) {
    const std::string text = frame(number, number * 7919 % 1000 < matching);
    char answer[64];
    const double written = now();
    if (write(in[1], text.data(), text.size()) != static_cast<ssize_t>(text.size()) || read(out[0], answer, sizeof answer) != 3 ||
        std::memcmp(answer, "OK\n", 3) != 0) {
      std::fprintf(stderr, "line %ld was not answered OK\n", number);
      return 1;
    }
    waits.push_back(now() - written);
    if (number % every != 0) continue;
    const double at = now(), used = cpu(child), part = static_cast<double>(every);
    std::printf("%10ld %9.1f %10.0f %12.2f %10ld %9.3f %9.3f\n", number, at - begin, part / (at - last), (used - last_cpu) / part * 1e6, kib(child, "VmRSS:"),
                1e3 * quantile(waits, 0.5), 1e3 * quantile(waits, 0.99));
    std::fflush(stdout);
    waits.clear();
    last = at;
    last_cpu = used;
  }
  close(in[1]);
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
