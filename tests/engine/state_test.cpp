// SPDX-License-Identifier: Apache-2.0
// State in and out: restarts and reloads change no decision.
#include <random>

#include "base/text.h"
#include "diagnosing.h"
#include "effort.h"
#include "key_text.h"
#include "base/json.h"

namespace correlator::engine::test {
namespace {

constexpr std::string_view kEverything = R"toml(
[lookup.hosts]
file = "hosts"
key = ["host"]
columns = ["host"]
[action.act]
run = "act"
args = ["${what}"]
needs = ["what"]
echoes = [{ on = "d", for = "10s" }]
[[rule]]
id = "count"
on = "a"
count = "3 in 2m"
then = [{ do = "act", with = { what = "${host}" } }, { do = "act", with = { what = "late ${count}" }, after = "3m", every = "1m", at_most = 2, unless = "cleared" }]
then_clear = [{ do = "act", with = { what = "clear" } }]
emit = { class = "s" }
[[rule]]
id = "keys"
on = "a"
key = ["host", "list ?? ['none']"]
count = "2 in 1m"
[[rule]]
id = "again"
on = ["a", "b"]
count = { threshold = "4 in 5m", rearm = "at-once" }
cooldown = "2m"
[[rule]]
id = "bucket"
on = "b"
count = { threshold = "3 in 1m", window = "tumbling" }
[[rule]]
id = "rate"
on = ["a", "b"]
rate = { raise = "5 in 1m", clear = "2 in 1m" }
[[rule]]
id = "distinct"
on = "a"
key = ["'all'"]
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
id = "any"
key = ["host"]
sequence = { within = "1m", ordered = false, steps = ["b", "c"] }
clear = { quiet_for = "1m" }
[[rule]]
id = "answer"
key = ["host", "k ?? ''"]
absence = { after = "a", of = "b", within = "30s" }
[[rule]]
id = "silent"
key = ["host"]
absence = { of = ["a", "b", "c"], for = "2m", expected = "hosts.host", grace = "1m" }
[[rule]]
id = "group"
key = ["host"]
group = { within = "1m", of = [{ on = "a", count = 2 }, { on = "c" }] }
[[rule]]
id = "level"
on = "a"
level = { of = "v ?? 0", above = 6 }
[[rule]]
id = "rise"
on = "b"
level = { of = "v ?? 0", rises_by = 5, within = "1m" }
[[rule]]
id = "clock"
schedule = "*/7 * * * *"
[[rule]]
id = "held"
on = "a"
unless = [{ on = "c", after = "40s" }, "context('quiet', host)"]
clear = { quiet_for = "50s" }
[[rule]]
id = "ignored"
on = "b"
ignore = { on = "c", before = "5s", after = "20s" }
count = "2 in 1m"
[[rule]]
id = "context"
on = "d"
set = { name = "quiet", key = ["host"], for = "1m", at_end = [{ do = "act", with = { what = "over" } }] }
[[rule]]
id = "racks"
on = "s"
key = ["'all'"]
count = "2 in 10m"
[[mute]]
during = { on = "d", after = "20s" }
rules = ["level", "rate"]
)toml";

struct Line {
  Duration at;
  std::string text, host;
  syslog::Origin origin = syslog::Origin::kernel;
  bool mark = false;
};

std::vector<Line> random_lines(std::mt19937_64& random, int n) {
  std::vector<Line> out;
  std::int64_t now = 0;
  const auto pick = [&](int below) { return static_cast<int>(random() % static_cast<unsigned>(below)); };
  for (int i = 0; i < n; ++i) {
    now += pick(20) == 0 ? pick(400) : pick(8);
    Line line;
    line.at = s(std::max<std::int64_t>(0, now - (pick(4) == 0 ? pick(8) : 0)));
    if (pick(200) == 0) line.at = s(std::max<std::int64_t>(0, now - 90'000));
    line.mark = pick(15) == 0;
    line.text = std::string(1, "aaabbccd"[pick(8)]);
    if (pick(2) == 0) line.text += " k=" + std::to_string(pick(3));
    if (pick(4) == 0) line.text += " n=" + std::to_string(1 + pick(3));
    if (pick(2) == 0) line.text += " v=" + std::to_string(pick(12));
    if (pick(3) == 0) line.text += std::string(" list=") + (pick(2) == 0 ? "p" : "p,q");
    line.host = "h" + std::to_string(pick(4));
    if (pick(10) == 0) line.origin = syslog::Origin::claimed_kernel;
    out.push_back(line);
  }
  return out;
}

std::string feed(Diagnosing& d, const Line& line) {
  if (line.mark) {
    d.mark(line.at);
  } else {
    d.say(line.at, line.text, line.host, line.origin);
  }
  return d.bytes();
}

// Decisions come back as outcomes now and then, or escalations and echoes would never end otherwise.
void outcomes(Diagnosing& d, const Line& line) {
  std::vector<std::string> ids;
  for (const Decision& decision : d.out().decisions) {
    if (decision.id[0] < '8' && decision.fate == Decision::Fate::decided) ids.push_back(decision.id);
  }
  for (const std::string& id : ids) {
    d.step(OutcomeRecord{id, id[1] < '8' ? OutcomeRecord::Result::done : OutcomeRecord::Result::failed,
                         kStart + line.at});
  }
}

// The first line in which two outputs differ, or nothing.
std::string difference(const std::string& a, const std::string& b) {
  const auto left = split(a, "\n"), right = split(b, "\n");
  for (std::size_t i = 0; i < std::max(left.size(), right.size()); ++i) {
    const std::string_view l = i < left.size() ? left[i] : "nothing", r = i < right.size() ? right[i] : "nothing";
    if (l != r) return "line " + std::to_string(i) + ": " + std::string(l) + "\n but: " + std::string(r);
  }
  return {};
}

void same_rows(const Rows& a, const Rows& b) {
  for (const auto& [place, row] : a) {
    INFO("kind " << static_cast<int>(place.first) << " owner " << row.owner << " key " << row.key);
    const auto other = b.find(place);
    REQUIRE(other != b.end());
    CHECK(row.owner == other->second.owner);
    CHECK(row.key == other->second.key);
    CHECK(row.body == other->second.body);
  }
  CHECK(a.size() == b.size());
}

TEST_CASE("restarting at any point changes no decision and no row") {
  for (std::uint64_t seed = 1; seed <= effort(12); ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto lines = random_lines(random, 400);
    Diagnosing whole(kEverything), parts(kEverything);
    for (Diagnosing* d : {&whole, &parts}) d->lookup("hosts", {{"h0"}, {"h1"}, {"h7"}});
    Rows whole_rows, rows;
    std::size_t fired = 0;
    for (const Line& line : lines) {
      if (random() % 20 == 0) {
        parts.save(rows);
        if (random() % 2 == 0) parts.restart(rows);
      }
      const std::string expected = feed(whole, line);
      fired += whole.out().decisions.size();
      REQUIRE(difference(feed(parts, line), expected) == std::string());
      outcomes(whole, line);
      outcomes(parts, line);
    }
    CHECK(fired > 50);
    whole.save(whole_rows);
    parts.save(rows);
    same_rows(whole_rows, rows);
    Rows nothing;
    parts.save(nothing);
    CHECK(nothing.size() <= 1);
    CHECK(whole.engine().live_windows() == parts.engine().live_windows());
    CHECK(whole.engine().open_cases() == parts.engine().open_cases());
  }
}

TEST_CASE("a reload with the same meaning changes no decision") {
  for (std::uint64_t seed = 1; seed <= effort(6); ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    const auto lines = random_lines(random, 200);
    Diagnosing whole(kEverything), parts(kEverything);
    for (Diagnosing* d : {&whole, &parts}) d->lookup("hosts", {{"h0"}, {"h1"}, {"h7"}});
    Rows rows;
    for (const Line& line : lines) {
      if (random() % 30 == 0) {
        parts.reload("# a comment\n" + std::string(kEverything));
        parts.save(rows);
        whole.step(EndRecord{});  // so that both stand at the same number
      }
      // Numbers of the intake are the same, so evidence and decisions are too.
      REQUIRE(difference(feed(parts, line), feed(whole, line)) == std::string());
    }
  }
}

TEST_CASE("L2: four, an edit of the rule file, the fifth fires") {
  const auto rules = [](std::string_view title, std::string_view threshold) {
    return "[[rule]]\nid = \"r\"\ntitle = \"" + std::string(title) + "\"\non = \"a\"\ncount = \"" +
           std::string(threshold) + "\"\n";
  };
  Diagnosing d(rules("one", "5 in 24h"));
  for (int i = 0; i < 4; ++i) d.say(h(i), "a");
  d.reload(rules("two", "5 in 24h"));
  CHECK(d.say(h(4), "a").size() == 1);
  // A threshold: what is remembered counts on.
  Diagnosing lower(rules("one", "5 in 24h"));
  for (int i = 0; i < 3; ++i) lower.say(h(i), "a");
  lower.reload(rules("one", "4 in 24h"));
  CHECK(lower.say(h(4), "a").size() == 1);
}

TEST_CASE("another meaning drops the state and plan() says so; a removed rule keeps it for 7 days") {
  const std::string one = "[[rule]]\nid = \"r\"\non = \"a\"\ncount = \"2 in 300h\"\n";
  const std::string other = "[[rule]]\nid = \"r\"\non = \"a\"\nkey = [\"k ?? ''\"]\ncount = \"2 in 300h\"\n";
  const std::string unrelated = "[[rule]]\nid = \"q\"\non = \"b\"\n";
  Diagnosing d(one);
  d.say(s(0), "a");
  CHECK(d.engine().plan(*load(alphabet() + other)) ==
        Shown{"r: counts something else now; 1 live window, 0 open cases dropped"});
  CHECK(d.engine().plan(*load(alphabet() + unrelated)) ==
        Shown{"r: removed; 1 live window, 0 open cases kept for 7 days", "q: new"});
  CHECK(d.engine().plan(d.rules()) == Shown{"r: kept; 1 live window, 0 open cases"});
  d.reload(other);
  CHECK(d.engine().live_windows() == 0);
  CHECK(d.say(s(1), "a") == kNone);

  for (const auto& [away, fires] : {std::pair{h(24 * 7) - s(1), true}, {h(24 * 7), false}}) {
    Diagnosing gone(one);
    Rows rows;
    gone.say(s(0), "a");
    gone.reload(unrelated);
    gone.save(rows);
    gone.restart(rows);
    gone.mark(away);
    gone.reload(one);
    INFO(to_string(away));
    CHECK(gone.say(away + s(1), "a").size() == (fires ? 1 : 0));
    if (fires) CHECK(gone.out().decisions[0].evidence.size() == 2);
  }
}

TEST_CASE("L6: rules share no state: adding one changes no other one's decisions") {
  const std::vector<std::string> pool = {
      "on = \"a\"\ncount = \"2 in 1m\"\n",
      "on = \"a\"\n",
      "on = \"b\"\nstreak = 2\nbroken_by = \"a\"\n",
      "on = \"a\"\nunless = { on = \"b\", after = \"10s\" }\n",
      "on = \"b\"\nignore = { on = \"a\", after = \"4s\" }\n",
      "key = [\"host\"]\nsequence = { within = \"1m\", steps = [\"a\", \"b\"] }\n",
      "key = [\"host\"]\nabsence = { of = \"a\", for = \"20s\" }\n",
      "on = \"a\"\nkey = [\"'all'\"]\ndistinct = \"2 host in 1m\"\n",
      "on = \"a\"\nhold = \"7s\"\ncount = \"2 in 1m\"\n",
      "schedule = \"*/2 * * * *\"\n",
  };
  for (std::uint64_t seed = 1; seed <= effort(20); ++seed) {
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    std::string rules;
    for (int i = 0; i < 4; ++i)
      rules += "[[rule]]\nid = \"r" + std::to_string(i) + "\"\n" + pool[random() % pool.size()];
    const std::string added = "[[rule]]\nid = \"new\"\n" + pool[random() % pool.size()];
    Diagnosing alone(rules), before(added + rules), after(rules + added);
    for (const Line& line : random_lines(random, 150)) {
      const auto others = [&](Diagnosing& d) {
        feed(d, line);
        std::string out;
        for (const Decision& decision : d.out().decisions) {
          if (decision.rule != "new") out += to_line(to_json(decision)) + "\n";
        }
        return out;
      };
      const std::string expected = others(alone);
      REQUIRE(others(before) == expected);
      REQUIRE(others(after) == expected);
    }
  }
}

TEST_CASE("a row that does not fit is an error, not a guess") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"a\"\ncount = \"3 in 1h\"\n");
  d.say(s(0), "a");
  Rows rows;
  d.save(rows);
  for (auto& [place, row] : rows) {
    if (row.kind == StateKind::evidence) continue;
    for (const std::string& bad :
         {std::string("{}"), std::string("["), std::string("{\"k\":[\"h1\"],\"s\":[1,2,3]}"),
          std::string("{\"ids\":\"x\"}"), std::string("null")}) {
      Rows broken = rows;
      broken[place].body = bad;
      std::vector<StateRow> list;
      for (const auto& [p, r] : broken) list.push_back(r);
      Engine engine;
      const Status status = engine.restore(d.engine().rules(), 2, list);
      REQUIRE_FALSE(status.ok());
      CHECK(status.error().code == "E310");
    }
  }
}

TEST_CASE("looking: windows, explain") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"a\"\nwhere = \"(v ?? 0) < 5\"\ncount = \"3 in 1h\"\n");
  d.say(s(0), "a");
  d.say(m(1), "a");
  std::vector<WindowView> views;
  d.engine().windows([&](const WindowView& view) { views.push_back(view); });
  REQUIRE(views.size() == 1);
  CHECK(views[0].have == 2);
  CHECK(views[0].need == 3);
  CHECK(views[0].stands == "2 of 3 in 1h; 1 more before 2026-01-01T01:00:00Z");
  d.say(m(2), "a v=7");
  auto explained = d.engine().explain(d.out().events.at(0));
  REQUIRE(explained.size() == 1);
  CHECK_FALSE(explained[0].takes_part);
  CHECK(explained[0].text == "where does not hold: (v ?? 0) < 5");
  d.say(m(3), "a", "h2");
  explained = d.engine().explain(d.out().events.at(0));
  CHECK(explained[0].takes_part);
}

TEST_CASE("packed keys order as the values do and come back") {
  std::mt19937_64 random(7);
  const auto value = [&](auto& self, int depth) -> expr::Value {
    switch (random() % (depth > 0 ? 7 : 6)) {
      case 0:
        return {};
      case 1:
        return random() % 2 == 0;
      case 2:
        return std::uint64_t{random() >> (random() % 64)};
      case 3: {
        std::string text;
        for (std::uint64_t i = random() % 4; i > 0; --i)
          text += static_cast<char>(std::string_view("\0\1a\xff", 4)[random() % 4]);
        return text;
      }
      case 4:
        return Duration{static_cast<std::int64_t>(random() % 1000) - 500};
      case 5:
        return Timestamp{static_cast<std::int64_t>(random() % 1000) - 500};
      default: {
        expr::Value::List list;
        for (std::uint64_t i = random() % 3; i > 0; --i) list.push_back(self(self, depth - 1));
        return list;
      }
    }
  };
  for (int i = 0; i < 20'000; ++i) {
    const std::vector<expr::Value> a = {value(value, 2), value(value, 2)},
                                   b = {value(value, 2), value(value, 2)};
    const std::string pa = pack(a), pb = pack(b);
    REQUIRE(unpack(pa) == a);
    const auto order = a[0] != b[0] ? a[0] <=> b[0] : a[1] <=> b[1];
    const int bytes = pa.compare(pb);
    REQUIRE((bytes < 0) == (order < 0));
    REQUIRE((bytes == 0) == (order == 0));
  }
}

}  // namespace
}  // namespace correlator::engine::test
