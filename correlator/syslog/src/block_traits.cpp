// SPDX-License-Identifier: Apache-2.0
// What frames look like from outside: quick tests that do not parse.
#include <cstring>

#include "scan.h"
#include "syslog/frame.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace correlator::syslog {
namespace {

// "\n{" and then a quote or white space, "\n\n_" or "\n X" with X as in a key.
void look_behind_newline(const char* p, BlockTraits& traits) {
  if (p[1] == '{' && (p[2] == '"' || static_cast<unsigned char>(p[2]) <= ' ')) traits.json = true;
  if (p[1] == '\n' && p[2] == '_') traits.multi_line = true;
  if (p[1] == ' ' && ((p[2] >= 'A' && p[2] <= 'Z') || p[2] == '_')) traits.multi_line = true;
}

void scan_bytes(std::string_view block, std::size_t from, BlockTraits& traits) {
  for (std::size_t i = from; i < block.size(); ++i) {
    if (block[i] == '\\') traits.backslash = true;
    if (block[i] == '\n' && i + 2 < block.size()) look_behind_newline(block.data() + i, traits);
  }
}

#if defined(__x86_64__)
// 32 bytes at a time; gives back where the byte-wise scan has to go on.
__attribute__((target("avx2"))) std::size_t scan_wide(std::string_view block, BlockTraits& traits) {
  const __m256i newline = _mm256_set1_epi8('\n'), slash = _mm256_set1_epi8('\\');
  const __m256i brace = _mm256_set1_epi8('{'), blank = _mm256_set1_epi8(' ');
  __m256i slashes = _mm256_setzero_si256();
  std::size_t i = 0;
  for (; i + 34 <= block.size(); i += 32) {
    const __m256i here = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block.data() + i));
    const __m256i after = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(block.data() + i + 1));
    slashes = _mm256_or_si256(slashes, _mm256_cmpeq_epi8(here, slash));
    const __m256i odd = _mm256_or_si256(_mm256_or_si256(_mm256_cmpeq_epi8(after, newline), _mm256_cmpeq_epi8(after, brace)),
                                        _mm256_cmpeq_epi8(after, blank));
    auto hits = static_cast<unsigned>(_mm256_movemask_epi8(_mm256_and_si256(_mm256_cmpeq_epi8(here, newline), odd)));
    for (; hits != 0; hits &= hits - 1) {
      look_behind_newline(block.data() + i + static_cast<unsigned>(__builtin_ctz(hits)), traits);
    }
  }
  traits.backslash = _mm256_movemask_epi8(slashes) != 0;
  return i;
}

// 16 bytes at a time; gives back where the byte-wise scan has to go on.
std::size_t scan_vectors(std::string_view block, BlockTraits& traits) {
  const __m128i newline = _mm_set1_epi8('\n'), slash = _mm_set1_epi8('\\');
  const __m128i brace = _mm_set1_epi8('{'), blank = _mm_set1_epi8(' ');
  __m128i slashes = _mm_setzero_si128();
  std::size_t i = 0;
  auto load = [&](std::size_t at) {
    return _mm_loadu_si128(reinterpret_cast<const __m128i*>(block.data() + at));
  };
  for (; i + 18 <= block.size(); i += 16) {
    const __m128i here = load(i), after = load(i + 1);
    slashes = _mm_or_si128(slashes, _mm_cmpeq_epi8(here, slash));
    const __m128i odd =
        _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(after, newline), _mm_cmpeq_epi8(after, brace)),
                     _mm_cmpeq_epi8(after, blank));
    unsigned hits =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_and_si128(_mm_cmpeq_epi8(here, newline), odd)));
    for (; hits != 0; hits &= hits - 1) {
      look_behind_newline(block.data() + i + static_cast<unsigned>(__builtin_ctz(hits)), traits);
    }
  }
  traits.backslash = _mm_movemask_epi8(slashes) != 0;
  return i;
}
#endif

}  // namespace

BlockTraits scan_block(std::string_view block) {
  BlockTraits traits;
  std::size_t from = 0;
#if defined(__x86_64__)
  from = __builtin_cpu_supports("avx2") != 0 ? scan_wide(block, traits) : scan_vectors(block, traits);
#endif
  scan_bytes(block, from, traits);
  // The block begins a line, as if a line end stood before it.
  if (block.starts_with("\n_")) traits.multi_line = true;
  if (looks_like_json(block)) traits.json = true;
  return traits;
}

// The journal writes fields that are not UTF-8 as arrays of numbers: "MESSAGE" : [ 72, 105 ].
bool has_byte_array(std::string_view json) {
  constexpr std::string_view kName = "\"MESSAGE\"";
  for (std::size_t at = json.find(kName); at != std::string_view::npos; at = json.find(kName, at + 1)) {
    std::size_t i = at + kName.size();
    while (i < json.size() && (json[i] == ' ' || json[i] == '\t' || json[i] == ':')) ++i;
    if (i < json.size() && json[i] == '[') return true;
  }
  return false;
}

bool looks_like_json(std::string_view frame) {
  return frame.size() >= 2 && frame[0] == '{' &&
         (frame[1] == '"' || static_cast<unsigned char>(frame[1]) <= ' ');
}

bool is_kmsg_record(std::string_view line) {
  // priority, sequence and microseconds; then flags and whatever later kernels add, up to the semicolon.
  std::size_t at = 0;
  for (const std::size_t longest : {5u, 20u, 20u}) {
    const std::size_t begin = at;
    while (at < line.size() && is_digit(line[at]) && at - begin < longest) ++at;
    if (at == begin || at >= line.size() || line[at] != ',') return false;
    ++at;
  }
  const std::size_t semicolon = line.substr(0, at + 64).find(';', at);
  if (semicolon == std::string_view::npos) return false;
  for (std::size_t i = at; i < semicolon; ++i) {
    if (line[i] == ' ' || line[i] == '\n') return false;
  }
  return true;
}

bool is_kmsg_continuation(std::string_view line) {
  if (line.size() < 3 || line[0] != ' ') return false;
  std::size_t i = 1;
  while (i < line.size() && i <= 65 &&
         ((line[i] >= 'A' && line[i] <= 'Z') || line[i] == '_' || is_digit(line[i]))) {
    ++i;
  }
  return i > 1 && i < line.size() && line[i] == '=';
}

bool may_hide_literals(std::string_view frame) {
  if (looks_like_json(frame)) {
    return std::memchr(frame.data(), '\\', frame.size()) != nullptr || has_byte_array(frame);
  }
  if (frame.empty() || !is_digit(frame[0])) return false;
  // The dictionary behind the first line is not text.
  return is_kmsg_record(frame) && frame.substr(0, frame.find('\n')).find('\\') != std::string_view::npos;
}

bool block_may_hide_literals(std::string_view block) { return block_may_hide_literals(block, scan_block(block)); }

bool block_may_hide_literals(std::string_view block, const BlockTraits& traits) {
  if (traits.json) return true;
  if (!traits.backslash) return false;
  // Escapes of /dev/kmsg: look at the lines that have a backslash.
  std::size_t at = block.find('\\');
  while (at != std::string_view::npos) {
    std::size_t begin = at;
    while (begin > 0 && block[begin - 1] != '\n') --begin;
    // A backslash in a " KEY=value" line belongs to a record before it and hides nothing that is matched.
    if (is_kmsg_record(block.substr(begin))) return true;
    const std::size_t end = block.find('\n', at);
    at = end == std::string_view::npos ? end : block.find('\\', end);
  }
  return false;
}

}  // namespace correlator::syslog
