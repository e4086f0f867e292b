// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "naive.h"
#include "window/absence.h"
#include "window/distinct.h"
#include "window/group.h"
#include "window/level.h"
#include "window/tumbling.h"

namespace correlator::window {
namespace {

template <class Window>
std::string json(const Window& window) {
  std::string out;
  window.encode(out);
  return out;
}

template <class Window>
Window reread(const Window& window) {
  const std::string text = json(window) + "]";
  std::string_view rest = text;
  std::optional<Window> back = Window::decode(rest);
  REQUIRE(back);
  REQUIRE(rest == "]");
  REQUIRE(json(*back) == json(window));
  return std::move(*back);
}

template <class Window>
bool rejects(std::string_view text) {
  return !Window::decode(text);
}

TEST_CASE("buckets are counted from 1970 and a new one starts at its first microsecond") {
  CHECK(bucket_begin({0}, {10}) == Timestamp{0});
  CHECK(bucket_begin({9}, {10}) == Timestamp{0});
  CHECK(bucket_begin({10}, {10}) == Timestamp{10});
  CHECK(bucket_begin({-1}, {10}) == Timestamp{-10});
  CHECK(bucket_begin({-10}, {10}) == Timestamp{-10});

  TumblingWindow window;
  using Outcome = TumblingWindow::Outcome;
  CHECK(window.empty());
  CHECK(window.add({12}, 1, 3, {10}).outcome == Outcome::counted);
  CHECK(window.add({19}, 1, 3, {10}).outcome == Outcome::counted);
  CHECK(window.add({10}, 1, 3, {10}).outcome == Outcome::reached);
  CHECK(window.add({9}, 1, 3, {10}).outcome == Outcome::late);
  CHECK(window.total() == 3);
  const auto next = window.add({20}, 2, 3, {10});
  CHECK(next.outcome == Outcome::counted);
  CHECK(next.closed == Timestamp{20});
  CHECK(window.end({10}) == Timestamp{30});
  CHECK(json(window) == "[20,2]");
  TumblingWindow back = reread(window);
  CHECK(back.add({29}, UINT64_MAX, 3, {10}).outcome == Outcome::reached);
  CHECK(back.total() == UINT64_MAX);
  back.restart();
  CHECK(back.total() == 0);
  CHECK(json(reread(TumblingWindow())) == "[]");
  CHECK(rejects<TumblingWindow>("[1]"));
  CHECK(rejects<TumblingWindow>("[1,2,3,4]"));
}

TEST_CASE("a streak counts until it is broken") {
  Streak streak;
  CHECK_FALSE(streak.add(1, 3));
  CHECK_FALSE(streak.add(1, 3));
  streak.broken();
  CHECK(streak.empty());
  CHECK_FALSE(streak.add(2, 3));
  CHECK(reread(streak).add(1, 3));
  CHECK(streak.add(UINT64_MAX, 3));
  CHECK(streak.length() == UINT64_MAX);
  CHECK(rejects<Streak>("[]"));
  CHECK(rejects<Streak>("[1,2]"));
}

TEST_CASE("an answer in [t, t + within) satisfies a wait, whichever came first") {
  using Outcome = AbsenceWait::Outcome;
  const Duration d{10};
  struct Case {
    Timestamp answer;
    bool satisfies;
  };
  const auto [answer, satisfies] =
      GENERATE(values<Case>({{{99}, false}, {{100}, true}, {{109}, true}, {{110}, false}}));
  AbsenceWait first_the_wait;
  CHECK(first_the_wait.after({100}, d) == Outcome::waiting);
  CHECK(first_the_wait.answer(answer, d) == (satisfies ? 1 : 0));
  CHECK(first_the_wait.first_wait().has_value() != satisfies);
  AbsenceWait first_the_answer;
  first_the_answer.answer(answer, d);
  CHECK((first_the_answer.after({100}, d) == Outcome::answered) == satisfies);
}

TEST_CASE("waits and answers are bounded") {
  AbsenceWait wait;
  for (int i = 0; i < 64; ++i) CHECK(wait.after({1000 - i}, {5}) == AbsenceWait::Outcome::waiting);
  CHECK(wait.after({2000}, {5}) == AbsenceWait::Outcome::full);
  CHECK(wait.first_wait() == Timestamp{937});
  wait.pop_wait();
  CHECK(wait.first_wait() == Timestamp{938});
  for (int i = 0; i < 20; ++i) wait.answer({3000 + i % 10}, {5});
  CHECK(wait.answers().size() == 8);
  CHECK(wait.answers().front() == Timestamp{3002});
  wait.forget_answers_until({3002});
  CHECK(wait.answers().front() == Timestamp{3003});
  CHECK(json(reread(wait)).substr(0, 10) == "[[938,939,");
  wait.clear();
  CHECK(json(reread(wait)) == "[[],[]]");
  CHECK(rejects<AbsenceWait>("[[2,1],[]]"));
  CHECK(rejects<AbsenceWait>("[[]]"));
  CHECK(rejects<AbsenceWait>("[[],[1,2,3,4,5,6,7,8,9]]"));
}

TEST_CASE("a heartbeat keeps the latest time") {
  Heartbeat heart;
  CHECK(json(heart) == "[]");
  heart.beat({5});
  heart.beat({3});
  CHECK(heart.last() == Timestamp{5});
  CHECK(reread(heart).last() == Timestamp{5});
  CHECK(rejects<Heartbeat>("[1,2]"));
}

TEST_CASE("a rise is measured from the smallest value in (t - within, t]") {
  LevelWindow level;
  const Duration d{10};
  CHECK(level.add({0}, 100, d) == 0);
  CHECK(level.add({9}, 107, d) == 7);
  CHECK(level.add({10}, 108, d) == 1);  // the one at 0 is out
  CHECK(level.add({8}, 101, d) == 1);   // late: sees (-2, 8]
  CHECK(level.add({11}, 90, d) == 0);
  LevelWindow back = reread(level);
  CHECK(back.add({20}, UINT64_MAX, d) == UINT64_MAX - 90);
  for (int i = 0; i < 100; ++i) back.add({100 + i}, 1, d);
  CHECK(back.values().size() == 64);
  CHECK(back.values().front().time == Timestamp{136});
  back.forget_until({136});
  CHECK(back.values().front().time == Timestamp{137});
}

TEST_CASE("three hosts in an hour: the boundary of within and of n") {
  DistinctWindow window;
  CHECK_FALSE(window.add({0}, "a", 3, {10}).reached);
  CHECK_FALSE(window.add({1}, "a", 3, {10}).reached);
  CHECK_FALSE(window.add({1}, "b", 3, {10}).reached);
  CHECK_FALSE(window.add({11}, "c", 3, {10}).reached);
  CHECK(window.add({10}, "c", 3, {10}).reached == Reached{{1}, {10}, 3});
  CHECK(window.add({5}, "d", 3, {10}).reached == Reached{{0}, {5}, 3});
  CHECK(window.values_in({1}, {10}) == 2);
  CHECK(window.values({-1}, {1}) == std::vector<std::string_view>{"a", "b"});
}

TEST_CASE("values are exact and may hold any byte") {
  DistinctWindow window;
  const std::vector<std::string> values = {
      "", "a\"b\\c", std::string("\0x", 2), "\xff\xfe", "h\xc3\xa4", "\x1b[2J", "] , [", "é"};
  for (std::size_t i = 0; i < values.size(); ++i) window.add({static_cast<int>(i)}, values[i], 100, {100});
  window.add({50}, values[2], 100, {100});
  DistinctWindow back = reread(window);
  CHECK(back.values({-1}, {100}).size() == values.size());
  CHECK(back.add({60}, values[3], values.size(), {100}).reached->total == values.size());
  for (std::string_view bad :
       {"[", "[[]]", R"([["a"]])", R"([["a",1,1]])", R"([["a",2],["b",1]])", R"([[1,2]])",
        R"([[{"bytes":"0"},1]])", R"([[{"bytes":"zz"},1]])", R"([["a)"}) {
    INFO(bad);
    CHECK(rejects<DistinctWindow>(bad));
  }
}

TEST_CASE("the value whose newest time is oldest goes first") {
  DistinctWindow window;
  for (int i = 0; i < 1024; ++i) CHECK_FALSE(window.add({i}, std::to_string(i), 5000, {10}).evicted);
  window.add({5000}, "0", 5000, {10});
  CHECK(window.add({5001}, "new", 5000, {10}).evicted);
  CHECK(window.values({-1}, {1}) == std::vector<std::string_view>{"0"});
  CHECK(window.keep({-7}, "older than all"));
  CHECK(window.size() == 1024);
  CHECK(window.values({-8}, {-7}).empty());
}

TEST_CASE("distinct windows are what the naive map says") {
  const unsigned seed = GENERATE(range(1u, 201u));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  const std::uint64_t n = static_cast<std::uint64_t>(pick(1, 5));
  const Duration within{pick(1, 20)}, quiet{pick(1, 9)};
  DistinctWindow window;
  naive::Values naive;
  for (int i = 0; i < 150; ++i) {
    const Timestamp t{i / 2 + pick(-8, 4)};
    const std::string value(1, static_cast<char>('a' + pick(0, 6)));
    naive[value].insert(t);
    const auto expected = naive::reached(naive, t, t + within, n, within);
    if (naive[value].size() > 8) naive[value].erase(naive[value].begin());
    if (pick(0, 4) == 0) {
      window.keep(t, value);
    } else {
      REQUIRE(window.add(t, value, n, within).reached == expected);
    }
    const naive::Pairs all = naive::all_times(naive);
    const Timestamp from{pick(0, 80)}, upto{pick(0, 80)};
    REQUIRE(window.quiet_deadline(from, quiet) == naive::quiet(all, from, quiet));
    REQUIRE(window.values_in(from, upto) == naive::different(naive, from, upto));
    REQUIRE(window.first_reached(n, within) ==
            naive::reached(naive, Timestamp::min(), Timestamp::max(), n, within));
    REQUIRE(window.size() == naive.size());
    if (pick(0, 20) == 0) {
      const Timestamp cut{i / 2 - pick(0, 8)};
      pick(0, 1) == 0 ? window.drop_before(cut) : window.forget_until(cut - Duration{1});
      for (auto& [v, times] : naive) std::erase_if(times, [&](Timestamp x) { return x < cut; });
      std::erase_if(naive, [](const auto& entry) { return entry.second.empty(); });
    }
    if (pick(0, 9) == 0) window = reread(window);
  }
}

TEST_CASE("a group needs every member inside one span") {
  const std::vector<std::uint64_t> counts = {2, 1};
  const std::vector<std::uint32_t> first = {0}, second = {1}, both = {0, 1};
  GroupWindow window;
  CHECK(window.empty());
  CHECK_FALSE(window.add({0}, 1, first, counts, {10}));
  CHECK_FALSE(window.add({10}, 1, second, counts, {10}));
  CHECK_FALSE(window.add({11}, 1, first, counts, {10}));
  CHECK(window.add({9}, 1, first, counts, {10}) == Reached{{9}, {11}, 3});
  CHECK(window.pairs(0).size() == 2);
  CHECK(window.quiet_deadline({0}, {5}) == Timestamp{16});
  GroupWindow back = reread(window);
  CHECK(back.newest() == Timestamp{11});
  back.forget_until({11});
  CHECK(back.empty());
  CHECK_FALSE(back.add({100}, 1, both, counts, {10}));
  CHECK(back.add({101}, 1, both, counts, {10}) == Reached{{100}, {101}, 4});
  CHECK(rejects<GroupWindow>("[[1]]"));
}

TEST_CASE("groups are what the naive lists say") {
  const unsigned seed = GENERATE(range(1u, 201u));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  const std::uint32_t members = static_cast<std::uint32_t>(pick(2, 3));
  std::vector<std::uint64_t> counts;
  for (std::uint32_t m = 0; m < members; ++m) counts.push_back(static_cast<std::uint64_t>(pick(1, 4)));
  const Duration within{pick(1, 15)};
  GroupWindow window;
  std::vector<naive::Pairs> naive(members);
  const auto expected = [&](Timestamp from, Timestamp before) -> std::optional<Reached> {
    naive::Pairs all;
    for (const naive::Pairs& pairs : naive) all.insert(all.end(), pairs.begin(), pairs.end());
    naive::sort_by_time(all);
    for (const Pair& p : all) {
      if (p.time < from || p.time >= before) continue;
      bool every = true;
      for (std::uint32_t m = 0; m < members; ++m) {
        every = every && naive::weight(naive[m], p.time - within, p.time) >= counts[m];
      }
      if (every) return naive::reached(all, p.time, p.time + Duration{1}, 1, within);
    }
    return std::nullopt;
  };
  for (int i = 0; i < 100; ++i) {
    const Timestamp t{i / 2 + pick(-6, 3)};
    const std::uint64_t w = static_cast<std::uint64_t>(pick(1, 2));
    std::vector<std::uint32_t> hit;
    while (hit.empty()) {
      for (std::uint32_t m = 0; m < members; ++m) {
        if (pick(0, 2) == 0) hit.push_back(m);
      }
    }
    for (const std::uint32_t m : hit) naive[m].push_back({t, w});
    for (naive::Pairs& pairs : naive) naive::sort_by_time(pairs);
    const auto reached = expected(t, t + within);
    for (std::uint32_t m = 0; m < members; ++m) naive::keep_newest(naive[m], counts[m]);
    if (pick(0, 4) == 0) {
      window.keep(t, w, hit, counts);
    } else {
      REQUIRE(window.add(t, w, hit, counts, within) == reached);
    }
    REQUIRE(window.first_reached(counts, within) == expected(Timestamp::min(), Timestamp::max()));
    if (pick(0, 15) == 0) {
      const Timestamp cut{i / 2 - pick(0, 5)};
      window.drop_before(cut);
      for (naive::Pairs& pairs : naive) std::erase_if(pairs, [&](const Pair& p) { return p.time < cut; });
    }
    if (pick(0, 9) == 0) window = reread(window);
  }
}

}  // namespace
}  // namespace correlator::window
