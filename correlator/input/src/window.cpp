// SPDX-License-Identifier: Apache-2.0
#include "input/window.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "input/blocks.h"

namespace correlator::input {

Result<FileWindow> FileWindow::open(const std::filesystem::path& path) {
  const auto failed = [&](const char* code, std::string message) {
    Diagnostic diagnostic = make_error(code, std::move(message), "check that the file can be read with `head -c 1`");
    diagnostic.place.file = path.string();
    return diagnostic;
  };
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0) return failed("E201", "cannot be opened: " + std::generic_category().message(errno));
  struct stat info {};
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return failed("E209", "is not a regular file");
  }
  // Looked at here and there: what lies between is not to be read ahead.
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
  return FileWindow(fd, static_cast<std::uint64_t>(info.st_size));
}

FileWindow::~FileWindow() {
  if (fd_ >= 0) ::close(fd_);
}

FileWindow::FileWindow(FileWindow&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), size_(other.size_), bytes_(std::move(other.bytes_)) {}

std::string_view FileWindow::at(std::uint64_t from, std::size_t size) {
  if (bytes_.size() < size) bytes_.resize(size);
  std::size_t have = 0;
  while (have < size) {
    const ssize_t got = ::pread(fd_, bytes_.data() + have, size - have, static_cast<off_t>(from + have));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    have += static_cast<std::size_t>(got);
  }
  return {bytes_.data(), have};
}

std::uint64_t count_lines(FileWindow& file, std::uint64_t bytes) {
  constexpr std::uint64_t kPiece = std::uint64_t{256} << 10;
  std::uint64_t lines = 0;
  for (std::uint64_t at = 0; at < bytes;) {
    const std::string_view piece = file.at(at, static_cast<std::size_t>(std::min(kPiece, bytes - at)));
    if (piece.empty()) break;
    lines += count_newlines(piece);
    at += piece.size();
  }
  return lines;
}

}  // namespace correlator::input
