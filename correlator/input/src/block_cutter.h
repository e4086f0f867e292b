// SPDX-License-Identifier: Apache-2.0
// BlockCutter: the part of BlockReader that has no thread. Reads, cuts at newlines, numbers.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>

#include "block_buffer.h"
#include "input/blocks.h"

namespace correlator::input {

class BlockCutter {
 public:
  BlockCutter(std::unique_ptr<Reader> reader, const BlockOptions& options);

  Result<std::optional<Block>> next();

  Reader& reader() { return *reader_; }
  std::uint64_t cut_lines() const { return cut_lines_.load(std::memory_order_relaxed); }

 private:
  void seek();
  bool fill(std::size_t target);
  std::size_t gather();
  Block hand_over(std::size_t keep, bool cut);

  std::unique_ptr<Reader> reader_;
  BlockOptions options_;
  std::shared_ptr<BufferPool> pool_;
  detail::BufferPtr buffer_;  // begins with what the last block left over
  std::size_t size_ = 0;      // bytes in it
  std::uint64_t offset_;      // of its first byte in the stream
  std::uint64_t line_;        // number of the line that this byte belongs to
  bool continues_ = false;    // it stands inside a line that was cut
  bool started_ = false;
  bool ended_ = false;
  std::optional<Diagnostic> error_;
  std::atomic<std::uint64_t> cut_lines_{0};
};

}  // namespace correlator::input
