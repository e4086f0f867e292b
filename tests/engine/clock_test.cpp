// SPDX-License-Identifier: Apache-2.0
// One leap of the clock gives what many small moves give; and what events waited for does not make them too old.
#include "diagnosing.h"

namespace correlator::engine::test {
namespace {

TEST_CASE("events in a hold buffer are counted together, whether the clock leaps or creeps") {
  const char* rule = R"toml(
[[rule]]
id = "r"
on = "a"
count = "2 in 1m"
hold = "10s"
)toml";
  Diagnosing leaps(rule), creeps(rule);
  for (Diagnosing* d : {&leaps, &creeps}) {
    d->say(s(0), "a");
    d->say(s(1), "a");
  }
  CHECK(leaps.mark(h(72)) == Shown{"+1s r host=h1"});
  CHECK(creeps.mark(s(15)) == kNone);
  CHECK(creeps.mark(s(16)) == Shown{"+1s r host=h1"});
}

TEST_CASE("a hold that is longer than a line may be late loses nothing") {
  Diagnosing d(R"toml(
[[rule]]
id = "r"
key = ["host"]
sequence = { within = "1m", steps = ["a", "b"] }
hold = "30h"
)toml");
  d.say(s(0), "a");
  d.say(s(30), "b");
  CHECK(d.mark(h(31)) == Shown{"+30s r host=h1"});
}

// A record without a last line, and a second channel that tells the same error at once.
constexpr const char* kTwoChannels = R"toml(
[class.error]
key = ["host"]
may = { page = "text" }
[same_error.error]
classes = ["error"]
key = ["host", "page"]
channels = ["record", "line"]
within = "5s"
[[event]]
id = "record"
class = "error"
channel = "record"
[event.record]
once = ['^begin page (?P<page>\w+)$', '^more$']
same = ["host"]
within = "2s"
[[event]]
id = "line"
class = "error"
channel = "line"
match = '^line page (?P<page>\w+)$'
)toml";

TEST_CASE("a record that its time-out completes meets its group across a gap") {
  for (const Duration gap : {s(7), s(11), s(13), m(1), h(30)}) {
    Diagnosing d("[[rule]]\nid = \"r\"\non = \"error\"\n", {}, kTwoChannels);
    CHECK(d.say(s(0), "line page 1").size() == 1);
    d.say(s(1), "begin page 1");
    INFO(to_string(gap));
    CHECK(d.mark(s(1) + gap) == kNone);
  }
}

TEST_CASE("a group lives until no record can meet it any more") {
  Diagnosing d("[[rule]]\nid = \"r\"\non = \"error\"\n", {}, kTwoChannels);
  d.say(s(0), "line page 1");
  d.mark(s(12) - Duration{1});
  d.say(s(4), "begin page 1");  // late, and the same error
  CHECK(d.mark(s(12) - Duration{1}) == kNone);
  Diagnosing gone("[[rule]]\nid = \"r\"\non = \"error\"\n", {}, kTwoChannels);
  gone.say(s(0), "line page 1");
  gone.mark(s(12));  // within of the group + within of the record + disorder
  gone.say(s(4), "begin page 1");
  CHECK(gone.mark(s(12)) == Shown{"+4s r host=h1"});
}

}  // namespace
}  // namespace correlator::engine::test
