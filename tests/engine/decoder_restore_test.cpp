// SPDX-License-Identifier: Apache-2.0
// A decoder that comes back from its rows behaves like one that never went away.
#include <random>

#include "base/json.h"
#include "catch.h"
#include "decoding.h"

namespace correlator::engine::test {
namespace {

constexpr std::string_view kRules = R"toml(
[class.part]
key = ["host"]
may = { n = "int", list = "list", page = "hex" }

[class."logger.forged"]
key = ["host"]

[[event]]
id      = "report"
class   = "part"
types   = { n = "int", page = "hex" }
weight  = "max(1, n ?? 1)"
channel = "report"
[event.record]
once    = ['^(?:#(?P<id>\w) )?n (?P<n>\d+)', '^(?:#(?P<id>\w) )?page (?P<page>\w+)']
many    = ['^(?:#(?P<id>\w) )?item (?P<list>\w+)']
last    = ['^(?:#(?P<id>\w) )?end']
same    = ["host", "caller", "id"]
within  = "8s"
needs   = ["page"]
ready   = ["n", "page"]

[[event]]
id      = "total"
class   = "part"
match   = '^total (?P<id>\w) (?P<n>\d+)'
types   = { n = "int" }
weight  = { increase_of = "n", per = ["host", "id"] }

[[event]]
id      = "single"
class   = "part"
match   = '^single (?P<page>\w+) (?P<n>\d+)'
types   = { n = "int", page = "hex" }
weight  = "n"
channel = "single"

[same_error.one]
classes  = ["part"]
key      = ["host", "page"]
channels = ["report", "single"]
within   = "4s"
)toml";

Said random_line(std::mt19937& random, int i) {
  const auto pick = [&](int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); };
  Said said;
  said.at = Duration{i * 400'000 + pick(-6'000'000, 3'000'000)};
  if (pick(0, 60) == 0) said.at = said.at - Duration::hours(30);
  said.host = pick(0, 1) == 0 ? "a" : std::string("b\xff");
  said.caller = std::vector<std::string>{"", "", "T1", "T2"}[static_cast<std::size_t>(pick(0, 3))];
  if (pick(0, 9) == 0) said.repeated = static_cast<std::uint32_t>(pick(2, 4));
  if (pick(0, 20) == 0) said.origin = syslog::Origin::forged_kernel;
  const std::string id = pick(0, 2) == 0 ? "" : "#" + std::to_string(pick(1, 3)) + " ";
  const std::string number = std::to_string(pick(0, 4)), page = std::to_string(pick(1, 3));
  switch (pick(0, 7)) {
    case 0:
      said.text = id + "n " + number;
      break;
    case 1:
      said.text = id + "page " + page;
      break;
    case 2:
    case 3:
      said.text = id + "item x" + number;
      break;
    case 4:
      said.text = id + "end";
      break;
    case 5:
      said.text = "total " + page + " " + std::to_string(pick(0, 30));
      break;
    default:
      said.text = "single " + page + " " + number;
      break;
  }
  return said;
}

// The rows of a store: written, overwritten, erased.
class Rows {
 public:
  void take(std::vector<StateRow> changes) {
    for (StateRow& row : changes) {
      const auto key = std::pair(row.kind, row.id);
      if (row.erased) {
        REQUIRE(rows_.erase(key) == 1);  // what was never written is not erased
      } else {
        REQUIRE(parse_json(row.body));
        rows_.insert_or_assign(key, std::move(row));
      }
    }
  }
  std::vector<StateRow> all(std::mt19937& random) const {
    std::vector<StateRow> out;
    for (const auto& [key, row] : rows_) out.push_back(row);
    std::shuffle(out.begin(), out.end(), random);  // their order does not matter
    return out;
  }
  std::size_t size() const { return rows_.size(); }

 private:
  std::map<std::pair<StateKind, std::uint64_t>, StateRow> rows_;
};

TEST_CASE("a decoder restored at any point goes on as if nothing had happened") {
  const unsigned seed = GENERATE(range(1u, 61u));
  INFO("seed " << seed);
  std::mt19937 random(seed);
  const auto rule_set = load(kRules);
  Decoding straight(rule_set);
  auto restored = std::make_unique<Decoding>(rule_set);
  Rows rows;
  for (int i = 0; i < 250; ++i) {
    const Said said = random_line(random, i);
    const auto expected = straight.say(said), got = restored->say(said);
    REQUIRE(straight.show(expected) == restored->show(got));
    for (std::size_t e = 0; e < got.size(); ++e) {
      REQUIRE(expected[e].fields.all() == got[e].fields.all());
      REQUIRE(expected[e].trust == got[e].trust);
    }
    REQUIRE(straight.evidence().size() == restored->evidence().size());
    REQUIRE(straight.decoder().next_deadline() == restored->decoder().next_deadline());
    if (random() % 4 == 0) rows.take(restored->changes());
    if (random() % 12 == 0) {
      rows.take(restored->changes());
      restored = std::make_unique<Decoding>(rule_set, rows.all(random), *restored);
      REQUIRE(restored->changes().empty());  // nothing changed by coming back
    }
  }
  REQUIRE(straight.show(straight.end()) == restored->show(restored->end()));
  REQUIRE(straight.counters.ambiguous == restored->counters.ambiguous);
  REQUIRE(straight.counters.folded == restored->counters.folded);
  REQUIRE(straight.counters.incomplete == restored->counters.incomplete);
}

TEST_CASE("nothing is kept when everything is over") {
  std::mt19937 random(1);
  Decoding d(kRules);
  Rows rows;
  for (int i = 0; i < 500; ++i) {
    Said said = random_line(random, i);
    if (said.text.starts_with("total") || said.origin == syslog::Origin::forged_kernel) continue;
    d.say(said);
    if (i % 50 == 0) rows.take(d.changes());
  }
  d.tick(kStart + Duration::days(1));
  d.say("single 77 1", Duration::days(1));  // groups are swept when the next line comes
  d.say("single 78 1", Duration::days(2));
  rows.take(d.changes());
  CHECK(d.decoder().open_records() == 0);
  CHECK(d.evidence().size() == 1);
  CHECK(rows.size() == 2);  // the last group and its line
}

TEST_CASE("rows that do not fit are refused with a reason") {
  Decoding d(kRules);
  d.say("#1 page 5");
  d.say("single 5 2");
  d.say("total 1 7");
  const auto rows = d.changes();
  REQUIRE(rows.size() == 5);  // two lines, a record, a group, a counter
  for (const StateRow& row : rows) {
    std::vector<StateRow> bad;
    bad.assign(3, row);
    bad[0].body = "{";
    bad[1].body = "[]";
    bad[2].owner = "no such definition";
    Json json = *parse_json(row.body);
    for (auto it = json.begin(); it != json.end(); ++it) {
      Json broken = json;
      if (broken.is_array()) {
        broken.erase(static_cast<std::size_t>(it - json.begin()));
      } else {
        broken.erase(it.key());
      }
      bad.push_back(row);
      bad.back().body = to_line(broken);
    }
    for (StateRow& one : bad) {
      if (one.owner != row.owner && (row.kind == StateKind::evidence || row.kind == StateKind::counter))
        continue;
      INFO(one.owner << " " << one.body);
      Decoding fresh(load(kRules));
      const Status status =
          one.kind == StateKind::evidence ? fresh.evidence().restore(one) : fresh.decoder().restore(one);
      REQUIRE_FALSE(status.ok());
      CHECK(status.error().code == "E310");
      CHECK_FALSE(status.error().message.empty());
    }
  }
}

}  // namespace
}  // namespace correlator::engine::test
