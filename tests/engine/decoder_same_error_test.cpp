// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "decoding.h"

namespace correlator::engine::test {
namespace {

std::string channel(std::string_view name) {
  std::string out = R"toml(
[[event]]
id      = "NAME"
class   = "${cls == 'U' ? 'memory.uncorrected' : 'memory.deferred'}"
match   = '^NAME (?P<cls>[UD]) (?P<n>\d+)(?: page (?P<page>\w+))?(?: dimm (?P<dimm>\w+))?'
types   = { n = "int", page = "hex" }
weight  = "n"
channel = "NAME"
)toml";
  for (std::size_t at; (at = out.find("NAME")) != std::string::npos;) out.replace(at, 4, name);
  return out;
}

std::string rules(std::string_view more = "") {
  return R"toml(
[class."memory.uncorrected"]
key = ["host", "page"]
may = { page = "hex", dimm = "text" }

[class."memory.deferred"]
key = ["host", "page"]
may = { page = "hex", dimm = "text" }

[same_error.data-loss]
classes  = ["memory.uncorrected", "memory.deferred"]
key      = ["host", "page"]
channels = ["edac", "ghes", "mce"]
within   = "5s"
)toml" + std::string(more) +
         channel("edac") + channel("ghes") + channel("mce") + channel("alone");
}

Duration ms(std::int64_t n) {
  return {n * 1'000};
}

// "x2" goes on with weight 2, "folded" ends here.
std::string news(Decoding& d, std::string text, Duration at) {
  const auto events = d.say(std::move(text), at);
  if (events.size() != 1) return "nothing";
  CHECK((events[0].folded || events[0].fields.get(rules::kWeight) == expr::Value(events[0].weight)));
  return events[0].folded ? "folded" : "x" + std::to_string(events[0].weight);
}

TEST_CASE("one error that three channels report counts once") {
  Decoding d(rules());
  CHECK(news(d, "mce U 1 page 10", ms(0)) == "x1");
  CHECK(news(d, "ghes U 1 page 10", ms(100)) == "folded");
  CHECK(news(d, "edac D 1 page 10 dimm D1", ms(200)) == "folded");
  CHECK(d.counters.folded == 2);
  CHECK(news(d, "mce U 1 page 11", ms(300)) == "x1");
  CHECK(news(d, "alone U 1 page 10", ms(300)) == "x1");
  CHECK(news(d, "mce U 1", ms(300)) == "x1");  // without the page it is never merged
  CHECK(news(d, "mce U 1", ms(300)) == "x1");
}

TEST_CASE("the best channel decides, and what was counted is never taken back") {
  Decoding d(rules());
  CHECK(news(d, "mce U 5 page 10", ms(0)) == "x5");
  CHECK(news(d, "ghes U 2 page 10", ms(1)) == "folded");  // the better channel knows of two, five are counted
  CHECK(news(d, "mce U 9 page 10", ms(2)) == "folded");
  CHECK(news(d, "ghes U 4 page 10", ms(3)) == "x1");  // six by now
  CHECK(news(d, "edac U 6 page 10", ms(4)) == "folded");
  CHECK(news(d, "edac U 1 page 10", ms(5)) == "x1");
}

TEST_CASE("an event meets the group while it is less than within away, on both sides") {
  Decoding d(rules());
  CHECK(news(d, "mce U 1 page 10", ms(10'000)) == "x1");
  CHECK(news(d, "ghes U 1 page 10", ms(14'999)) == "folded");
  CHECK(news(d, "edac U 1 page 10", ms(19'998)) == "folded");  // from the last, not from the first
  CHECK(news(d, "mce U 1 page 10", ms(24'997)) == "folded");
  CHECK(news(d, "mce U 1 page 10", ms(29'997)) == "x1");  // exactly within: a new group
  Decoding back(rules());
  CHECK(news(back, "mce U 1 page 10", ms(10'000)) == "x1");
  CHECK(news(back, "ghes U 1 page 10", ms(5'001)) == "folded");
  CHECK(news(back, "edac U 1 page 10", ms(2)) == "folded");      // 4.999 s before the first
  CHECK(news(back, "mce U 1 page 10", ms(14'999)) == "folded");  // the late ones moved first, not last
  Decoding before(rules());
  CHECK(news(before, "edac U 1 page 10", ms(10'000)) == "x1");
  CHECK(news(before, "mce U 1 page 10", ms(5'000)) == "x1");  // exactly within before the first: a new group
}

TEST_CASE("a group is gone when the clock reaches last + within + disorder") {
  Decoding d(rules());
  CHECK(news(d, "mce U 1 page 10", ms(0)) == "x1");
  d.tick(kStart + ms(9'999));
  CHECK(news(d, "ghes U 1 page 10", ms(1)) == "folded");
  d.tick(kStart + ms(10'001));
  CHECK(news(d, "mce U 1 page 10", ms(2)) == "x1");
}

TEST_CASE("an event passes through its groups in their order, with the weight the one before left") {
  Decoding d(rules(R"toml(
[same_error.per-host]
classes  = ["memory.uncorrected"]
key      = ["host"]
channels = ["mce", "edac"]
within   = "5s"
)toml"));
  CHECK(news(d, "mce U 1 page 10", ms(0)) == "x1");
  CHECK(news(d, "edac U 3 page 10", ms(1)) == "folded");  // 2 are news to the page, not to the host
  CHECK(news(d, "mce U 4 page 11", ms(2)) == "x4");
  CHECK(news(d, "edac U 9 page 11", ms(3)) == "folded");
}

TEST_CASE("stale, implausible and late events meet no group") {
  Decoding d(rules() + R"toml(
[[event]]
id      = "old"
class   = "memory.uncorrected"
match   = '^old (?P<page>\w+)'
types   = { page = "hex" }
channel = "edac"
stale   = "true"
)toml");
  CHECK(d.say("old 10")[0].stale);
  CHECK(news(d, "mce U 1 page 10", ms(0)) == "x1");
  d.tick(kStart + Duration::days(2));
  CHECK(d.say("mce U 1 page 10", ms(0))[0].late);
  CHECK_FALSE(d.say("mce U 1 page 10", ms(0))[0].folded);
}

TEST_CASE("the lines of a group are evidence until it is dropped, the first 4 and the last 12") {
  Decoding d(rules());
  for (int i = 0; i < 40; ++i) d.say("mce U 1 page 10", ms(i));
  CHECK(d.evidence().size() == 16);
  CHECK(d.evidence().find(4) != nullptr);
  CHECK(d.evidence().find(5) == nullptr);
  CHECK(d.evidence().find(29) != nullptr);
  const auto rows = d.changes();
  d.say("nothing", ms(60'000));
  d.say("alone U 1", ms(60'000));
  CHECK(d.evidence().size() == 0);
  std::size_t erased = 0;
  for (const StateRow& row : d.changes()) erased += row.erased ? 1 : 0;
  CHECK(erased == 17);  // the group and its lines
}

TEST_CASE("a reload keeps sums by the names of channels") {
  Decoding d(rules());
  CHECK(news(d, "mce U 2 page 10", ms(0)) == "x2");
  CHECK(news(d, "ghes U 2 page 10", ms(0)) == "folded");
  std::string other = rules();
  const std::string channels = R"(["edac", "ghes", "mce"])";
  other.replace(other.find(channels), channels.size(), R"(["mce", "edac", "alone"])");
  d.reload(other);
  CHECK(news(d, "edac U 7 page 10", ms(1)) == "folded");
  CHECK(news(d, "mce U 1 page 10", ms(2)) == "x1");
  const std::string key = R"(key      = ["host", "page"]
channels)";
  REQUIRE(other.find(key) != std::string::npos);
  other.replace(other.find(key), key.size(), "key      = [\"page\"]\nchannels");
  d.reload(other);
  CHECK(news(d, "mce U 1 page 10", ms(3)) == "x1");
  CHECK(news(d, "edac U 1 page 10", ms(4)) == "folded");
}

}  // namespace
}  // namespace correlator::engine::test
