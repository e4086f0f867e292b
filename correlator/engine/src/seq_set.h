// SPDX-License-Identifier: Apache-2.0
// SeqSet: intake numbers. 64 neighbours share a word, so that millions that stand close together need a bit each, and a number that stands
// alone no more than an entry of a SeqTable.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>

#include "seq_table.h"

namespace correlator::engine {

class SeqSet {
 public:
  bool contains(std::uint64_t seq) const {
    const std::uint64_t* word = words_.find(seq >> 6);
    return word != nullptr && (*word & bit(seq)) != 0;
  }
  void insert(std::uint64_t seq) {
    std::uint64_t& word = words_[seq >> 6];
    if ((word & bit(seq)) == 0) ++count_;
    word |= bit(seq);
  }
  // False if it was not there.
  bool erase(std::uint64_t seq) {
    std::uint64_t* word = words_.find(seq >> 6);
    if (word == nullptr || (*word & bit(seq)) == 0) return false;
    *word &= ~bit(seq);
    --count_;
    if (*word == 0) words_.erase(seq >> 6);
    return true;
  }
  // In no order.
  template <class Visit>
  void each(Visit visit) const {
    words_.each([&](std::uint64_t place, std::uint64_t word) {
      for (; word != 0; word &= word - 1) visit(place << 6 | static_cast<std::uint64_t>(std::countr_zero(word)));
    });
  }
  std::size_t size() const { return count_; }
  std::size_t bytes() const { return words_.bytes(); }

 private:
  static std::uint64_t bit(std::uint64_t seq) { return std::uint64_t{1} << (seq & 63); }

  SeqTable<std::uint64_t> words_;  // none of them is 0
  std::size_t count_ = 0;
};

}  // namespace correlator::engine
