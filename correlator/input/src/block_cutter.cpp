// SPDX-License-Identifier: Apache-2.0
#include "block_cutter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

namespace correlator::input {
namespace {

constexpr std::size_t kMostLine = std::size_t{1} << 30;  // newlines of a block are counted in 32 bits

BlockOptions usable(BlockOptions options) {
  options.max_line = std::clamp<std::size_t>(options.max_line, 1, kMostLine);
  // Blocks above max_line would hold lines whole that smaller blocks cut: results would depend on the size.
  options.block_size = std::clamp<std::size_t>(options.block_size, 1, options.max_line);
  options.queue = std::max<std::size_t>(options.queue, 1);
  return options;
}

}  // namespace

BlockCutter::BlockCutter(std::unique_ptr<Reader> reader, const BlockOptions& options)
    : reader_(std::move(reader)),
      options_(usable(options)),
      pool_(std::make_shared<BufferPool>(options_.block_size, options_.queue + 2)),
      offset_(options_.start_offset),
      line_(options_.start_line),
      continues_(options_.start_continues) {}

Result<std::optional<Block>> BlockCutter::next() {
  if (!started_) seek();
  if (!buffer_ && !ended_) buffer_ = pool_->take();
  const std::size_t keep = gather();
  if (keep == 0) {
    if (error_) return *error_;
    return std::optional<Block>();
  }
  // Only a line that has outgrown max_line leaves bytes behind without a newline before them.
  const bool cut = keep < size_ && buffer_->data[keep - 1] != '\n';
  return std::optional<Block>(hand_over(keep, cut));
}

void BlockCutter::seek() {
  started_ = true;
  if (options_.start_offset == 0) return;
  const Result<std::uint64_t> reached = reader_->skip(options_.start_offset);
  if (!reached) {
    error_ = reached.error();
  } else if (*reached < options_.start_offset) {
    error_ = make_error(
        "E206", fmt::format("holds {} bytes, but {} were read before", *reached, options_.start_offset),
        "it was truncated or replaced; use another state directory to read it from its start");
    error_->place.file = reader_->name();
  }
  ended_ = error_.has_value();
}

// How many bytes the next block takes: up to the last newline read, all at the end, max_line of an over-long
// line, 0 if there is nothing any more.
std::size_t BlockCutter::gather() {
  std::size_t target = options_.block_size;
  std::size_t searched = 0;
  while (true) {
    const bool more = fill(target);
    if (size_ > searched) {
      const char* begin = buffer_->data.get();
      const void* newline = ::memrchr(begin + searched, '\n', size_ - searched);
      // At the end of the stream an unfinished last line goes with the others.
      if (newline != nullptr && (more || size_ > options_.max_line)) {
        return static_cast<std::size_t>(static_cast<const char*>(newline) - begin) + 1;
      }
      if (newline != nullptr) return size_;
    }
    searched = size_;
    if (size_ > options_.max_line) return options_.max_line;
    if (!more) return size_;
    // One byte above the bound tells a line of just that length from one that goes on.
    if (size_ >= target) target = std::min(target * 2, options_.max_line + 1);
  }
}

// Reads until the buffer holds `target` bytes; false once the stream has ended. Eager: as soon as there is a
// whole line, or anything at all to look at.
bool BlockCutter::fill(std::size_t target) {
  if (ended_) return false;
  grow(*buffer_, target, size_);
  while (size_ < target) {
    Result<std::size_t> got = reader_->read({buffer_->data.get() + size_, target - size_});
    if (!got) error_ = std::move(got).error();
    ended_ = error_.has_value() || *got == 0;
    if (ended_) return false;
    size_ += *got;
    if (options_.eager) return true;
  }
  return true;
}

Block BlockCutter::hand_over(std::size_t keep, bool cut) {
  Block block;
  block.offset = offset_;
  block.first_line = line_;
  block.compressed_offset = reader_->compressed_offset();
  block.continues = continues_;
  block.cut = cut;

  detail::BufferPtr rest;
  if (keep < size_ || !ended_) {
    rest = pool_->take();
    grow(*rest, size_ - keep, 0);
    std::memcpy(rest->data.get(), buffer_->data.get() + keep, size_ - keep);
  }
  std::memset(buffer_->data.get() + keep, 0, Block::kPadding);
  block.bytes = {buffer_->data.get(), keep};
  offset_ += keep;
  line_ += set_marks(*buffer_, block.bytes);
  block.buffer_ = std::move(buffer_);
  buffer_ = std::move(rest);
  size_ -= keep;
  if (cut && !continues_) cut_lines_.fetch_add(1, std::memory_order_relaxed);
  continues_ = cut;
  return block;
}

}  // namespace correlator::input
