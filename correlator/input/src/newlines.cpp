// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cstring>

#include "input/blocks.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace correlator::input {
namespace {

#if defined(__SSE2__)
// Sums of at most 255 comparisons stay in bytes; one sad instruction per group adds them up. `groups` of 64.
std::uint64_t count_wide(const char*& at, std::size_t groups) {
  const __m128i newline = _mm_set1_epi8('\n');
  const __m128i zero = _mm_setzero_si128();
  __m128i total = zero;
  while (groups != 0) {
    const std::size_t now = groups < 63 ? groups : 63;  // 4 comparisons each: 252
    __m128i sum = zero;
    for (std::size_t i = 0; i < now; ++i, at += 64) {
      const auto* from = reinterpret_cast<const __m128i*>(at);
      const __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128(from), newline);
      const __m128i b = _mm_cmpeq_epi8(_mm_loadu_si128(from + 1), newline);
      const __m128i c = _mm_cmpeq_epi8(_mm_loadu_si128(from + 2), newline);
      const __m128i d = _mm_cmpeq_epi8(_mm_loadu_si128(from + 3), newline);
      sum = _mm_sub_epi8(sum, _mm_add_epi8(_mm_add_epi8(a, b), _mm_add_epi8(c, d)));
    }
    total = _mm_add_epi64(total, _mm_sad_epu8(sum, zero));
    groups -= now;
  }
  return static_cast<std::uint64_t>(_mm_cvtsi128_si64(total)) +
         static_cast<std::uint64_t>(_mm_cvtsi128_si64(_mm_unpackhi_epi64(total, total)));
}
#else
// Eight bytes at a time: after the xor a newline is a zero byte, and only that sets the top bit of its lane.
std::uint64_t count_wide(const char*& at, std::size_t groups) {
  constexpr std::uint64_t kLow7 = 0x7f7f7f7f7f7f7f7fu;
  std::uint64_t total = 0;
  for (std::size_t i = 0; i < groups * 8; ++i, at += 8) {
    std::uint64_t word;
    std::memcpy(&word, at, 8);
    word ^= 0x0a0a0a0a0a0a0a0au;
    total += static_cast<unsigned>(std::popcount(~(((word & kLow7) + kLow7) | word | kLow7)));
  }
  return total;
}
#endif

}  // namespace

std::uint64_t count_newlines(std::string_view text) {
  const char* at = text.data();
  const char* const end = at + text.size();
  std::uint64_t total = count_wide(at, text.size() / 64);
  for (; at != end; ++at) total += *at == '\n';
  return total;
}

}  // namespace correlator::input
