// SPDX-License-Identifier: Apache-2.0
#include "process.h"

#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <optional>
#include <vector>

namespace correlator::sec {
namespace {

Diagnostic failed(const std::string& what) { return make_error("E401", what + ": " + std::strerror(errno)); }

// Octal, decimal, 0x… or 0b….
std::optional<mode_t> mask_of(const std::string& text) {
  char* end = nullptr;
  const bool binary = text.starts_with("0b");
  const unsigned long value = std::strtoul(text.c_str() + (binary ? 2 : 0), &end, binary ? 2 : 0);
  if (text.empty() || *end != '\0' || value > 0777) return std::nullopt;
  return static_cast<mode_t>(value);
}

Status become(const Options& options) {
  if (options.user.empty()) return {};
  const passwd* user = ::getpwnam(options.user.c_str());
  if (user == nullptr) return make_error("E401", "there is no user " + options.user);
  std::vector<gid_t> groups;
  for (const std::string& name : options.groups) {
    const group* found = ::getgrnam(name.c_str());
    if (found == nullptr) return make_error("E401", "there is no group " + name);
    groups.push_back(found->gr_gid);
  }
  if (groups.empty()) groups.push_back(user->pw_gid);
  if (::setgroups(groups.size(), groups.data()) != 0 || ::setgid(groups.front()) != 0 || ::setuid(user->pw_uid) != 0) return failed("cannot run as " + options.user);
  return {};
}

Status detach() {
  const pid_t child = ::fork();
  if (child < 0) return failed("cannot become a daemon");
  if (child > 0) std::_Exit(0);
  if (::setsid() < 0 || ::chdir("/") != 0) return failed("cannot become a daemon");
  const int nothing = ::open("/dev/null", O_RDWR);
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::dup2(nothing, fd);
  if (nothing > STDERR_FILENO) ::close(nothing);
  return {};
}

}  // namespace

Status enter(const Options& options, Journal& journal, std::int64_t now) {
  if (!options.umask.empty()) {
    if (const auto mask = mask_of(options.umask)) ::umask(*mask);
    else journal.say(3, "--umask=" + options.umask + " is passed over: it is octal, decimal, 0x or 0b", now);
  }
  if (const Status done = become(options); !done.ok()) return done;
  if (options.detach) {
    if (const Status done = detach(); !done.ok()) return done;
  }
  if (options.pid.empty()) return {};
  std::ofstream file(options.pid);
  file << ::getpid() << "\n";
  file.flush();
  if (!file) return make_error("E401", "the pid file " + options.pid + " cannot be written", "its directory must exist, and the user that this runs as must be allowed to write there");
  return {};
}

}  // namespace correlator::sec
