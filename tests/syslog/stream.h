// SPDX-License-Identifier: Apache-2.0
// Random log streams with everything in them that makes framing and dating hard.
#pragma once

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "syslog/frame.h"

namespace correlator::syslog::testing {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(engine_() % n); }
  bool one_in(std::size_t n) { return below(n) == 0; }
  template <std::size_t N>
  std::string of(const char* const (&choices)[N]) {
    return choices[below(N)];
  }

 private:
  std::mt19937_64 engine_;
};

struct OwnedFrame {
  std::uint64_t offset;
  std::string bytes;
  bool truncated;
  bool operator==(const OwnedFrame&) const = default;
};

// Called for each block as a reader would cut it: bytes, offset in the stream, state at its beginning,
// at_eof.
template <class Visit>
void for_each_block(const std::string& stream, Random* random, std::size_t typical, Visit visit) {
  FrameState state;
  std::size_t at = 0, size = 0;
  while (at < stream.size()) {
    size += random == nullptr ? typical : 1 + random->below(typical);
    const std::string_view block = std::string_view(stream).substr(at, size);
    const bool eof = at + block.size() == stream.size();
    BlockFrames walk(block, state, eof);
    Frame frame;
    while (walk.next(frame)) {
    }
    const std::size_t consumed = walk.consumed();
    if (consumed == 0 && !eof) continue;  // the block must grow
    visit(block, at, state, eof, consumed);
    state = walk.state();
    at += consumed;
    size = 0;
    if (consumed == 0) break;
  }
}

std::string random_stream(Random& random, std::size_t pieces);

}  // namespace correlator::syslog::testing
