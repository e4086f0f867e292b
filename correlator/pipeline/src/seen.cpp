// SPDX-License-Identifier: Apache-2.0
#include "pipeline/seen.h"

#include <bit>
#include <random>

#include "base/hash.h"

namespace correlator::pipeline {

SeenLines::SeenLines(std::size_t most) : slots_(std::bit_ceil(most * 2)), ring_(most) {
  std::random_device random;
  key_ = std::uint64_t{random()} << 32 | random();
}

std::uint64_t SeenLines::hash(std::string_view id) const {
  const std::uint64_t value = hash64(id, key_);
  return value == 0 ? 1 : value;
}

std::size_t SeenLines::slot_of(std::uint64_t hash) const {
  const std::size_t mask = slots_.size() - 1;
  std::size_t slot = hash & mask;
  while (slots_[slot] != 0 && slots_[slot] != hash) slot = (slot + 1) & mask;
  return slot;
}

bool SeenLines::contains(std::string_view id) const { return slots_[slot_of(hash(id))] != 0; }

void SeenLines::add(std::string_view id) {
  const std::uint64_t value = hash(id);
  if (slots_[slot_of(value)] != 0) return;
  if (count_ == ring_.size()) {
    erase(ring_[next_]);
  } else {
    ++count_;
  }
  slots_[slot_of(value)] = value;
  ring_[next_] = value;
  next_ = next_ + 1 == ring_.size() ? 0 : next_ + 1;
}

// Closes the gap, so that no search ends at it too early.
void SeenLines::erase(std::uint64_t value) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t gap = slot_of(value);
  for (std::size_t at = (gap + 1) & mask; slots_[at] != 0; at = (at + 1) & mask) {
    const std::size_t home = slots_[at] & mask;
    const bool may_move = ((at - home) & mask) >= ((at - gap) & mask);
    if (!may_move) continue;
    slots_[gap] = slots_[at];
    gap = at;
  }
  slots_[gap] = 0;
}

}  // namespace correlator::pipeline
