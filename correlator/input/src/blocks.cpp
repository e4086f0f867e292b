// SPDX-License-Identifier: Apache-2.0
#include "input/blocks.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include "block_buffer.h"
#include "block_cutter.h"

namespace correlator::input {

Block::Block() = default;
Block::~Block() = default;
Block::Block(Block&&) noexcept = default;
Block& Block::operator=(Block&&) noexcept = default;

std::uint64_t Block::newlines() const {
  return buffer_ ? buffer_->marks.back() : 0;
}

std::uint64_t Block::line_of(std::size_t position) const {
  if (!buffer_) return first_line;
  const std::size_t mark = position / kMarkStep;
  const std::size_t from = mark * kMarkStep;
  return first_line + buffer_->marks[mark] + count_newlines(bytes.substr(from, position - from));
}

class BlockReader::Impl {
 public:
  Impl(std::unique_ptr<Reader> reader, const BlockOptions& options)
      : cutter_(std::move(reader), options), room_(std::max<std::size_t>(options.queue, 1)) {
    if (options.read_ahead) thread_ = std::thread([this] { pump(); });
  }

  ~Impl() {
    if (!thread_.joinable()) return;
    {
      const std::lock_guard lock(mutex_);
      stop_ = true;
    }
    changed_.notify_all();
    cutter_.reader().cancel();
    thread_.join();
  }

  Result<std::optional<Block>> next() {
    if (!thread_.joinable()) return cutter_.next();
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return !queue_.empty(); });
    if (last(queue_.front())) return last_again();
    Result<std::optional<Block>> item = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    changed_.notify_all();
    return item;
  }

  bool ready() {
    if (!thread_.joinable()) return true;
    const std::lock_guard lock(mutex_);
    return !queue_.empty();
  }

  const Reader& reader() { return cutter_.reader(); }
  std::uint64_t cut_lines() const { return cutter_.cut_lines(); }

 private:
  static bool last(const Result<std::optional<Block>>& item) { return !item || !item->has_value(); }

  // The end and an error stay in the queue, so that each further call finds them.
  Result<std::optional<Block>> last_again() const {
    if (!queue_.front()) return queue_.front().error();
    return std::optional<Block>();
  }

  void pump() {
    while (true) {
      Result<std::optional<Block>> item = cutter_.next();
      const bool end = last(item);
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stop_ || queue_.size() < room_; });
      if (stop_) return;
      queue_.push_back(std::move(item));
      lock.unlock();
      changed_.notify_all();
      if (end) return;
    }
  }

  BlockCutter cutter_;  // belongs to the thread, if there is one
  const std::size_t room_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Result<std::optional<Block>>> queue_;
  bool stop_ = false;
  std::thread thread_;
};

BlockReader::BlockReader(std::unique_ptr<Reader> reader, BlockOptions options)
    : impl_(std::make_unique<Impl>(std::move(reader), options)) {}
BlockReader::~BlockReader() = default;

Result<std::optional<Block>> BlockReader::next() {
  return impl_->next();
}
bool BlockReader::ready() const {
  return impl_->ready();
}
const Reader& BlockReader::reader() const {
  return impl_->reader();
}
std::uint64_t BlockReader::cut_lines() const {
  return impl_->cut_lines();
}

}  // namespace correlator::input
