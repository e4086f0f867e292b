// SPDX-License-Identifier: Apache-2.0
// Hashes. Ids that an attacker might want to collide (decisions, rule texts) use SHA-256.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace correlator {

// Incremental SHA-256. Each add() is length-prefixed, so that ("ab","c") and ("a","bc") differ.
class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  Sha256& add(std::string_view part);
  Sha256& add(std::int64_t number);
  // The first `bytes` of the digest in lower-case hex. Ends the computation.
  std::string hex(std::size_t bytes = 16);

 private:
  void* context_;
};

// Fast 64-bit hash for tables in memory (FNV-1a with a final mix); stable across runs and machines.
std::uint64_t hash64(std::string_view text, std::uint64_t seed = 0);

}  // namespace correlator
