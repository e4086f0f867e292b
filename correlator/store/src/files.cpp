// SPDX-License-Identifier: Apache-2.0
#include "store/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace correlator::store {
namespace {

class SystemFile final : public File {
 public:
  explicit SystemFile(int fd) : fd_(fd) {}
  ~SystemFile() override { ::close(fd_); }
  SystemFile(const SystemFile&) = delete;
  SystemFile& operator=(const SystemFile&) = delete;

  std::uint64_t size() override {
    struct stat info {};
    return ::fstat(fd_, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
  }

  int read(char* to, std::size_t size, std::uint64_t at) override {
    while (size > 0) {
      const ssize_t n = ::pread(fd_, to, size, static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return n < 0 ? errno : EIO;
      to += n;
      size -= static_cast<std::size_t>(n);
      at += static_cast<std::uint64_t>(n);
    }
    return 0;
  }

  int write(std::string_view bytes, std::uint64_t at) override {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(at));
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return n < 0 ? errno : EIO;
      bytes.remove_prefix(static_cast<std::size_t>(n));
      at += static_cast<std::uint64_t>(n);
    }
    return 0;
  }

  int allocate(std::uint64_t bytes) override { return ::posix_fallocate(fd_, 0, static_cast<off_t>(bytes)); }
  int sync() override { return ::fdatasync(fd_) == 0 ? 0 : errno; }

 private:
  int fd_;
};

class SystemFiles final : public Files {
 public:
  int open(const std::filesystem::path& path, std::unique_ptr<File>& out) override {
    const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (fd < 0) return errno;
    out = std::make_unique<SystemFile>(fd);
    return 0;
  }
  int sync(const std::filesystem::path& path) override { return sync_opened(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW, ::fdatasync); }
  int sync_directory(const std::filesystem::path& dir) override {
    return sync_opened(dir, O_RDONLY | O_CLOEXEC | O_DIRECTORY, ::fsync);
  }

 private:
  static int sync_opened(const std::filesystem::path& path, int flags, int (*sync)(int)) {
    const int fd = ::open(path.c_str(), flags);
    if (fd < 0) return errno == ENOENT ? 0 : errno;
    const int error = sync(fd) == 0 ? 0 : errno;
    ::close(fd);
    return error;
  }
};

}  // namespace

Files& system_files() {
  static SystemFiles files;
  return files;
}

}  // namespace correlator::store
