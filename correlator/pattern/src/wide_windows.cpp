// SPDX-License-Identifier: Apache-2.0
#include "wide_windows.h"

#if defined(__x86_64__)
#if defined(__GNUC__) && !defined(__clang__)
// GCC 12 takes the operand that AVX-512's unmasked forms leave undefined for a mistake (its bug 105593).
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#endif

namespace correlator::pattern {
namespace {

constexpr std::uint32_t kFirst = 0x9e3779b1u, kSecond = 0x85ebca6bu;
constexpr unsigned kByteShift = 25, kBitShift = 22;  // ten bits of a product: seven say the byte, three the bit

}  // namespace

void WideTable::add(std::uint32_t key) {
  const auto set = [](std::array<std::uint8_t, 128>& filter, std::uint32_t hash) {
    filter[hash >> kByteShift] |= static_cast<std::uint8_t>(1u << (hash >> kBitShift & 7));
  };
  set(first, key * kFirst);
  set(second, key * kSecond);
  keys.push_back(key);
}

#if defined(__x86_64__)

namespace {

// Above so many windows the filters let too much through, and the bitmap is asked at once.
constexpr std::size_t kMostInFilters = 500;

// Each 64 bytes are 16 windows, and 16 more for each further place that the stride asks for.
constexpr std::size_t kStep = 64, kBehind = 3;

template <unsigned kStride>
__attribute__((target("avx512f,avx512bw,avx512vbmi"))) std::size_t with_filters(const WideTable& table,
                                                                                const std::uint32_t*, const char* data,
                                                                                std::size_t size, std::size_t& at,
                                                                                std::uint32_t* out) {
  const __m512i first_low = _mm512_load_si512(table.first.data()), first_high = _mm512_load_si512(table.first.data() + 64);
  const __m512i second_low = _mm512_load_si512(table.second.data()), second_high = _mm512_load_si512(table.second.data() + 64);
  const __m512i fold = _mm512_set1_epi32(static_cast<int>(kFold)), seven = _mm512_set1_epi32(7), one = _mm512_set1_epi32(1);
  const __m512i each_fourth = _mm512_setr_epi32(0, 4, 8, 12, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60);
  const __m512i by_first = _mm512_set1_epi32(static_cast<int>(kFirst)), by_second = _mm512_set1_epi32(static_cast<int>(kSecond));
  std::size_t found = 0, i = at;
  for (; i + kStep + kBehind <= size && found <= kWidePlaces - kStep; i += kStep) {
    for (unsigned shift = 0; shift < 4; shift += kStride) {
      const __m512i keys = _mm512_or_si512(_mm512_loadu_si512(data + i + shift), fold);
      const __m512i a = _mm512_mullo_epi32(keys, by_first), b = _mm512_mullo_epi32(keys, by_second);
      const __m512i bytes_a = _mm512_permutex2var_epi8(first_low, _mm512_srli_epi32(a, kByteShift), first_high);
      const __m512i bytes_b = _mm512_permutex2var_epi8(second_low, _mm512_srli_epi32(b, kByteShift), second_high);
      const __m512i bits_a = _mm512_srlv_epi32(bytes_a, _mm512_and_si512(_mm512_srli_epi32(a, kBitShift), seven));
      const __m512i bits_b = _mm512_srlv_epi32(bytes_b, _mm512_and_si512(_mm512_srli_epi32(b, kBitShift), seven));
      const __mmask16 hits = _mm512_test_epi32_mask(_mm512_and_si512(bits_a, bits_b), one);
      // Without a branch: one in ten windows gets here, and none of them can be foretold.
      const __m512i places = _mm512_add_epi32(_mm512_set1_epi32(static_cast<int>(i + shift)), each_fourth);
      _mm512_storeu_si512(out + found, _mm512_maskz_compress_epi32(hits, places));
      found += static_cast<std::size_t>(__builtin_popcount(hits));
    }
  }
  at = i;
  return found;
}

template <unsigned kStride>
__attribute__((target("avx2"))) std::size_t with_bitmap(const WideTable& table, const std::uint32_t* words_of_bits,
                                                        const char* data, std::size_t size, std::size_t& at,
                                                        std::uint32_t* out) {
  const int* bitmap = reinterpret_cast<const int*>(words_of_bits);
  const __m256i fold = _mm256_set1_epi32(static_cast<int>(kFold)), by = _mm256_set1_epi32(static_cast<int>(kFirst));
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
  if (!narrow && table.keys.size() <= kMostInFilters && __builtin_cpu_supports("avx512vbmi") != 0 &&
      __builtin_cpu_supports("avx512bw") != 0) {
    return table.stride == 4 ? with_filters<4> : table.stride == 2 ? with_filters<2> : with_filters<1>;
  }
  if (avx2) {
    return table.stride == 4 ? with_bitmap<4> : table.stride == 2 ? with_bitmap<2> : with_bitmap<1>;
  }
  return nullptr;
}

const char* wide_name(WideFinder finder) {
  for (const WideFinder filters : {WideFinder{with_filters<4>}, WideFinder{with_filters<2>}, WideFinder{with_filters<1>}}) {
    if (finder == filters) return "avx512";
  }
  return finder != nullptr ? "avx2" : "scalar";
}

#else

WideFinder wide_finder(const WideTable&, bool) { return nullptr; }
const char* wide_name(WideFinder) { return "scalar"; }

#endif

}  // namespace correlator::pattern
