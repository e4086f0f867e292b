// SPDX-License-Identifier: Apache-2.0
#include "byte_source.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace correlator::input {
namespace {

std::string system_text(int number) {
  return std::generic_category().message(number);
}

Diagnostic error_at(const std::string& file, const char* code, std::string message, std::string hint) {
  Diagnostic diagnostic = make_error(code, std::move(message), std::move(hint));
  diagnostic.place.file = file;
  return diagnostic;
}

const char* hint_for_open(int number) {
  switch (number) {
    case ENOENT:
      return "check the path; a pattern with * must be expanded by the shell";
    case EACCES:
      return "logs are often readable by root or the group adm only: add this user to that group";
    case EMFILE:
      return "too many files are open: raise the limit with `ulimit -n`";
    default:
      return "check that the file can be read with `head -c 1`";
  }
}

class FileSource final : public ByteSource {
 public:
  FileSource(int fd, bool owned) : fd_(fd), owned_(owned) {}
  ~FileSource() override {
    if (owned_) ::close(fd_);
    if (wake_ >= 0) ::close(wake_);
  }

  // Takes size and time from the file; E209 for what cannot be read as a stream.
  Status inspect() {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) {
      return error_at(name, "E205", "cannot be read: " + system_text(errno), "check the disk or the mount");
    }
    if (S_ISDIR(info.st_mode)) {
      return error_at(name, "E209", "is a directory, not a log", "name the files in it");
    }
    regular_ = S_ISREG(info.st_mode);
    if (regular_) {
      size = static_cast<std::uint64_t>(info.st_size);
      mtime = Timestamp{std::int64_t{info.st_mtim.tv_sec} * 1'000'000 + info.st_mtim.tv_nsec / 1000};
      ::posix_fadvise(fd_, 0, 0, POSIX_FADV_SEQUENTIAL);
    } else {
      wake_ = ::eventfd(0, EFD_CLOEXEC);
    }
    return {};
  }

  Result<std::size_t> read(std::span<char> out) override {
    while (true) {
      if (!regular_ && !wait()) {
        return error_at(name, "E205", "reading was cancelled", "start it again to read the rest");
      }
      const ssize_t got = ::read(fd_, out.data(), out.size());
      if (got >= 0) return static_cast<std::size_t>(got);
      if (errno == EINTR || (errno == EAGAIN && !regular_)) continue;
      return error_at(name, "E205", "cannot be read any further: " + system_text(errno),
                      "check the disk or the mount; what was read before was used");
    }
  }

  std::uint64_t skip(std::uint64_t bytes) override {
    if (!regular_) return 0;
    const off_t now = ::lseek(fd_, 0, SEEK_CUR);
    struct stat info {};
    if (now < 0 || ::fstat(fd_, &info) != 0 || info.st_size <= now) return 0;
    const std::uint64_t step = std::min(bytes, static_cast<std::uint64_t>(info.st_size - now));
    return ::lseek(fd_, static_cast<off_t>(step), SEEK_CUR) < 0 ? 0 : step;
  }

  void cancel() override {
    const std::uint64_t one = 1;
    if (wake_ >= 0) [[maybe_unused]]
      const ssize_t written = ::write(wake_, &one, sizeof one);
  }

 private:
  // False once cancelled. A pipe whose writer is gone is ready too: read() then says the end.
  bool wait() const {
    pollfd both[2] = {{fd_, POLLIN, 0}, {wake_, POLLIN, 0}};
    while (::poll(both, 2, -1) < 0 && errno == EINTR) {
    }
    return (both[1].revents & POLLIN) == 0;
  }

  int fd_;
  bool owned_;
  bool regular_ = false;
  int wake_ = -1;
};

class MemorySource final : public ByteSource {
 public:
  MemorySource(std::string bytes, std::size_t piece) : bytes_(std::move(bytes)), piece_(piece) {
    size = bytes_.size();
  }

  Result<std::size_t> read(std::span<char> out) override {
    const std::size_t n = std::min({out.size(), bytes_.size() - at_, piece_});
    std::memcpy(out.data(), bytes_.data() + at_, n);
    at_ += n;
    return n;
  }

  std::uint64_t skip(std::uint64_t bytes) override {
    const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(bytes, bytes_.size() - at_));
    at_ += n;
    return n;
  }

 private:
  std::string bytes_;
  std::size_t piece_;
  std::size_t at_ = 0;
};

}  // namespace

Result<std::unique_ptr<ByteSource>> open_file_source(const std::filesystem::path& path) {
  const bool is_stdin = path == "-";
  const std::string name = is_stdin ? "stdin" : path.string();
  const int fd = is_stdin ? STDIN_FILENO : ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY);
  if (fd < 0) {
    const int number = errno;
    return error_at(name, "E201", "cannot be opened: " + system_text(number), hint_for_open(number));
  }
  auto source = std::make_unique<FileSource>(fd, !is_stdin);
  source->name = name;
  if (Status status = source->inspect(); !status) return status.error();
  return std::unique_ptr<ByteSource>(std::move(source));
}

std::unique_ptr<ByteSource> open_memory_source(std::string name, std::string bytes, std::size_t piece) {
  auto source = std::make_unique<MemorySource>(std::move(bytes), std::max<std::size_t>(piece, 1));
  source->name = std::move(name);
  return source;
}

}  // namespace correlator::input
