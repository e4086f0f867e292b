// SPDX-License-Identifier: Apache-2.0
#include "journal.h"

#include <fcntl.h>
#include <syslog.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include "base/text.h"

namespace correlator::sec {
namespace {

constexpr int kWarning = 3;

int facility_number(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, int>, 19> kFacilities{
      {{"kern", LOG_KERN}, {"user", LOG_USER}, {"mail", LOG_MAIL}, {"daemon", LOG_DAEMON}, {"auth", LOG_AUTH}, {"syslog", LOG_SYSLOG},
       {"lpr", LOG_LPR}, {"news", LOG_NEWS}, {"cron", LOG_CRON}, {"authpriv", LOG_AUTHPRIV}, {"ftp", LOG_FTP}, {"local0", LOG_LOCAL0},
       {"local1", LOG_LOCAL1}, {"local2", LOG_LOCAL2}, {"local3", LOG_LOCAL3}, {"local4", LOG_LOCAL4}, {"local5", LOG_LOCAL5},
       {"local6", LOG_LOCAL6}, {"local7", LOG_LOCAL7}}};
  for (const auto& [known, number] : kFacilities) {
    if (known == name) return number;
  }
  return LOG_DAEMON;
}

int priority(int level) {
  static constexpr std::array kPriorities{LOG_CRIT, LOG_ERR, LOG_WARNING, LOG_NOTICE, LOG_INFO, LOG_DEBUG};
  return kPriorities[static_cast<std::size_t>(std::clamp(level, 1, 6) - 1)];
}

}  // namespace

std::string stamp(std::int64_t now) {
  const auto time = static_cast<std::time_t>(now);
  std::tm local{};
  localtime_r(&time, &local);
  std::array<char, 64> out{};
  return {out.data(), std::strftime(out.data(), out.size(), "%a %b %e %H:%M:%S %Y", &local)};
}

void Journal::open(const Options& options) {
  file_ = options.log;
  facility_ = options.syslog;
  debug_ = options.debug;
  terminal_ = ::isatty(STDERR_FILENO) == 1 && !options.detach;
  if (!facility_.empty()) ::openlog("sec", LOG_PID, facility_number(lower(facility_)));
  reopen();
}

void Journal::reopen() {
  fd_.reset();
  if (file_.empty()) return;
  fd_.reset(::open(file_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666));
  if (!fd_) std::fprintf(stderr, "sec: the log %s cannot be opened\n", printable(file_).c_str());
}

int Journal::level() const { return fd_ || !facility_.empty() || terminal_ ? debug_ : std::min(debug_, kWarning); }

void Journal::say(int level, std::string_view text, std::int64_t now) {
  if (level > this->level()) return;
  const std::string safe = printable(text);
  if (fd_) {
    const std::string line = stamp(now) + ": " + safe + "\n";
    [[maybe_unused]] const ssize_t written = ::write(fd_.get(), line.data(), line.size());
  }
  if (!facility_.empty()) ::syslog(priority(level), "%s", safe.c_str());
  if (terminal_ || level <= kWarning) std::fprintf(stderr, "%s\n", safe.c_str());
}

void Journal::say(const Diagnostic& d, std::int64_t now) {
  const std::string text = to_text(d);
  std::fwrite(text.data(), 1, text.size(), stderr);
  const std::string line = to_gcc(d);
  const bool terminal = terminal_;
  if (!fd_ && facility_.empty()) return;
  terminal_ = false;
  if (fd_) {
    const std::string logged = stamp(now) + ": " + line;
    [[maybe_unused]] const ssize_t written = ::write(fd_.get(), logged.data(), logged.size());
  }
  if (!facility_.empty()) ::syslog(priority(d.gravity == Gravity::error ? 2 : 3), "%s", line.c_str());
  terminal_ = terminal;
}

}  // namespace correlator::sec
