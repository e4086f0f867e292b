// SPDX-License-Identifier: Apache-2.0
#include "window/sliding.h"

#include <algorithm>

#include "sums.h"

namespace correlator::window {
namespace {

// The pairs of a window with, in front of them, the one that fell out when the new one came: the semantics
// judges the set before it is cut to the n newest.
class View {
 public:
  View(std::span<const Pair> pairs, const Pair* front)
      : pairs_(pairs), front_(front), offset_(front ? 1 : 0) {}
  std::size_t size() const { return pairs_.size() + offset_; }
  const Pair& operator[](std::size_t i) const { return i < offset_ ? *front_ : pairs_[i - offset_]; }

 private:
  std::span<const Pair> pairs_;
  const Pair* front_;
  std::size_t offset_;
};

Reached interval(const View& pairs, std::size_t first, std::size_t end) {
  Reached reached{pairs[first].time, pairs[end - 1].time, 0};
  for (std::size_t i = first; i < end; ++i) reached.total = add_saturating(reached.total, pairs[i].weight);
  return reached;
}

// The earliest interval (e - within, e], from <= e < before, e the time of a pair, with a weight of n or
// more. Weights are cut to n while they are summed: the answer is the same and nothing overflows.
std::optional<Reached> sweep(const View& pairs, Timestamp from, Timestamp before, std::uint64_t n,
                             Duration within) {
  std::size_t end = pairs.size();  // of the interval
  while (end > 0 && !(pairs[end - 1].time < from)) --end;
  std::size_t first = end;
  std::uint64_t sum = 0;
  // Nothing at or before from - within can belong to an interval that ends at `from` or later.
  while (first > 0 && from - within < pairs[first - 1].time) sum += std::min(pairs[--first].weight, n);
  while (end < pairs.size() && pairs[end].time < before) {
    const Timestamp e = pairs[end].time;
    for (; end < pairs.size() && pairs[end].time == e; ++end) sum += std::min(pairs[end].weight, n);
    for (; pairs[first].time <= e - within; ++first) sum -= std::min(pairs[first].weight, n);
    if (sum >= n) return interval(pairs, first, end);
  }
  return std::nullopt;
}

// The same where each pair weighs one: n of them lie in the interval that ends with a pair if the n-th from there does, so that
// only the pairs at `from` and later are looked at, mostly the newest.
std::optional<Reached> sweep_ones(const View& pairs, Timestamp from, Timestamp before, std::uint64_t n, Duration within) {
  std::size_t end = pairs.size();
  while (end > 0 && !(pairs[end - 1].time < from)) --end;
  while (end < pairs.size() && pairs[end].time < before) {
    const Timestamp e = pairs[end].time;
    while (end < pairs.size() && pairs[end].time == e) ++end;
    if (end < n || pairs[end - n].time <= e - within) continue;
    std::size_t first = end - n;
    while (first > 0 && e - within < pairs[first - 1].time) --first;
    return interval(pairs, first, end);
  }
  return std::nullopt;
}

}  // namespace

std::optional<Reached> SlidingWindow::reached(const Pair* in_front, Timestamp from, Timestamp before, std::uint64_t n, Duration within) const {
  const View view(pairs_.view(), in_front);
  const bool heavy = pairs_.heavy() || (in_front != nullptr && in_front->weight != 1);
  // None at all are reached by any pair.
  return heavy || n == 0 ? sweep(view, from, before, n, within) : sweep_ones(view, from, before, n, within);
}

std::optional<Reached> SlidingWindow::add(Timestamp t, std::uint64_t w, std::uint64_t n, Duration within) {
  if (pairs_.size() == n && n > 0) {
    const Pair out = pairs_.replace_oldest({t, w});
    return reached(&out, t, t + within, n, within);
  }
  pairs_.insert({t, w}, n);
  const std::optional<Reached> found = reached(nullptr, t, t + within, n, within);
  pairs_.keep_newest(n);  // more than n were kept only if n was larger before a reload
  return found;
}

void SlidingWindow::keep(Timestamp t, std::uint64_t w, std::uint64_t n) {
  if (pairs_.size() == n && n > 0) {
    pairs_.replace_oldest({t, w});
    return;
  }
  pairs_.insert({t, w}, n);
  pairs_.keep_newest(n);
}

std::optional<Timestamp> SlidingWindow::quiet_deadline(Timestamp from, Duration quiet) const {
  return quiet_after(pairs_.view(), from, quiet);
}

std::optional<Timestamp> SlidingWindow::rate_deadline(Timestamp from, Timestamp fired, std::uint64_t n,
                                                      Duration within) const {
  const std::span<const Pair> pairs = pairs_.view();
  std::size_t begin = 0, end = 0;  // pairs in (p, p + within)
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const Timestamp p = pairs[i].time, x = p + within;
    for (; end < pairs.size() && pairs[end].time < x; ++end) sum += std::min(pairs[end].weight, n);
    for (; begin < end && pairs[begin].time <= p; ++begin) sum -= std::min(pairs[begin].weight, n);
    if (p >= from && x > fired && sum < n) return x;
  }
  return std::nullopt;
}

std::optional<Reached> SlidingWindow::first_reached(std::uint64_t n, Duration within) const {
  if (pairs_.empty()) return std::nullopt;
  return reached(nullptr, pairs_.view().front().time, Timestamp::max(), n, within);
}

std::optional<Timestamp> SlidingWindow::newest() const {
  if (pairs_.empty()) return std::nullopt;
  return pairs_.view().back().time;
}

std::optional<SlidingWindow> SlidingWindow::decode(std::string_view& text) {
  std::optional<Pairs> pairs = Pairs::decode(text);
  if (!pairs) return std::nullopt;
  SlidingWindow window;
  window.pairs_ = std::move(*pairs);
  return window;
}

}  // namespace correlator::window
