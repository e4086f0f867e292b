// SPDX-License-Identifier: Apache-2.0
// SeqTable: values by intake number. Millions of them are alive at once and neighbours are asked for together, so 16
// neighbouring numbers share a place in the table and the entries stand in it themselves.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace correlator::engine {

template <class Value>
class SeqTable {
 public:
  Value* find(std::uint64_t seq) {
    if (slots_.empty()) return nullptr;
    Slot& slot = slots_[place_of(seq)];
    return slot.seq != kFree ? &slot.value : nullptr;
  }
  const Value* find(std::uint64_t seq) const { return const_cast<SeqTable*>(this)->find(seq); }

  // Made if it is not there. Moves the others: their addresses end.
  Value& operator[](std::uint64_t seq) {
    if ((count_ + 1) * 4 > slots_.size() * 3) grow();
    Slot& slot = slots_[place_of(seq)];
    if (slot.seq == kFree) {
      slot.seq = std::min(seq, kFree - 1);
      ++count_;
    }
    return slot.value;
  }

  void erase(std::uint64_t seq) {
    if (slots_.empty()) return;
    std::size_t hole = place_of(seq);
    if (slots_[hole].seq == kFree) return;
    slots_[hole] = {};
    --count_;
    // Whoever probed past the hole moves into it.
    for (std::size_t at = next(hole); slots_[at].seq != kFree; at = next(at)) {
      const std::size_t home = home_of(slots_[at].seq);
      if (((at - home) & mask()) >= ((at - hole) & mask())) {
        slots_[hole] = std::exchange(slots_[at], {});
        hole = at;
      }
    }
  }

  // In no order.
  template <class Visit>
  void each(Visit visit) {
    for (Slot& slot : slots_) {
      if (slot.seq != kFree) visit(slot.seq, slot.value);
    }
  }
  template <class Visit>
  void each(Visit visit) const {
    for (const Slot& slot : slots_) {
      if (slot.seq != kFree) visit(slot.seq, slot.value);
    }
  }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return slots_.capacity() * sizeof(Slot); }

 private:
  // No intake has so many records. A damaged row may name that number; it is taken for the one before.
  static constexpr std::uint64_t kFree = UINT64_MAX;
  struct Slot {
    std::uint64_t seq = kFree;
    Value value{};
  };

  std::size_t mask() const { return slots_.size() - 1; }
  std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
  std::size_t home_of(std::uint64_t seq) const {
    constexpr std::uint64_t kGolden = 0x9E3779B97F4A7C15;
    const std::uint64_t mixed = (seq >> 4) * kGolden;
    return static_cast<std::size_t>((mixed ^ mixed >> 32) << 4 | (seq & 15)) & mask();
  }
  // Where it is, or the free slot where it would be.
  std::size_t place_of(std::uint64_t seq) const {
    seq = std::min(seq, kFree - 1);
    std::size_t at = home_of(seq);
    while (slots_[at].seq != kFree && slots_[at].seq != seq) at = next(at);
    return at;
  }
  void grow() {
    std::vector<Slot> old(slots_.empty() ? 32 : slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old) {
      if (slot.seq != kFree) slots_[place_of(slot.seq)] = std::move(slot);
    }
  }

  std::vector<Slot> slots_;  // open addressing, linear probing; a power of two
  std::size_t count_ = 0;
};

}  // namespace correlator::engine
