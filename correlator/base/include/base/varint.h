// SPDX-License-Identifier: Apache-2.0
// Numbers in few bytes: seven bits a byte, the lowest first, the high bit says that more follow (LEB128). Signed ones
// are folded so that small ones of either sign are short (zigzag).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace correlator {

inline void put_varint(std::string& out, std::uint64_t n) {
  for (; n >= 0x80; n >>= 7) out += static_cast<char>(n | 0x80);
  out += static_cast<char>(n);
}

// Takes a number off the front of `in`. False, and `in` is anywhere, if it ends before the number does or the number
// has more than 64 bits.
inline bool take_varint(std::string_view& in, std::uint64_t& n) {
  n = 0;
  for (unsigned shift = 0; shift < 64 && !in.empty(); shift += 7) {
    const auto byte = static_cast<std::uint8_t>(in.front());
    in.remove_prefix(1);
    if (shift == 63 && byte > 1) return false;
    n |= std::uint64_t{byte & 0x7FU} << shift;
    if (byte < 0x80) return true;
  }
  return false;
}

inline void put_signed(std::string& out, std::int64_t n) {
  put_varint(out, static_cast<std::uint64_t>(n) << 1 ^ static_cast<std::uint64_t>(n >> 63));
}

inline bool take_signed(std::string_view& in, std::int64_t& n) {
  std::uint64_t folded = 0;
  if (!take_varint(in, folded)) return false;
  n = static_cast<std::int64_t>(folded >> 1 ^ (0 - (folded & 1)));
  return true;
}

// The sum as it comes out in 64 bits: differences of hostile numbers may wrap, and that is no error here.
inline std::int64_t wrapping_add(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) + static_cast<std::uint64_t>(b));
}
inline std::int64_t wrapping_difference(std::int64_t a, std::int64_t b) {
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(a) - static_cast<std::uint64_t>(b));
}

}  // namespace correlator
