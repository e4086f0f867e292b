// SPDX-License-Identifier: Apache-2.0
// BlockReader: a Reader cut into blocks of about 1 MiB that end on a newline, numbered, and read ahead in a
// thread of its own. Where blocks and pieces of over-long lines begin depends on the bytes and the options
// only, never on timing (except with `eager`).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "input/reader.h"

namespace correlator::input {

struct BlockOptions {
  std::size_t block_size = 1 << 20;  // bytes; a block is shorter by the line that did not fit any more
  // A line that is longer than a block makes its block grow up to this. Longer lines come in pieces: cut
  // after each max_line bytes from the line's start, marked in the block, counted. block_size is held to it.
  std::size_t max_line = 16 << 20;
  bool read_ahead = true;  // read and decompress in a thread of its own
  std::size_t queue = 4;   // blocks that may wait to be fetched, with read_ahead
  bool eager = false;      // live input: hand over complete lines as soon as they are there
  // Where to begin: an offset in the decompressed stream at which a line begins, and the number of that line.
  std::uint64_t start_offset = 0;
  std::uint64_t start_line = 1;
  bool start_continues = false;  // start_offset is where an over-long line was cut: the end of a `cut` block
};

namespace detail {
struct Buffer;
struct BufferReturn {
  void operator()(Buffer* buffer) const;
};
using BufferPtr = std::unique_ptr<Buffer, BufferReturn>;
}  // namespace detail

// Owns its bytes: blocks may be kept, moved to other threads and dropped in any order, also after their
// BlockReader is gone; the memory is then used again.
class Block {
 public:
  static constexpr std::size_t kPadding = 64;  // this many readable NUL bytes stand behind `bytes`

  Block();
  ~Block();
  Block(Block&&) noexcept;
  Block& operator=(Block&&) noexcept;

  std::string_view bytes;               // never empty; ends in '\n' unless `cut` or the stream's last
  std::uint64_t offset = 0;             // of the first byte in the decompressed stream
  std::uint64_t first_line = 1;         // number of the line that the first byte belongs to, from 1
  std::uint64_t compressed_offset = 0;  // how much of the file had been read when this block was ready
  bool continues = false;               // begins inside a line whose head is in the block before
  bool cut = false;                     // ends inside a line that is longer than max_line

  std::uint64_t newlines() const;  // how many '\n' bytes holds
  // The number of the line that byte `position` (at most bytes.size()) belongs to. Costs a count over at
  // most 4 KiB: ask for lines that matched, not for all of them.
  std::uint64_t line_of(std::size_t position) const;

 private:
  friend class BlockReader;
  friend class BlockCutter;
  detail::BufferPtr buffer_;
};

class BlockReader {
 public:
  explicit BlockReader(std::unique_ptr<Reader> reader, BlockOptions options = {});
  ~BlockReader();  // stops and joins the thread, also one that waits for a pipe
  BlockReader(const BlockReader&) = delete;
  BlockReader& operator=(const BlockReader&) = delete;

  // The next block; nothing at the end. An error of the Reader comes after every byte read before it, and
  // again on each later call. E206 if the stream ends before start_offset. For one thread at a time.
  Result<std::optional<Block>> next();
  // Whether next() has something to give without waiting; without read_ahead it reads, and never waits for somebody else.
  bool ready() const;

  // For any thread: the reader's name, size, mtime and progress; lines given in pieces so far (one that gave
  // three pieces counts once).
  const Reader& reader() const;
  std::uint64_t cut_lines() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// How many '\n' the text holds, at memory speed.
std::uint64_t count_newlines(std::string_view text);

}  // namespace correlator::input
