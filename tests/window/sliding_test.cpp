// SPDX-License-Identifier: Apache-2.0
#include "window/sliding.h"

#include <random>

#include "catch.h"
#include "naive.h"

namespace correlator::window {
namespace {

constexpr Duration kDay = Duration::hours(24);
constexpr Timestamp kStart{1'767'225'600'000'000};  // 2026-01-01T00:00:00Z

Timestamp at(Duration d) {
  return kStart + d;
}

std::string json(const SlidingWindow& window) {
  std::string out;
  window.encode(out);
  return out;
}

TEST_CASE("the Nth event fires, not the one before and not the one after first") {
  SlidingWindow window;
  for (int i = 1; i <= 9; ++i) REQUIRE_FALSE(window.add(at(Duration::hours(i)), 1, 10, kDay));
  const auto reached = window.add(at(Duration::hours(10)), 1, 10, kDay);
  REQUIRE(reached);
  CHECK(*reached == Reached{at(Duration::hours(1)), at(Duration::hours(10)), 10});
}

TEST_CASE("in D means now - t < D, to the microsecond") {
  struct Case {
    Duration gap;
    bool fires;
  };
  const auto [gap, fires] = GENERATE(values<Case>({{kDay - Duration::seconds(1), true},
                                                   {kDay - Duration{1}, true},
                                                   {kDay, false},
                                                   {kDay + Duration{1}, false},
                                                   {kDay + Duration::seconds(1), false}}));
  SlidingWindow window;
  REQUIRE_FALSE(window.add(kStart, 1, 2, kDay));
  CHECK(window.add(at(gap), 1, 2, kDay).has_value() == fires);
}

TEST_CASE("L3: nine errors before midnight and nine after it are eighteen in ten minutes") {
  SlidingWindow window;
  const Timestamp before = at(kDay - Duration::minutes(10)), after = at(kDay);
  for (int i = 0; i < 9; ++i) REQUIRE_FALSE(window.add(before, 1, 10, kDay));
  CHECK(window.add(after, 1, 10, kDay));
}

TEST_CASE("a late event that completes an interval before newer events fires") {
  SlidingWindow window;
  window.add(at(Duration::seconds(0)), 1, 3, Duration::seconds(11));
  window.add(at(Duration::seconds(10)), 1, 3, Duration::seconds(11));
  window.add(at(Duration::seconds(100)), 1, 3, Duration::seconds(11));
  // The window is full: the pair that falls out still counts for the judgement.
  const auto reached = window.add(at(Duration::seconds(5)), 1, 3, Duration::seconds(11));
  REQUIRE(reached);
  CHECK(*reached == Reached{at(Duration::seconds(0)), at(Duration::seconds(10)), 3});
  CHECK(window.size() == 3);
  CHECK(window.pairs().front().time == at(Duration::seconds(5)));
}

TEST_CASE("one heavy event is enough, and weights near the end of 64 bit do not wrap") {
  SlidingWindow window;
  REQUIRE(window.add(kStart, 10, 10, kDay));
  const auto reached = window.add(at(Duration{1}), UINT64_MAX, 10, kDay);
  REQUIRE(reached);
  CHECK(reached->total == UINT64_MAX);
  CHECK(window.weight_in(kStart - Duration{1}, at(Duration{1})) == UINT64_MAX);
}

TEST_CASE("the quiet deadline is exact: an event Q after the last belongs to the next round") {
  const Duration q = Duration::hours(1);
  SlidingWindow window;
  window.keep(kStart, 1, 10);
  CHECK(window.quiet_deadline(kStart, q) == kStart + q);
  window.keep(kStart + q - Duration{1}, 1, 10);
  CHECK(window.quiet_deadline(kStart, q) == kStart + q + q - Duration{1});
  window.keep(kStart + q + q - Duration{1}, 1, 10);
  CHECK(window.quiet_deadline(kStart, q) == kStart + q + q - Duration{1});
  window.drop_before(kStart + q + q - Duration{1});
  CHECK(window.size() == 1);
  CHECK_FALSE(window.quiet_deadline(kStart + q + q, q));
}

TEST_CASE("a rate that clears at one is a quiet span") {
  SlidingWindow window;
  for (const int s : {0, 10, 25, 100}) window.keep(at(Duration::seconds(s)), 1, 100);
  const Duration q = Duration::seconds(20);
  CHECK(window.quiet_deadline(kStart, q) == at(Duration::seconds(45)));
  CHECK(window.rate_deadline(kStart, at(Duration::seconds(25)), 1, q) == at(Duration::seconds(45)));
  // 0 + 20 is below 2 (only the event at 10), but not behind the firing event.
  CHECK(window.rate_deadline(kStart, at(Duration::seconds(20)), 2, q) == at(Duration::seconds(30)));
}

TEST_CASE("a window of three pairs is small") {
  SlidingWindow window;
  for (int i = 0; i < 3; ++i) window.keep(at(Duration::seconds(i)), 1, 10);
  CHECK(window.heap_bytes() == 48);
  CHECK(sizeof window + window.heap_bytes() <= 64);
  for (int i = 0; i < 5000; ++i) window.keep(at(Duration::seconds(i)), 1, 10);
  CHECK(window.heap_bytes() == 160);
}

TEST_CASE("sliding windows come back from their text, and nonsense does not") {
  SlidingWindow window;
  CHECK(json(window) == "[]");
  window.keep(kStart, 1, 5);
  window.keep(at(Duration::seconds(-1)), UINT64_MAX, 5);
  CHECK(json(window) == "[1767225599000000,18446744073709551615,1767225600000000,1]");
  const std::string text = json(window) + "rest";
  std::string_view rest = text;
  const auto back = SlidingWindow::decode(rest);
  REQUIRE(back);
  CHECK(rest == "rest");
  CHECK(json(*back) == json(window));
  for (std::string_view bad : {"", "[", "[1]", "[1,2", "[1,2,]", "[2,1,1,1]", "[1,-1]",
                               "[1,18446744073709551616]", "[1.5,2]", "{}", "[[1,2]]", "x[1,2]"}) {
    INFO(bad);
    CHECK_FALSE(SlidingWindow::decode(bad));
  }
}

TEST_CASE("sliding windows are what the naive list says") {
  const unsigned seed = GENERATE(range(1u, 401u));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  const std::uint64_t n = static_cast<std::uint64_t>(pick(1, 7));
  const Duration within{pick(1, 12)}, quiet{pick(1, 12)};
  const bool all_one = pick(0, 1) == 0;  // these are judged by their number
  SlidingWindow window;
  naive::Pairs naive;
  for (int i = 0; i < 80; ++i) {
    const Timestamp t{i / 2 + pick(-6, 3)};
    const std::uint64_t w = !all_one && pick(0, 3) == 0 ? static_cast<std::uint64_t>(pick(1, 3)) : 1;
    naive.push_back({t, w});
    naive::sort_by_time(naive);
    const auto expected = naive::reached(naive, t, t + within, n, within);
    naive::keep_newest(naive, n);
    if (pick(0, 4) == 0) {
      window.keep(t, w, n);
    } else {
      REQUIRE(window.add(t, w, n, within) == expected);
    }
    REQUIRE(std::equal(naive.begin(), naive.end(), window.pairs().begin(), window.pairs().end()));
    const Timestamp from{pick(0, 40)}, fired{pick(0, 40)};
    REQUIRE(window.quiet_deadline(from, quiet) == naive::quiet(naive, from, quiet));
    const std::uint64_t few = static_cast<std::uint64_t>(pick(1, 4));
    REQUIRE(window.rate_deadline(from, fired, few, quiet) == naive::rate(naive, from, fired, few, quiet));
    REQUIRE(window.weight_in(from, fired) == naive::weight(naive, from, fired));
    REQUIRE(window.first_reached(n, within) ==
            naive::reached(naive, Timestamp::min(), Timestamp::max(), n, within));
    if (pick(0, 15) == 0) {
      const Timestamp cut{i / 2 - pick(0, 5)};
      window.drop_before(cut);
      std::erase_if(naive, [&](const Pair& p) { return p.time < cut; });
    }
    if (pick(0, 15) == 0) {
      const Timestamp cut{i / 2 - pick(0, 5)};
      window.forget_until(cut);
      std::erase_if(naive, [&](const Pair& p) { return p.time <= cut; });
    }
    if (pick(0, 9) == 0) {
      const std::string text = json(window);
      std::string_view rest = text;
      window = *SlidingWindow::decode(rest);
      REQUIRE(rest.empty());
    }
  }
}

TEST_CASE("a threshold that shrinks or grows at a reload starts with what is remembered") {
  SlidingWindow window;
  for (int i = 0; i < 9; ++i) window.add(at(Duration::seconds(i)), 1, 10, kDay);
  CHECK(window.add(at(Duration::seconds(9)), 1, 5, kDay));
  CHECK(window.size() == 5);
  CHECK_FALSE(window.add(at(Duration::seconds(10)), 1, 7, kDay));
  CHECK(window.add(at(Duration::seconds(11)), 1, 7, kDay));
}

TEST_CASE("reordering within the window does not change that it fires") {
  const unsigned seed = GENERATE(range(1u, 101u));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  std::vector<Timestamp> times;
  for (int i = 0; i < 30; ++i) times.push_back({std::uniform_int_distribution<int>(0, 200)(random)});
  const auto fires = [&](const std::vector<Timestamp>& order) {
    SlidingWindow window;
    bool any = false;
    // N as large as the stream: nothing falls out, so only the set of times may matter.
    for (const Timestamp t : order) any = window.add(t, 1, 9, Duration{50}).has_value() || any;
    return any;
  };
  std::sort(times.begin(), times.end());
  const bool sorted = fires(times);
  // Disorder of less than five: swap neighbours that are closer than that.
  for (std::size_t i = 1; i < times.size(); ++i) {
    if (times[i].us - times[i - 1].us < 5 && random() % 2 == 0) std::swap(times[i], times[i - 1]);
  }
  CHECK(fires(times) == sorted);
}

TEST_CASE("pairs in few bytes: the same come back, and nothing else is taken") {
  for (std::uint64_t seed = 1; seed <= 100; ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    SlidingWindow window;
    for (std::uint64_t n = random() % 30; n > 0; --n) {
      const auto time = static_cast<std::int64_t>(random() >> random() % 64);
      window.keep(Timestamp{random() % 2 == 0 ? time : -time}, 1 + (random() >> random() % 64) / 2, 20);
    }
    std::string bytes;
    window.pack(bytes);
    const std::string longer = bytes + "x";
    std::string_view in = longer;
    const auto back = SlidingWindow::decode(in);
    REQUIRE(back.has_value());
    CHECK(in == "x");
    CHECK(json(*back) == json(window));
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      in = std::string_view(bytes).substr(0, size);
      CHECK_FALSE(SlidingWindow::decode(in).has_value());
    }
  }
  for (const std::string& bad : {std::string("\1\xff\xff\xff\x7f", 5), std::string("\1\2\2\1\1\1", 6)}) {  // too many; out of order
    std::string_view in = bad;
    CHECK_FALSE(SlidingWindow::decode(in).has_value());
  }
}

}  // namespace
}  // namespace correlator::window
