// SPDX-License-Identifier: Apache-2.0
// Rows of windows: every operation's state comes back as it was, the older form is read, and damaged bytes are an error
// that names the row, never anything else.
#include <map>
#include <random>
#include <set>

#include "base/varint.h"
#include "diagnosing.h"
#include "effort.h"
#include "key_text.h"
#include "seq_table.h"
#include "trail.h"

namespace correlator::engine::test {
namespace {

// One rule of each operation.
constexpr std::string_view kOperations = R"toml(
[lookup.hosts]
file = "hosts"
key = ["host"]
columns = ["host"]
[[rule]]
id = "count"
on = "a"
count = "3 in 2m"
[[rule]]
id = "bucket"
on = "a"
count = { threshold = "3 in 1m", window = "tumbling" }
[[rule]]
id = "rate"
on = ["a", "b"]
rate = { raise = "5 in 1m", clear = "2 in 1m" }
[[rule]]
id = "distinct"
on = "a"
key = ["k ?? ''"]
distinct = "3 host in 1m"
[[rule]]
id = "streak"
on = "b"
streak = 3
broken_by = "c"
[[rule]]
id = "sequence"
key = ["host"]
sequence = { within = "1m", steps = [{ on = "a", as = "p" }, { on = "b", where = "(k ?? '') == (p.k ?? '-')" }] }
[[rule]]
id = "answer"
key = ["host", "k ?? ''"]
absence = { after = "a", of = "c", within = "30s" }
[[rule]]
id = "silent"
key = ["host"]
absence = { of = ["a", "b", "c"], for = "2m", expected = "hosts.host", grace = "1m" }
[[rule]]
id = "group"
key = ["host"]
group = { within = "1m", of = [{ on = "a", count = 2 }, { on = "c" }] }
[[rule]]
id = "above"
on = "a"
level = { of = "v ?? 0", above = 6 }
[[rule]]
id = "rise"
on = "b"
level = { of = "v ?? 0", rises_by = 5, within = "1m" }
[[rule]]
id = "again"
on = "b"
count = { threshold = "4 in 5m", rearm = "at-once" }
cooldown = "2m"
[[rule]]
id = "clock"
schedule = "*/7 * * * *"
)toml";

// What a store holds after `n` random lines.
Rows random_rows(std::uint64_t seed, Diagnosing& d, int n) {
  std::mt19937_64 random(seed);
  const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  d.lookup("hosts", {{"h0"}, {"h1"}, {"h7"}});
  std::int64_t now = 0;
  for (int i = 0; i < n; ++i) {
    now += pick(6);
    std::string text(1, "aabbc"[pick(5)]);
    if (pick(2) == 0) text += " k=" + std::to_string(pick(3));
    if (pick(4) == 0) text += " n=" + std::to_string(1 + pick(300));
    if (pick(2) == 0) text += " v=" + std::to_string(pick(12));
    d.say(s(std::max<std::int64_t>(0, now - pick(4))), text, "h" + std::to_string(pick(4)),
          pick(10) == 0 ? syslog::Origin::claimed_kernel : syslog::Origin::kernel);
  }
  Rows rows;
  d.save(rows);
  return rows;
}

std::vector<StateRow> list_of(const Rows& rows) {
  std::vector<StateRow> list;
  for (const auto& [place, row] : rows) list.push_back(row);
  return list;
}

TEST_CASE("a restored window writes the bytes it was read from, whatever its operation") {
  std::map<std::string, int> seen;
  for (std::uint64_t seed = 1; seed <= effort(30); ++seed) {
    INFO("seed " << seed);
    Diagnosing d(kOperations);
    const Rows rows = random_rows(seed, d, 60);
    Engine engine;
    REQUIRE(engine.restore(d.engine().rules(), d.engine().seq(), list_of(rows)).ok());
    // The same rules again: everything becomes rows and is read back, and what changed is written.
    StepOutput out;
    engine.step({engine.seq() + 1, RulesRecord{d.engine().rules()}}, out);
    engine.step({engine.seq() + 1, MarkRecord{*engine.clock()}}, out);
    REQUIRE(engine.live_windows() == d.engine().live_windows());
    std::vector<std::string> before, after;
    d.engine().windows([&](const WindowView& view) { before.push_back(view.rule + to_text(view.key) + view.stands); });
    engine.windows([&](const WindowView& view) { after.push_back(view.rule + to_text(view.key) + view.stands); });
    CHECK(before == after);
    // A further event for every key makes both write all of their rows.
    Diagnosing other(kOperations);
    other.restart(rows, d.engine().seq());
    Rows mine, theirs;
    for (Diagnosing* one : {&d, &other}) {
      for (const char* host : {"h0", "h1", "h2", "h3"}) {
        for (const char* what : {"a", "b", "a k=0", "a k=1", "a k=2", "b v=3"}) one->say(m(30), what, host);
      }
    }
    d.save(mine);
    other.save(theirs);
    for (const auto& [place, row] : mine) {
      if (row.kind != StateKind::window) continue;
      ++seen[row.owner];
      INFO(row.owner << " " << row.key);
      REQUIRE(theirs.contains(place));
      CHECK(theirs.at(place).body == row.body);
      CHECK(theirs.at(place).window.have == row.window.have);
      CHECK(theirs.at(place).window.oldest == row.window.oldest);
      CHECK(theirs.at(place).window.newest == row.window.newest);
    }
  }
  for (const char* rule : {"count", "bucket", "rate", "distinct", "streak", "sequence", "answer", "silent", "group",
                           "above", "rise", "again", "clock"}) {
    INFO(rule);
    CHECK(seen[rule] > 0);
  }
}

TEST_CASE("a row that was cut short names itself; one with other bytes does, or is a state like any other") {
  for (std::uint64_t seed = 1; seed <= effort(3); ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    Diagnosing d(kOperations);
    const Rows rows = random_rows(seed, d, 40);
    const auto restored = [&](const StateRow& bad) {
      std::vector<StateRow> list;
      for (const auto& [place, row] : rows) {
        if (row.kind == StateKind::engine) list.push_back(row);
      }
      list.push_back(bad);
      Engine engine;
      const Status status = engine.restore(d.engine().rules(), d.engine().seq(), list);
      if (status.ok()) engine.windows([](const WindowView&) {});
      return status;
    };
    for (const auto& [place, row] : rows) {
      if (row.kind != StateKind::window) continue;
      INFO(row.owner << " " << row.key);
      REQUIRE(restored(row).ok());
      StateRow bad = row;
      for (std::size_t size = 0; size < row.body.size(); size += 10 / effort(10)) {
        bad.body = row.body.substr(0, size);
        const Status status = restored(bad);
        REQUIRE_FALSE(status.ok());
        CHECK(status.error().code == "E310");
        CHECK(status.error().message.find(std::to_string(row.id)) != std::string::npos);
      }
      for (std::uint64_t i = 0; i < effort(60); ++i) {
        bad.body = row.body;
        for (std::uint64_t n = 1 + random() % 3; n > 0; --n) {
          bad.body[random() % bad.body.size()] = static_cast<char>(random() % 256);
        }
        const Status status = restored(bad);
        CHECK((status.ok() || status.error().code == "E310"));
      }
      bad.body = row.body + "x";
      CHECK_FALSE(restored(bad).ok());
      bad.body = row.body;
      bad.body[0] = 2;  // a version to come
      CHECK_FALSE(restored(bad).ok());
    }
  }
}

TEST_CASE("the older form of a row: JSON") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"a\"\ncount = \"3 in 1h\"\n");
  d.say(s(0), "a");
  d.say(s(10), "a");
  Rows rows;
  d.save(rows);
  const std::int64_t begin = kStart.us;
  bool replaced = false;
  for (auto& [place, row] : rows) {
    if (row.kind != StateKind::window) continue;
    row.body = "{\"k\":[\"h1\"],\"s\":[" + std::to_string(begin) + ",1," + std::to_string(begin + 10'000'000) +
               ",1],\"e\":[2,2," + std::to_string(begin) + ",2,10000000,1]}";
    replaced = true;
  }
  REQUIRE(replaced);
  d.restart(rows);
  CHECK(d.say(s(20), "a").size() == 1);
  CHECK(d.out().decisions.at(0).evidence.size() == 3);
}

TEST_CASE("trails: whatever lines, the same come back, and no other bytes are taken") {
  for (std::uint64_t seed = 1; seed <= effort(200); ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    Evidence lines;
    for (std::uint64_t n = 1 + random() % 40; n > 0; --n) {
      lines.add({Timestamp{static_cast<std::int64_t>(random() >> random() % 64)}, random() >> random() % 64,
                 static_cast<Trust>(seed % 2 == 0 ? 1 : random() % 3)});
    }
    std::string bytes;
    lines.encode(bytes);
    std::string_view in = bytes;
    const auto back = Evidence::decode(in);
    REQUIRE(back.has_value());
    CHECK(in.empty());
    CHECK(back->lines == lines.lines);
    CHECK(back->total == lines.total);
    for (std::size_t size = 0; size < bytes.size(); ++size) {
      in = std::string_view(bytes).substr(0, size);
      CHECK_FALSE(Evidence::decode(in).has_value());
    }
  }
}

TEST_CASE("a trail that grows and loses its front holds the lines that evidence with room for all holds") {
  for (std::uint64_t seed = 1; seed <= effort(100); ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    EvidenceStore store;
    Trail trail;
    Evidence model;
    Timestamp now{static_cast<std::int64_t>(random() % 1000)};
    for (std::uint64_t i = 1; i <= 200; ++i) {
      if (random() % 6 == 0) {
        const Timestamp before{now.us - static_cast<std::int64_t>(random() % 60)};
        trail.drop_before(before, store);
        const auto gone = std::erase_if(model.lines, [&](const TrailLine& line) { return line.time < before; });
        model.total = model.lines.empty() ? 0 : model.total - gone;
      } else {
        now.us += static_cast<std::int64_t>(random() % 8) - (random() % 8 == 0 ? 20 : 0);  // some come late
        Event event;
        event.time = now;
        event.trust = static_cast<Trust>(seed % 3 == 0 ? 1 : random() % 3);
        for (std::uint64_t n = random() % 5 == 0 ? 3 : 1; n > 0; --n) {
          const std::uint64_t seq = random() % 9 == 0 ? 1 + random() % i : i;
          event.lines.push_back({seq, now});
          store.add({seq, now, "h", "text", "f", 1});
        }
        trail.add(event, store);
        model.add(event);
      }
      store.sweep();
      REQUIRE(trail.empty() == model.lines.empty());
      REQUIRE(trail.all().lines == model.lines);
      REQUIRE(trail.all().total == model.total);
      if (model.lines.empty()) continue;
      REQUIRE(trail.times() == std::pair(model.lines.front().time, model.lines.back().time));
      std::string_view bytes = trail.encoded();
      REQUIRE(Evidence::decode(bytes).has_value());  // as a start takes it
      REQUIRE(bytes.empty());
      std::set<std::uint64_t> kept;
      for (const TrailLine& line : model.lines) kept.insert(line.seq);
      REQUIRE(store.size() == kept.size());
    }
    trail.clear(store);
    store.sweep();
    REQUIRE(store.size() == 0);
  }
}

TEST_CASE("numbers in few bytes") {
  for (const std::uint64_t n : {std::uint64_t{0}, std::uint64_t{127}, std::uint64_t{128}, UINT64_MAX, UINT64_MAX >> 1}) {
    std::string bytes;
    put_varint(bytes, n);
    std::string_view in = bytes;
    std::uint64_t back = 1;
    REQUIRE(take_varint(in, back));
    CHECK(back == n);
    CHECK(in.empty());
  }
  for (const std::int64_t n : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{63}, INT64_MIN, INT64_MAX}) {
    std::string bytes;
    put_signed(bytes, n);
    std::string_view in = bytes;
    std::int64_t back = 1;
    REQUIRE(take_signed(in, back));
    CHECK(back == n);
  }
  std::uint64_t n = 0;
  for (const std::string& bad : {std::string(), std::string("\x80"), std::string(10, '\xff'), std::string(9, '\x80') + '\2'}) {
    std::string_view in = bad;
    CHECK_FALSE(take_varint(in, n));
  }
}

TEST_CASE("a table by number is what a map is, neighbours and far ones, erased and added again") {
  for (std::uint64_t seed = 1; seed <= effort(20); ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    SeqTable<int> table;
    std::map<std::uint64_t, int> map;
    for (int i = 0; i < 3'000; ++i) {
      const std::uint64_t seq = random() % 3 == 0 ? random() >> random() % 64 : random() % 400;
      if (random() % 3 == 0) {
        table.erase(seq);
        map.erase(seq);
      } else {
        table[seq] = map[seq] = i;
      }
      const std::uint64_t asked = random() % 400;
      const int* found = table.find(asked);
      REQUIRE((found != nullptr) == map.contains(asked));
      if (found != nullptr) REQUIRE(*found == map[asked]);
    }
    REQUIRE(table.size() == map.size());
    for (const auto& [seq, value] : map) REQUIRE(*table.find(seq) == value);
  }
}

}  // namespace
}  // namespace correlator::engine::test
