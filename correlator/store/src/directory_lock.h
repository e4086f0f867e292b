// SPDX-License-Identifier: Apache-2.0
// The state directory's lock: held for the life of a writer, released by the kernel when it dies.
#pragma once

#include <filesystem>
#include <utility>

#include "base/result.h"

namespace correlator::store {

class DirectoryLock {
 public:
  DirectoryLock() = default;
  ~DirectoryLock();
  DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  // E301 if the directory cannot be written, E302 if another process has the lock and `wait` is false.
  static Result<DirectoryLock> take(const std::filesystem::path& dir, bool wait, const char* name = "lock");

 private:
  int fd_ = -1;
};

}  // namespace correlator::store
