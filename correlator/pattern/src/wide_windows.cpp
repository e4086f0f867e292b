// SPDX-License-Identifier: Apache-2.0
#include "wide_windows.h"

#include <limits>

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the operand that AVX-512's unmasked forms leave undefined for a mistake (its bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#endif

namespace correlator::pattern {
namespace {

// Each half of a window times one of these, both added: each byte of the sum says a byte of a filter.
constexpr std::int16_t kLowHalf = -0x4423, kHighHalf = 0x4f1b;
// So far right is the product of a window turned whose five lowest bits then say which of the four bytes, and which of its bits.
constexpr unsigned kBitAt[kWideFilters] = {27, 22, 17, 12, 24, 19};

std::uint32_t sum_of_halves(std::uint32_t key) {
  return static_cast<std::uint32_t>(static_cast<std::int16_t>(key) * kLowHalf + static_cast<std::int16_t>(key >> 16) * kHighHalf);
}

}  // namespace

void WideTable::add(std::uint32_t key) {
  const std::uint32_t bytes = sum_of_halves(key), product = key * kWindowFactor;
  for (unsigned f = 0; f < kWideFilters; ++f) {
    const unsigned bit = product >> kBitAt[f] & 31;
    filters[f][bytes >> (bit & 24) & 127] |= static_cast<std::uint8_t>(1u << (bit & 7));
  }
  keys.push_back(key);
}

#if defined(__x86_64__)

namespace {

// Up to so many windows three filters let one in twenty pass, and more of them cost more than they keep away.
constexpr std::size_t kMostInThree = 500;

// Each 64 bytes are 16 windows, and 16 more for each further place that the stride asks for.
constexpr std::size_t kStep = 64, kBehind = 3;

#define CORRELATOR_AVX512 __attribute__((target("avx512f,avx512bw,avx512vbmi")))

// Leaves of `count` places those whose window is in the bitmap, and returns how many.
CORRELATOR_AVX512 std::size_t keep_marked(const WideTable& table, const std::uint32_t* bitmap, const char* data, std::uint32_t* places,
                                          std::size_t count) {
  const __m512i fold = _mm512_set1_epi32(static_cast<int>(kFold)), by = _mm512_set1_epi32(static_cast<int>(kWindowFactor));
  const __m512i low = _mm512_set1_epi32(31), one = _mm512_set1_epi32(1);
  const __m128i unused = _mm_cvtsi32_si128(static_cast<int>(32 - table.bits));
  // Gathers take their index for a signed one: it is counted from the middle of what 32 bits can say.
  const __m512i middle = _mm512_set1_epi32(std::numeric_limits<std::int32_t>::min());
  const void* from = reinterpret_cast<const void*>(reinterpret_cast<std::uintptr_t>(data) + (std::uintptr_t{1} << 31));
  std::size_t kept = 0;
  for (std::size_t i = 0; i < count; i += 16) {
    const auto there = static_cast<__mmask16>(count - i >= 16 ? 0xffffu : (1u << (count - i)) - 1);
    const __m512i at = _mm512_maskz_loadu_epi32(there, places + i);
    const __m512i keys = _mm512_or_si512(_mm512_i32gather_epi32(_mm512_xor_si512(at, middle), from, 1), fold);
    const __m512i index = _mm512_srl_epi32(_mm512_mullo_epi32(keys, by), unused);
    const __m512i words = _mm512_i32gather_epi32(_mm512_srli_epi32(index, 5), bitmap, 4);
    const __mmask16 hits = _mm512_mask_test_epi32_mask(there, _mm512_srlv_epi32(words, _mm512_and_si512(index, low)), one);
    _mm512_storeu_si512(places + kept, _mm512_maskz_compress_epi32(hits, at));
    kept += static_cast<std::size_t>(__builtin_popcount(hits));
  }
  return kept;
}

// All of them pass the filters when windows are very many: then it costs what the bitmap alone would, and the filters.
template <unsigned kStride, unsigned kFilters>
CORRELATOR_AVX512 std::size_t with_filters(const WideTable& table, const std::uint32_t* bitmap, const char* data, std::size_t size,
                                           std::size_t& at, std::uint32_t* out) {
  __m512i lower[kFilters], upper[kFilters];
  for (unsigned f = 0; f < kFilters; ++f) {
    lower[f] = _mm512_load_si512(table.filters[f].data());
    upper[f] = _mm512_load_si512(table.filters[f].data() + 64);
  }
  const __m512i fold = _mm512_set1_epi32(static_cast<int>(kFold)), one = _mm512_set1_epi32(1);
  const __m512i by = _mm512_set1_epi32(static_cast<int>(kWindowFactor));
  const __m512i halves = _mm512_set1_epi32(kHighHalf * 0x10000 + static_cast<std::uint16_t>(kLowHalf));
  const __m512i each_fourth = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60);
  std::size_t found = 0, i = at;
  for (; i + kStep + kBehind <= size && found <= kWidePlaces - kStep; i += kStep) {
    for (unsigned shift = 0; shift < 4; shift += kStride) {
      const __m512i keys = _mm512_or_si512(_mm512_loadu_si512(data + i + shift), fold);
      const __m512i bytes = _mm512_madd_epi16(keys, halves), product = _mm512_mullo_epi32(keys, by);
      __m512i in_all = one;
      for (unsigned f = 0; f < kFilters; ++f) {
        const __m512i bits = _mm512_permutex2var_epi8(lower[f], bytes, upper[f]);
        in_all = _mm512_and_si512(in_all, _mm512_rorv_epi32(bits, _mm512_srli_epi32(product, kBitAt[f])));
      }
      const __mmask16 hits = _mm512_test_epi32_mask(in_all, one);
      // Without a branch, here and in keep_marked: what passes cannot be foretold.
      const __m512i places = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(i + shift)), each_fourth);
      _mm512_storeu_si512(out + found, _mm512_maskz_compress_epi32(hits, places));
      found += static_cast<std::size_t>(__builtin_popcount(hits));
    }
  }
  at = i;
  return keep_marked(table, bitmap, data, out, found);
}

template <unsigned kFilters>
WideFinder filters_finder(unsigned stride) {
  return stride == 4 ? with_filters<4, kFilters> : stride == 2 ? with_filters<2, kFilters> : with_filters<1, kFilters>;
}

template <unsigned kStride>
__attribute__((target("avx2"))) std::size_t with_bitmap(const WideTable& table, const std::uint32_t* words_of_bits,
                                                        const char* data, std::size_t size, std::size_t& at,
                                                        std::uint32_t* out) {
  const int* bitmap = reinterpret_cast<const int*>(words_of_bits);
  const __m256i fold = _mm256_set1_epi32(static_cast<int>(kFold)), by = _mm256_set1_epi32(static_cast<int>(kWindowFactor));
  const __m256i low = _mm256_set1_epi32(31);
  const __m128i unused = _mm_cvtsi32_si128(static_cast<int>(32 - table.bits));
  std::size_t found = 0, i = at;
  for (; i + kStep + kBehind <= size && found <= kWidePlaces - kStep; i += kStep) {
    for (unsigned shift = 0; shift < 4; shift += kStride) {
      for (unsigned half = 0; half < kStep; half += 32) {
        const char* from = data + i + shift + half;
        const __m256i keys = _mm256_or_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(from)), fold);
        const __m256i index = _mm256_srl_epi32(_mm256_mullo_epi32(keys, by), unused);
        const __m256i words = _mm256_i32gather_epi32(bitmap, _mm256_srli_epi32(index, 5), 4);
        // The bit of each window goes to the top of its word.
        const __m256i bits = _mm256_sllv_epi32(words, _mm256_andnot_si256(index, low));
        auto hits = static_cast<std::uint32_t>(_mm256_movemask_ps(_mm256_castsi256_ps(bits)));
        for (; hits != 0; hits &= hits - 1) {
          out[found++] = static_cast<std::uint32_t>(i + shift + half) + 4 * static_cast<std::uint32_t>(__builtin_ctz(hits));
        }
      }
    }
  }
  at = i;
  return found;
}

// Windows of two or three bytes, each compared by itself: only where they are few.
constexpr std::size_t kFew = 8;

__attribute__((target("avx2"))) std::size_t with_comparisons(const WideTable& table, const std::uint32_t*, const char* data,
                                                             std::size_t size, std::size_t& at, std::uint32_t* out) {
  __m256i wanted[kFew][3];
  const std::size_t few = table.keys.size();
  for (std::size_t k = 0; k < few; ++k) {
    for (unsigned byte = 0; byte < 3; ++byte) wanted[k][byte] = _mm256_set1_epi8(static_cast<char>(table.keys[k] >> 8 * byte));
  }
  const __m256i fold = _mm256_set1_epi8(0x20), any_third = _mm256_set1_epi8(table.width == 2 ? -1 : 0);
  const auto load = [&](std::size_t from) __attribute__((target("avx2"))) {
    return _mm256_or_si256(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(data + from)), fold);
  };
  std::size_t found = 0, i = at;
  for (; i + kStep + kBehind <= size && found <= kWidePlaces - kStep; i += 32) {
    const __m256i first = load(i), second = load(i + 1), third = load(i + 2);
    __m256i same = _mm256_setzero_si256();
    for (std::size_t k = 0; k < few; ++k) {
      const __m256i two = _mm256_and_si256(_mm256_cmpeq_epi8(first, wanted[k][0]), _mm256_cmpeq_epi8(second, wanted[k][1]));
      same = _mm256_or_si256(same, _mm256_and_si256(two, _mm256_or_si256(_mm256_cmpeq_epi8(third, wanted[k][2]), any_third)));
    }
    auto hits = static_cast<std::uint32_t>(_mm256_movemask_epi8(same));
    for (; hits != 0; hits &= hits - 1) out[found++] = static_cast<std::uint32_t>(i) + static_cast<std::uint32_t>(__builtin_ctz(hits));
  }
  at = i;
  return found;
}

}  // namespace

WideFinder wide_finder(const WideTable& table, bool narrow) {
  const bool avx2 = __builtin_cpu_supports("avx2") != 0;
  if (table.width < 4) return avx2 && table.keys.size() <= kFew ? with_comparisons : nullptr;
  if (!narrow && __builtin_cpu_supports("avx512vbmi") != 0 && __builtin_cpu_supports("avx512bw") != 0) {
    return table.keys.size() <= kMostInThree ? filters_finder<3>(table.stride) : filters_finder<kWideFilters>(table.stride);
  }
  if (avx2) {
    return table.stride == 4 ? with_bitmap<4> : table.stride == 2 ? with_bitmap<2> : with_bitmap<1>;
  }
  return nullptr;
}

const char* wide_name(WideFinder finder) {
  for (const unsigned stride : {4u, 2u, 1u}) {
    if (finder == filters_finder<3>(stride) || finder == filters_finder<kWideFilters>(stride)) return "avx512";
  }
  return finder != nullptr ? "avx2" : "scalar";
}

#else

WideFinder wide_finder(const WideTable&, bool) { return nullptr; }
const char* wide_name(WideFinder) { return "scalar"; }

#endif

}  // namespace correlator::pattern
