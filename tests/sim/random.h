// SPDX-License-Identifier: Apache-2.0
// All chance of a simulation comes from one seed, the same on every machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

namespace correlator::sim {

class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}

  // splitmix64
  std::uint64_t next() {
    std::uint64_t z = state_ += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }
  // From `low` to `high`, both included.
  std::int64_t between(std::int64_t low, std::int64_t high) {
    return low + static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(high - low + 1));
  }
  // True `percent` times of a hundred.
  bool chance(double percent) { return static_cast<double>(next() >> 11) * 0x1.0p-53 * 100 < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& list) {
    return list[static_cast<std::size_t>(between(0, static_cast<std::int64_t>(list.size()) - 1))];
  }
  // A stream of its own, so that drawing more for one purpose changes nothing for another.
  Random fork() { return Random(next()); }

 private:
  std::uint64_t state_;
};

// The same for the same words: what a program does depends on what it is asked, not on when.
inline std::uint64_t hash_words(std::uint64_t seed, std::string_view words) {
  std::uint64_t hash = seed ^ 0xCBF29CE484222325;
  for (const char c : words) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3;
  return Random(hash).next();
}

}  // namespace correlator::sim
