// SPDX-License-Identifier: Apache-2.0
// FileWindow: any part of a plain file, without what is before it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace correlator::input {

class FileWindow {
 public:
  // E201 if it cannot be opened, E209 if it is no regular file.
  static Result<FileWindow> open(const std::filesystem::path& path);
  ~FileWindow();
  FileWindow(FileWindow&& other) noexcept;
  FileWindow& operator=(FileWindow&&) = delete;

  // Bytes [from, from + size), fewer at the end of the file, or where it cannot be read. They stay until the next call.
  std::string_view at(std::uint64_t from, std::size_t size);
  std::uint64_t size() const { return size_; }  // when it was opened

 private:
  FileWindow(int fd, std::uint64_t size) : fd_(fd), size_(size) {}

  int fd_ = -1;
  std::uint64_t size_ = 0;
  std::vector<char> bytes_;
};

// How many lines the first `bytes` bytes of a plain file end.
std::uint64_t count_lines(FileWindow& file, std::uint64_t bytes);

}  // namespace correlator::input
