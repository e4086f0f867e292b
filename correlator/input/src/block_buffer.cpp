// SPDX-License-Identifier: Apache-2.0
#include "block_buffer.h"

#include <cstring>
#include <utility>

namespace correlator::input {

namespace detail {
void BufferReturn::operator()(Buffer* buffer) const {
  std::unique_ptr<Buffer> owned(buffer);
  if (const std::shared_ptr<BufferPool> pool = std::move(owned->pool)) pool->give(std::move(owned));
}
}  // namespace detail

detail::BufferPtr BufferPool::take() {
  std::unique_ptr<detail::Buffer> buffer;
  {
    const std::lock_guard lock(mutex_);
    if (!idle_.empty()) {
      buffer = std::move(idle_.back());
      idle_.pop_back();
    }
  }
  if (!buffer) {
    buffer = std::make_unique<detail::Buffer>();
    grow(*buffer, capacity_, 0);
  }
  buffer->pool = shared_from_this();
  return detail::BufferPtr(buffer.release());
}

void BufferPool::give(std::unique_ptr<detail::Buffer> buffer) {
  const std::lock_guard lock(mutex_);
  if (buffer->capacity == capacity_ && idle_.size() < most_) idle_.push_back(std::move(buffer));
}

void grow(detail::Buffer& buffer, std::size_t capacity, std::size_t used) {
  if (capacity <= buffer.capacity) return;
  auto data = std::make_unique_for_overwrite<char[]>(capacity + Block::kPadding);
  if (used != 0) std::memcpy(data.get(), buffer.data.get(), used);
  buffer.data = std::move(data);
  buffer.capacity = capacity;
}

std::uint64_t set_marks(detail::Buffer& buffer, std::string_view bytes) {
  buffer.marks.clear();
  std::uint64_t total = 0;  // fits 32 bits: a block is held to max_line, see BlockCutter
  for (std::size_t at = 0; at < bytes.size(); at += kMarkStep) {
    buffer.marks.push_back(static_cast<std::uint32_t>(total));
    total += count_newlines(bytes.substr(at, kMarkStep));
  }
  buffer.marks.push_back(static_cast<std::uint32_t>(total));
  return total;
}

}  // namespace correlator::input
