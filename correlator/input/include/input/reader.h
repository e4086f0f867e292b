// SPDX-License-Identifier: Apache-2.0
// Reader: the bytes of one log, decompressed. Plain text, gzip, zstd, xz and bzip2 are told apart by the
// first bytes of the stream, never by the name; stdin, pipes and files share one path.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "time/timestamp.h"

namespace correlator::input {

enum class Compression { none, gzip, zstd, xz, bzip2 };
std::string_view to_string(Compression compression);  // "plain", "gzip", "zstd", "xz", "bzip2"

// One thread reads at a time; cancel() and compressed_offset() may be called from any other.
class Reader {
 public:
  virtual ~Reader() = default;
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;

  // Fills the front of `out` (not empty) and returns how many bytes: 1..out.size(), 0 at the end. A damaged
  // stream gives every byte it held first and its error (E202 truncated, E203 damaged, E204 foreign bytes
  // behind the last member, E205 the system's read failed) from then on, again on each call.
  virtual Result<std::size_t> read(std::span<char> out) = 0;

  // Moves `bytes` ahead in the decompressed stream and returns how far it came: less only where the stream
  // ended. Plain files seek, everything else is decompressed and dropped.
  virtual Result<std::uint64_t> skip(std::uint64_t bytes);

  // Makes a read that waits for a pipe, now or later, return an error (E205). Plain files never wait.
  virtual void cancel() {}

  virtual Compression compression() const = 0;
  const std::string& name() const { return name_; }  // the path as it was given; "stdin" for "-"

  // Progress: bytes of the file behind us, and its size where it has one (a pipe has none).
  std::uint64_t compressed_offset() const { return offset_.load(std::memory_order_relaxed); }
  std::optional<std::uint64_t> compressed_size() const { return size_; }
  // The last modification of the file, from which a year-less log gets its year; nothing for a pipe. (The
  // time inside a gzip header is not used: it is often 0, and that of a copy says nothing.)
  std::optional<Timestamp> mtime() const { return mtime_; }

 protected:
  Reader(std::string name, std::optional<std::uint64_t> size, std::optional<Timestamp> mtime)
      : name_(std::move(name)), size_(size), mtime_(mtime) {}
  void set_compressed_offset(std::uint64_t offset) { offset_.store(offset, std::memory_order_relaxed); }

 private:
  std::string name_;
  std::optional<std::uint64_t> size_;
  std::optional<Timestamp> mtime_;
  std::atomic<std::uint64_t> offset_{0};
};

// Opens a file, a pipe or a device; "-" is stdin. Waits on a pipe only until its first bytes tell what it is:
// one byte is enough for text. E201 if it cannot be opened, E205 if it cannot be read.
Result<std::unique_ptr<Reader>> open_reader(const std::filesystem::path& path);

// The same over bytes in memory, given out at most `piece` at a time: for tests and for what came by another
// way than a file. `bytes` may be compressed.
std::unique_ptr<Reader> memory_reader(std::string name, std::string bytes, std::size_t piece = 1 << 18);

// Which library inflates .gz in this build: "isa-l" or "zlib". Both give the same bytes of a whole file; of
// one that is cut off ISA-L gives up to a few bytes less at the very end, where symbols share a table entry.
std::string_view gzip_library();

}  // namespace correlator::input
