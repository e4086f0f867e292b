// SPDX-License-Identifier: Apache-2.0
#include "directory_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace correlator::store {

namespace fs = std::filesystem;

DirectoryLock::~DirectoryLock() {
  if (fd_ >= 0) ::close(fd_);
}

Result<DirectoryLock> DirectoryLock::take(const fs::path& dir, bool wait, const char* name) {
  const fs::path file = dir / name;
  DirectoryLock lock;
  lock.fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
  if (lock.fd_ < 0) {
    return make_error("E301", fmt::format("cannot write in {}: {}", dir.string(), std::strerror(errno)),
                      "give the directory to the user that runs correlator, or name another with --state");
  }
  if (::flock(lock.fd_, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
    std::array<char, 32> holder{};
    const ssize_t n = ::pread(lock.fd_, holder.data(), holder.size() - 1, 0);
    const std::string pid = n > 0 ? fmt::format(" (process {})", std::string_view(holder.data(), static_cast<std::size_t>(n))) : "";
    return make_error("E302", fmt::format("another correlator{} uses {}", pid, dir.string()),
                      "stop it first, or give this one a state directory of its own with --state");
  }
  const std::string pid = std::to_string(::getpid());
  if (::ftruncate(lock.fd_, 0) != 0 || ::pwrite(lock.fd_, pid.data(), pid.size(), 0) < 0) {
    // The lock is held all the same; only its description is missing.
  }
  return lock;
}

}  // namespace correlator::store
