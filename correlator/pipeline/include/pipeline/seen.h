// SPDX-License-Identifier: Apache-2.0
// SeenLines: the identities of the last lines that were recorded, so that one that comes again is answered and not counted.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace correlator::pipeline {

class SeenLines {
 public:
  // Remembers the last `most` ids, as 64-bit hashes with a key of this process: 24 bytes each. Two of a million different
  // ids meet with a probability of 3e-8.
  explicit SeenLines(std::size_t most = 1'000'000);

  bool contains(std::string_view id) const;
  // An id that is known already stays where it is.
  void add(std::string_view id);
  std::size_t size() const { return count_; }

 private:
  std::uint64_t hash(std::string_view id) const;
  std::size_t slot_of(std::uint64_t hash) const;  // where it is, or the free slot where it would be
  void erase(std::uint64_t hash);

  std::uint64_t key_;
  std::vector<std::uint64_t> slots_;  // open addressing, linear probing; 0: free. A power of two, at most half full
  std::vector<std::uint64_t> ring_;   // in the order in which they came
  std::size_t next_ = 0;              // in the ring
  std::size_t count_ = 0;
};

}  // namespace correlator::pipeline
