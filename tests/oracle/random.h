// SPDX-License-Identifier: Apache-2.0
// Random rules and streams. Equal seeds give equal ones on every machine and library.
#pragma once

#include <random>
#include <string>
#include <vector>

#include "model.h"

namespace correlator::oracle {

class Random {
 public:
  explicit Random(std::uint64_t seed) : bits_(seed) {}
  std::uint64_t below(std::uint64_t n) { return bits_() % n; }  // 0 .. n - 1
  std::uint64_t between(std::uint64_t low, std::uint64_t high) { return low + below(high - low + 1); }
  bool chance(std::uint64_t percent) { return below(100) < percent; }
  template <class T>
  const T& one_of(const std::vector<T>& values) {
    return values[below(values.size())];
  }

 private:
  std::mt19937_64 bits_;
};

// `only`: name of the operation of the first rule ("count", "sequence", …), or empty for any.
World random_world(Random& random, const std::string& only);
// About `length` records whose gaps lie at the edges of the rules' durations, with ties, bursts and late lines.
Stream random_stream(Random& random, const World& world, std::size_t length);

std::string to_toml(const Spec& spec);
std::string to_line(const Input& input);       // the whole frame
std::string message_text(const Input& input);  // without repeats
const char* name_of(Op op);

}  // namespace correlator::oracle
