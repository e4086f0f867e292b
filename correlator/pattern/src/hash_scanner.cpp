// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <limits>
#include <unordered_map>

#include "ascii.h"
#include "literal_scanner.h"
#include "ordinary_text.h"

namespace correlator::pattern {
namespace {

std::uint32_t load(const char* at, std::size_t available) {
  std::uint32_t value = 0;
  std::memcpy(&value, at, std::min<std::size_t>(available, sizeof value));
  return value;
}

std::uint32_t load4(const char* at) {
  std::uint32_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

std::uint64_t load8(const char* at) {
  std::uint64_t value;
  std::memcpy(&value, at, sizeof value);
  return value;
}

constexpr std::size_t kAround = sizeof(std::uint64_t);
constexpr std::uint64_t kFoldAround = std::uint64_t{kFold} << 32 | kFold;

// The byte order of the machine decides which bytes of a 4-byte load are the first `width`.
std::uint32_t first_bytes_mask(unsigned width) {
  unsigned char bytes[4] = {0, 0, 0, 0};
  std::fill_n(bytes, width, static_cast<unsigned char>(0xff));
  std::uint32_t mask;
  std::memcpy(&mask, bytes, sizeof mask);
  return mask;
}

// How often each window occurs in the literals themselves: one that many share makes each of them be
// compared.
using Sharing = std::unordered_map<std::string_view, unsigned>;

Sharing count_windows(const std::vector<std::string>& literals, const std::vector<std::uint32_t>& members,
                      unsigned width) {
  Sharing out;
  for (const std::uint32_t member : members) {
    const std::string_view literal = literals[member];
    for (std::size_t at = 0; at + width <= literal.size(); ++at) ++out[literal.substr(at, width)];
  }
  return out;
}

// What a window that is found costs before it is compared with the literals that have it, counted in such literals; and how often one
// is found that the page of ordinary text does not have.
constexpr double kFoundCost = 3, kUnseen = 0.02;

// Where `stride` consecutive windows begin that are rare in ordinary text and among the other literals.
std::size_t best_offset(std::string_view literal, unsigned width, unsigned stride, const Sharing& sharing) {
  std::size_t best = 0;
  double best_cost = std::numeric_limits<double>::max();
  for (std::size_t at = 0; at + width + stride - 1 <= literal.size(); ++at) {
    double cost = 0;
    for (unsigned i = 0; i < stride; ++i) {
      const std::string_view window = literal.substr(at + i, width);
      cost += (ordinary_rate(window) + kUnseen) * (kFoundCost + sharing.find(window)->second);
    }
    if (cost < best_cost) {
      best = at;
      best_cost = cost;
    }
  }
  return best;
}

}  // namespace

HashScanner::HashScanner(const std::vector<std::string>& literals, Width most) : literals_(literals) {
  std::vector<std::uint32_t> by_width[5];
  for (std::uint32_t i = 0; i < literals_.size(); ++i) {
    by_width[std::min<std::size_t>(literals_[i].size(), 4)].push_back(i);
  }
  for (unsigned width = 2; width <= 4; ++width) {
    if (!by_width[width].empty()) tables_.push_back(make_table(width, by_width[width], most));
  }
}

HashScanner::Table HashScanner::make_table(unsigned width, const std::vector<std::uint32_t>& members, Width most) const {
  Table table;
  table.width = width;
  table.mask = first_bytes_mask(width);
  // With s consecutive windows of each literal in the table, every s-th byte of the text need be looked at.
  std::size_t shortest = std::numeric_limits<std::size_t>::max();
  for (const std::uint32_t member : members) shortest = std::min(shortest, literals_[member].size());
  table.stride = static_cast<unsigned>(std::clamp<std::size_t>(shortest - width + 1, 1, 4));
  if (table.stride == 3 && most != Width::scalar) table.stride = 2;
  table.bits = members.size() * table.stride > 1024 ? 18 : 16;
  unsigned bucket_bits = 4;
  while ((1u << bucket_bits) < members.size() * table.stride * 2 && bucket_bits < table.bits) ++bucket_bits;
  table.bucket_shift = table.bits - bucket_bits;

  const Sharing sharing = count_windows(literals_, members, width);
  for (const std::uint32_t member : members) {
    const std::string& literal = literals_[member];
    const std::size_t base = best_offset(literal, width, table.stride, sharing);
    for (std::size_t offset = base; offset < base + table.stride; ++offset) {
      table.entries.push_back(make_entry(table, member, offset));
    }
  }
  const auto bucket = [&](const Entry& e) { return window_index(e.key, table.bits) >> table.bucket_shift; };
  std::sort(table.entries.begin(), table.entries.end(),
            [&](const Entry& a, const Entry& b) { return bucket(a) < bucket(b); });
  table.bitmap.assign((std::size_t{1} << table.bits) / 32, 0);
  table.first.assign((std::size_t{1} << bucket_bits) + 1, 0);
  for (const Entry& entry : table.entries) {
    const std::uint32_t index = window_index(entry.key, table.bits);
    table.bitmap[index / 32] |= std::uint32_t{1} << (index % 32);
    ++table.first[bucket(entry) + 1];
  }
  for (std::size_t i = 1; i < table.first.size(); ++i) table.first[i] += table.first[i - 1];
  if (most != Width::scalar) make_wide(table, most);
  return table;
}

HashScanner::Entry HashScanner::make_entry(const Table& table, std::uint32_t member, std::size_t offset) const {
  const std::string_view literal = literals_[member];
  const std::size_t known = std::min(literal.size(), kAround), begin = std::min(offset, literal.size() - known);
  unsigned char mask[kAround] = {};
  std::fill_n(mask, known, static_cast<unsigned char>(0xff));
  char bytes[kAround] = {};
  literal.copy(bytes, known, begin);
  Entry entry;
  entry.mask = load8(reinterpret_cast<const char*>(mask));
  entry.around = (load8(bytes) | kFoldAround) & entry.mask;
  entry.key = (load(literal.data() + offset, table.width) | kFold) & table.mask;
  entry.literal = member;
  entry.offset = static_cast<std::uint32_t>(offset);
  entry.before = static_cast<std::uint32_t>(offset - begin);
  return entry;
}

// Most windows that are found belong to other words of ordinary text: their neighbours tell, without a loop over bytes.
bool HashScanner::Entry::like(std::string_view text, std::size_t at) const {
  if (at < before || at - before + kAround > text.size()) return at >= offset;
  return ((load8(text.data() + at - before) | kFoldAround) & mask) == around && at >= offset;
}

void HashScanner::make_wide(Table& table, Width most) {
  table.wide.width = table.width;
  table.wide.stride = table.stride;
  table.wide.bits = table.bits;
  std::vector<std::uint32_t> keys;
  for (const Entry& entry : table.entries) keys.push_back(entry.key);
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  for (const std::uint32_t key : keys) table.wide.add(key);
  table.finder = wide_finder(table.wide, most == Width::avx2);
}

const char* HashScanner::name() const {
  const bool wide = std::all_of(tables_.begin(), tables_.end(), [](const Table& table) { return table.finder != nullptr; });
  return wide && !tables_.empty() ? wide_name(tables_.back().finder) : "scalar";
}

void HashScanner::scan(std::string_view text, LiteralSink& sink) const {
  for (const Table& table : tables_) scan_table(table, text, sink);
}

// Up to the end of the text, or nearly; gives where to go on.
std::size_t HashScanner::scan_wide(const Table& table, std::string_view text, LiteralSink& sink) const {
  std::uint32_t places[kWideRoom];
  WideFinder find = table.finder;
  std::size_t at = 0;
  for (;;) {
    const std::size_t before = at;
    const std::size_t found = find(table.wide, table.bitmap.data(), text.data(), text.size(), at, places);
    if (at == before) return at;
    for (std::size_t i = 0; i < found; ++i) {
      verify(table, (load4(text.data() + places[i]) | kFold) & table.mask, places[i], text, sink);
    }
  }
}

void HashScanner::scan_table(const Table& table, std::string_view text, LiteralSink& sink) const {
  const char* data = text.data();
  const std::size_t stride = table.stride;
  const std::uint32_t mask = table.mask;
  const auto key_at = [&](std::size_t at) { return (load4(data + at) | kFold) & mask; };
  std::size_t at = table.finder != nullptr ? scan_wide(table, text, sink) : 0;
  for (; at + 3 * stride + 4 <= text.size(); at += 4 * stride) {
    const std::uint32_t k0 = key_at(at), k1 = key_at(at + stride), k2 = key_at(at + 2 * stride),
                        k3 = key_at(at + 3 * stride);
    const bool m0 = table.marked(k0), m1 = table.marked(k1), m2 = table.marked(k2), m3 = table.marked(k3);
    if (!(m0 | m1 | m2 | m3)) [[likely]]
      continue;
    if (m0) verify(table, k0, at, text, sink);
    if (m1) verify(table, k1, at + stride, text, sink);
    if (m2) verify(table, k2, at + 2 * stride, text, sink);
    if (m3) verify(table, k3, at + 3 * stride, text, sink);
  }
  for (; at + table.width <= text.size(); at += stride) {
    const std::uint32_t key = (load(data + at, text.size() - at) | kFold) & mask;
    if (table.marked(key)) verify(table, key, at, text, sink);
  }
}

void HashScanner::verify(const Table& table, std::uint32_t key, std::size_t at, std::string_view text,
                           LiteralSink& sink) const {
  const std::uint32_t bucket = window_index(key, table.bits) >> table.bucket_shift;
  for (std::uint32_t i = table.first[bucket]; i < table.first[bucket + 1]; ++i) {
    const Entry& entry = table.entries[i];
    if (!entry.like(text, at)) continue;
    const std::string& literal = literals_[entry.literal];
    if (at - entry.offset + literal.size() > text.size()) continue;
    const char* begin = text.data() + at - entry.offset;
    const auto same = [](char c, char expected) { return ascii_lower(c) == expected; };
    if (std::equal(begin, begin + literal.size(), literal.begin(), same)) {
      sink.found(entry.literal, at - entry.offset + literal.size());
    }
  }
}

}  // namespace correlator::pattern
