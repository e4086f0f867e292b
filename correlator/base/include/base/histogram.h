// SPDX-License-Identifier: Apache-2.0
// A histogram of durations in fixed buckets: one increment and one addition a value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace correlator {

class Histogram {
 public:
  static constexpr std::size_t kMostBounds = 16;

  // `bounds_us`: upper bounds in microseconds, rising, inclusive, at most kMostBounds; they must outlive the histogram.
  explicit Histogram(std::span<const std::int64_t> bounds_us) : bounds_(bounds_us.first(bounds_us.size() < kMostBounds ? bounds_us.size() : kMostBounds)) {}

  void add(std::int64_t us) {
    std::size_t bucket = 0;
    while (bucket < bounds_.size() && us > bounds_[bucket]) ++bucket;
    ++counts_[bucket];
    sum_us_ += us;
  }

  std::span<const std::int64_t> bounds_us() const { return bounds_; }
  // Values in bucket i alone; i == bounds_us().size(): those above all bounds.
  std::uint64_t count(std::size_t i) const { return counts_[i]; }
  std::int64_t sum_us() const { return sum_us_; }

 private:
  std::span<const std::int64_t> bounds_;
  std::array<std::uint64_t, kMostBounds + 1> counts_{};
  std::int64_t sum_us_ = 0;
};

}  // namespace correlator
