// SPDX-License-Identifier: Apache-2.0
// Buffers of blocks, used again and again: a fresh MiB from the system costs more page faults than reading
// it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string_view>
#include <vector>

#include "input/blocks.h"

namespace correlator::input {

class BufferPool;

namespace detail {
struct Buffer {
  std::unique_ptr<char[]> data;
  std::size_t capacity = 0;          // without the padding
  std::vector<std::uint32_t> marks;  // newlines before each 4 KiB of the block, and their total
  std::shared_ptr<BufferPool> pool;  // where it goes when its block is dropped
};
}  // namespace detail

class BufferPool : public std::enable_shared_from_this<BufferPool> {
 public:
  // Keeps up to `most` idle buffers of `capacity`; those that grew for a long line go back to the system.
  BufferPool(std::size_t capacity, std::size_t most) : capacity_(capacity), most_(most) {}

  detail::BufferPtr take();
  void give(std::unique_ptr<detail::Buffer> buffer);

 private:
  const std::size_t capacity_;
  const std::size_t most_;
  std::mutex mutex_;
  std::vector<std::unique_ptr<detail::Buffer>> idle_;
};

// Makes room for `capacity` bytes and keeps the first `used`.
void grow(detail::Buffer& buffer, std::size_t capacity, std::size_t used);

inline constexpr std::size_t kMarkStep = 4096;
// Fills the marks for the block's bytes; returns all newlines.
std::uint64_t set_marks(detail::Buffer& buffer, std::string_view bytes);

}  // namespace correlator::input
