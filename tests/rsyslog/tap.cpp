// SPDX-License-Identifier: Apache-2.0
// An omprog plug-in for tests: keeps what it was given, answers OK, and misbehaves on request. As the shipped
// configuration has it, the shell that starts it has said the first OK.
//   tap LOG [--count N] [--latency] [--pause-us N] [--die-at N] [--stall-at N] [--refuse-at N] [--hold-at N
//   FILE]
// LOG gets one line for each line received, "PID TAB the line", before it is answered; START, EOF and SIGNAL
// N likewise.
// --die-at, --stall-at and --refuse-at count lines of this process and happen once, LOG.once remembers; the
// line is written as "PID TAB NO the line", because it got no OK. --hold-at waits at line N while FILE
// exists. --pause-us is the time for each line.
// --count keeps no lines and writes "N seconds cpu-seconds" at the Nth; --latency writes microseconds from
// T<ns> in the line to its reading, one number a line.
#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

namespace {

int g_log = -1;

struct Options {
  bool latency = false;
  long count = 0, pause_us = 0, die_at = 0, stall_at = 0, refuse_at = 0, hold_at = 0;
  std::string log, hold_file;
};

void note(std::string_view text) {
  const std::string line = std::to_string(getpid()) + "\t" + std::string(text) + "\n";
  if (write(g_log, line.data(), line.size()) != static_cast<ssize_t>(line.size())) _exit(4);
}

void on_signal(int number) {
  note("SIGNAL " + std::to_string(number));
  if (number == SIGTERM) _exit(0);
}

long long now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

void answer(std::string_view text) {
  if (write(STDOUT_FILENO, text.data(), text.size()) == static_cast<ssize_t>(text.size())) return;
  note("EOF");  // rsyslogd was killed: nobody reads answers any more
  _exit(0);
}

Options read_options(int argc, char** argv) {
  Options o;
  if (argc < 2) _exit(2);
  o.log = argv[1];
  for (int i = 2; i < argc; ++i) {
    const std::string_view name = argv[i];
    const char* value = i + 1 < argc ? argv[i + 1] : "";
    if (name == "--latency")
      o.latency = true;
    else if (name == "--count")
      o.count = std::atol(value), ++i;
    else if (name == "--pause-us")
      o.pause_us = std::atol(value), ++i;
    else if (name == "--die-at")
      o.die_at = std::atol(value), ++i;
    else if (name == "--stall-at")
      o.stall_at = std::atol(value), ++i;
    else if (name == "--refuse-at")
      o.refuse_at = std::atol(value), ++i;
    else if (name == "--hold-at" && i + 2 < argc)
      o.hold_at = std::atol(value), o.hold_file = argv[i + 2], i += 2;
    else
      _exit(2);
  }
  return o;
}

class Tap {
 public:
  explicit Tap(Options options) : o_(std::move(options)) {}

  void take(std::string_view line) {
    ++lines_;
    if (first_ == 0) first_ = now_ns();
    const bool fault = (lines_ == o_.die_at || lines_ == o_.stall_at || lines_ == o_.refuse_at) && once();
    if (o_.latency) {
      const std::size_t at = line.find(" T");
      if (at != std::string_view::npos)
        note(std::to_string((now_ns() - std::atoll(line.data() + at + 2)) / 1000));
    } else if (o_.count == 0) {
      note(fault ? "NO " + std::string(line) : std::string(line));
    }
    while (lines_ == o_.hold_at && access(o_.hold_file.c_str(), F_OK) == 0) usleep(1000);
    if (o_.pause_us > 0) usleep(static_cast<useconds_t>(o_.pause_us));
    if (fault && lines_ == o_.die_at) kill(getpid(), SIGKILL);
    while (fault && lines_ == o_.stall_at) pause();
    answer(fault ? "Error: not now\n" : "OK\n");
    if (lines_ == o_.count) note_rate();
  }

  void end() const { note("EOF"); }

 private:
  bool once() const {
    const int fd = open((o_.log + ".once").c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
    if (fd >= 0) close(fd);
    return fd >= 0;
  }

  void note_rate() const {
    rusage used{};
    getrusage(RUSAGE_SELF, &used);
    char text[96];
    std::snprintf(text, sizeof text, "%ld %.4f %.4f", lines_, static_cast<double>(now_ns() - first_) / 1e9,
                  static_cast<double>(used.ru_utime.tv_sec + used.ru_stime.tv_sec) +
                      static_cast<double>(used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
    note(text);
  }

  Options o_;
  long lines_ = 0;
  long long first_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const Options options = read_options(argc, argv);
  g_log = open(options.log.c_str(), O_CREAT | O_APPEND | O_WRONLY | O_CLOEXEC, 0600);
  if (g_log < 0) return 4;
  for (const int number : {SIGHUP, SIGTERM, SIGINT, SIGUSR1}) signal(number, on_signal);
  signal(SIGPIPE, SIG_IGN);
  note("START");
  Tap tap(options);
  std::string waiting;
  static char block[1 << 16];
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, block, sizeof block);
    if (got <= 0) break;
    waiting.append(block, static_cast<std::size_t>(got));
    std::size_t begin = 0;
    for (std::size_t end; (end = waiting.find('\n', begin)) != std::string::npos; begin = end + 1)
      tap.take(std::string_view(waiting).substr(begin, end - begin));
    waiting.erase(0, begin);
  }
  tap.end();
}
