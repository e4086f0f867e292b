// SPDX-License-Identifier: Apache-2.0
#include "window/pairs.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <type_traits>
#include <utility>

#include "base/varint.h"
#include "ints.h"
#include "sums.h"

namespace correlator::window {

namespace {
constexpr char kPacked = 1;
}  // namespace

static_assert(std::is_trivially_copyable_v<Pair>, "pairs are moved as bytes");

Pairs::Pairs(const Pairs& other) {
  if (other.empty()) return;
  reserve(other.size_);
  std::memcpy(data_, other.data_, other.size_ * sizeof(Pair));
  size_ = other.size_;
  heavy_ = other.heavy_;
}

Pairs::Pairs(Pairs&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)),
      capacity_(other.capacity_),
      heavy_(other.heavy_) {
  other.capacity_ = other.heavy_ = 0;
}

Pairs& Pairs::operator=(Pairs other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  capacity_ = other.capacity_;  // what it gets for them is freed with it, without these
  heavy_ = other.heavy_;
  return *this;
}

Pairs::~Pairs() {
  std::free(data_);
}

// realloc instead of a vector: exact room, and most windows grow in place.
void Pairs::reserve(std::size_t capacity) {
  void* data = std::realloc(data_, capacity * sizeof(Pair));
  if (data == nullptr) throw std::bad_alloc();
  data_ = static_cast<Pair*>(data);
  capacity_ = static_cast<std::uint32_t>(capacity) & 0x7fff'ffff;
}

void Pairs::insert(Pair pair, std::size_t limit) {
  if (size_ == capacity_) {
    // Exact while small, where windows are many; half as much again later, where they are few.
    const std::size_t wanted = capacity_ < 4 ? capacity_ + 1 : capacity_ + capacity_ / 2;
    reserve(std::max<std::size_t>(size_ + 1, std::min(wanted, limit)));
  }
  std::size_t at = size_;
  while (at > 0 && pair.time < data_[at - 1].time) --at;
  std::memmove(data_ + at + 1, data_ + at, (size_ - at) * sizeof(Pair));
  data_[at] = pair;
  ++size_;
  heavy_ |= pair.weight != 1;
}

Pair Pairs::replace_oldest(Pair pair) {
  const auto after = std::upper_bound(data_, data_ + size_, pair.time,
                                      [](Timestamp time, const Pair& p) { return time < p.time; });
  if (after == data_) return pair;
  const Pair oldest = data_[0];
  const std::size_t at = static_cast<std::size_t>(after - data_) - 1;
  std::memmove(data_, data_ + 1, at * sizeof(Pair));
  data_[at] = pair;
  heavy_ |= pair.weight != 1;
  return oldest;
}

void Pairs::drop_front(std::size_t n) {
  if (n == 0) return;
  if (n >= size_) return clear();
  size_ -= static_cast<std::uint32_t>(n);
  std::memmove(data_, data_ + n, size_ * sizeof(Pair));
  if (capacity_ > 2 * size_ + 4) reserve(size_);
}

void Pairs::keep_newest(std::size_t n) {
  if (size_ > n) drop_front(size_ - n);
}

void Pairs::drop_before(Timestamp time) {
  std::size_t n = 0;
  while (n < size_ && data_[n].time < time) ++n;
  drop_front(n);
}

void Pairs::drop_until(Timestamp time) {
  std::size_t n = 0;
  while (n < size_ && data_[n].time <= time) ++n;
  drop_front(n);
}

void Pairs::clear() {
  std::free(data_);
  data_ = nullptr;
  size_ = 0;
  capacity_ = heavy_ = 0;
}

std::uint64_t Pairs::weight_in(Timestamp after, Timestamp upto) const {
  std::uint64_t sum = 0;
  for (const Pair& pair : view()) {
    if (after < pair.time && pair.time <= upto) sum = add_saturating(sum, pair.weight);
  }
  return sum;
}

void Pairs::encode(std::string& out) const {
  out += '[';
  for (std::size_t i = 0; i < size_; ++i) {
    if (i > 0) out += ',';
    put_int(out, data_[i].time.us);
    out += ',';
    put_int(out, data_[i].weight);
  }
  out += ']';
}

void Pairs::pack(std::string& out) const {
  out += kPacked;
  put_varint(out, size_);
  std::int64_t last = 0;
  for (const Pair& pair : view()) {
    put_signed(out, wrapping_difference(pair.time.us, last));
    put_varint(out, pair.weight);
    last = pair.time.us;
  }
}

std::optional<Pairs> Pairs::unpack(std::string_view& bytes, std::size_t limit) {
  bytes.remove_prefix(1);
  std::uint64_t count = 0;
  // A pair takes two bytes at least: a number of pairs that cannot be there reserves nothing.
  if (!take_varint(bytes, count) || count > limit || count > bytes.size() / 2) return std::nullopt;
  Pairs pairs;
  if (count > 0) pairs.reserve(static_cast<std::size_t>(count));
  Pair pair{Timestamp{0}, 0};
  for (; count > 0; --count) {
    std::int64_t step = 0;
    if (!take_signed(bytes, step) || !take_varint(bytes, pair.weight)) return std::nullopt;
    const Timestamp before = pair.time;
    pair.time.us = wrapping_add(before.us, step);
    if (pairs.size_ > 0 && pair.time < before) return std::nullopt;
    pairs.data_[pairs.size_++] = pair;
    pairs.heavy_ |= pair.weight != 1;
  }
  return pairs;
}

std::optional<Pairs> Pairs::decode(std::string_view& text, std::size_t limit) {
  if (!text.empty() && text.front() == kPacked) return unpack(text, limit);
  // The number of commas up to the end of the array gives the exact room.
  const std::size_t end = text.find(']');
  if (end == std::string_view::npos) return std::nullopt;
  const auto commas = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), ',');
  const std::size_t count = (static_cast<std::size_t>(commas) + 1) / 2;
  if (count > limit) return std::nullopt;
  Pairs pairs;
  const bool read = take_array(text, [&](std::string_view& rest) {
    Pair pair;
    if (!take_int(rest, pair.time.us) || !take(rest, ',') || !take_int(rest, pair.weight)) return false;
    if (pairs.size_ > 0 && pair.time < pairs.data_[pairs.size_ - 1].time) return false;
    if (pairs.capacity_ == 0) pairs.reserve(count);
    pairs.insert(pair, count);
    return true;
  });
  if (!read) return std::nullopt;
  return pairs;
}

}  // namespace correlator::window
