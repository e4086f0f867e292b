// SPDX-License-Identifier: Apache-2.0
// The files of ours that are not SQLite's (the spool), as an interface: pread, pwrite, fdatasync in the product; in a
// simulation a disk that fails, fills up and forgets at a power cut what was not synced. Errors are numbers as in errno, 0: none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>

namespace correlator::store {

class File {
 public:
  virtual ~File() = default;

  virtual std::uint64_t size() = 0;
  // All of it or an error; EIO beyond the end.
  virtual int read(char* to, std::size_t size, std::uint64_t at) = 0;
  virtual int write(std::string_view bytes, std::uint64_t at) = 0;
  // Makes the file this long and its blocks its own, so that no write inside can meet a full disk.
  virtual int allocate(std::uint64_t bytes) = 0;
  // What was written, and the size, survive a power cut afterwards; the file's name does with its directory.
  virtual int sync() = 0;
};

class Files {
 public:
  virtual ~Files() = default;

  // Opened for reading and writing, created where it is missing (mode 0640, links are not followed).
  virtual int open(const std::filesystem::path& path, std::unique_ptr<File>& out) = 0;
  // Syncs a file by its name, whoever writes it; one that is not there is none.
  virtual int sync(const std::filesystem::path& path) = 0;
  // The names in a directory survive a power cut afterwards.
  virtual int sync_directory(const std::filesystem::path& dir) = 0;
};

// The real ones. Have no state.
Files& system_files();

}  // namespace correlator::store
