// SPDX-License-Identifier: Apache-2.0
// A stretch of whole frames of one stream, kept alive by what points into it, and the memory of the last stretches that
// "last message repeated N times" needs.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "input/blocks.h"
#include "pipeline/matcher.h"
#include "syslog/frame.h"
#include "syslog/parser.h"

namespace correlator::pipeline {

struct Chunk {
  input::Block block;  // holds the bytes, unless they were joined
  std::string joined;
  std::string_view bytes;
  std::uint64_t offset = 0;  // of the first byte in the decompressed stream
  std::uint64_t first_line = 1;
  syslog::FrameState state;
  syslog::BlockTraits traits;

  std::uint64_t line_of(std::size_t position) const;
};

// Blocks in, chunks of whole frames out: what a frame of several lines leaves over goes in front of the next block.
class Chunker {
 public:
  // The chunk that a block completes; its bytes may be empty.
  std::shared_ptr<Chunk> add(input::Block block);
  // The end of the stream: what was left over, or nullptr.
  std::shared_ptr<Chunk> end();

 private:
  void cut(Chunk& chunk, bool at_eof);

  syslog::FrameState state_;
  std::shared_ptr<Chunk> left_over_;
};

// "last message repeated" looks back this far, in bytes of the stream, for the line before of its host.
inline constexpr std::uint64_t kLookBack = 256 * 1024;

class LookBack {
 public:
  void add(std::shared_ptr<const Chunk> chunk);
  void clear() { recent_.clear(); }

  struct Found {
    std::string_view frame;
    std::shared_ptr<const Chunk> chunk;
    std::vector<std::uint32_t> patterns;  // candidates; empty if the line means nothing or was not found
  };
  // The line before stream offset `here` of the same host, as long as it lies within kLookBack. What it gives depends
  // on the bytes of the stream only.
  Found before(std::uint64_t here, std::string_view host, const Matcher& matcher, Matcher::Scratch& scratch) const;

 private:
  std::deque<std::shared_ptr<const Chunk>> recent_;
};

}  // namespace correlator::pipeline
