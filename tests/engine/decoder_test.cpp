// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "decoder_capture.h"
#include "decoding.h"

namespace correlator::engine::test {
namespace {

constexpr std::string_view kMemory = R"toml(
[class."memory.corrected"]
key      = ["host", "dimm"]
requires = { severity = "text", dimm = "text" }
may      = { page = "hex", mc = "text" }

[class."memory.uncorrected"]
key      = ["host", "dimm"]
requires = { severity = "text", dimm = "text" }
may      = { page = "hex", mc = "text" }

[class."logger.forged"]
key = ["host"]

[class."pack.unknown-value"]
key = ["host"]
may = { event = "text", value = "text" }

[map.memory_class]
CE = "memory.corrected"
UE = "memory.uncorrected"

[[event]]
id     = "edac"
class  = "${memory_class(cls)}"
from   = "kernel"
match  = 'EDAC (?P<mc>MC\d+): (?:(?P<n>\d+) )?(?P<cls>[A-Z]E) on (?P<label>\S*)(?: page:(?P<page>\S+))?'
types  = { n = "int", page = "hex" }
weight = "n"
let    = { dimm = "label == '' ? mc : label", severity = "cls == 'CE' ? 'corrected' : 'uncorrected'" }
)toml";

TEST_CASE("a line becomes a typed event") {
  Decoding d(kMemory);
  const auto events = d.say("EDAC MC0: 8 CE on D1 page:0x00012345");
  REQUIRE(d.show(events) ==
          Shown{"memory.corrected corrected x8 1 +0s cls=CE dimm=D1 label=D1 mc=MC0 n=8 page=74565"});
  const Event& event = events[0];
  CHECK(event.fields.get(rules::kHost) == expr::Value("kvm1"));
  CHECK(event.fields.get(rules::kProgram) == expr::Value("kernel"));
  CHECK(event.fields.get(rules::kText) == expr::Value("EDAC MC0: 8 CE on D1 page:0x00012345"));
  CHECK(event.fields.get(rules::kTime) == expr::Value(kStart));
  CHECK(event.fields.get(rules::kSeverity) == expr::Value("corrected"));
  CHECK(event.fields.get(rules::kPart) == expr::Value("D1"));
  CHECK(event.fields.get(rules::kClass) == expr::Value("memory.corrected"));
  CHECK(event.fields.get(rules::kWeight) == expr::Value(8));
  CHECK(event.fields.get(rules::kPid).is_none());
  CHECK(event.trust == Trust::claimed);
  CHECK(event.file == "test.log");
  CHECK(event.definition == 0);
  CHECK(d.evidence().size() == 0);  // nobody kept it
}

TEST_CASE("captures that took no part or do not convert are none, and none counts as 1") {
  Decoding d(kMemory);
  CHECK(d.show(d.say("EDAC MC0: CE on  page:0xzz")) ==
        Shown{"memory.corrected corrected x1 1 +0s cls=CE dimm=MC0 label= mc=MC0"});
  CHECK(d.show(d.say("EDAC MC0: 99999999999999999999 CE on D1")) ==
        Shown{"memory.corrected corrected x1 2 +0s cls=CE dimm=D1 label=D1 mc=MC0"});
  CHECK(d.say("EDAC MC0: 0 CE on D1").empty());
}

TEST_CASE("a repeated line counts as often as it was said") {
  Decoding d(kMemory);
  Said said{"EDAC MC0: 2 CE on D1"};
  said.repeated = 5;
  CHECK(d.say(said)[0].weight == 10);
  said.times = 3;
  CHECK(d.say(said)[0].weight == 30);
  said.text = "EDAC MC0: 18446744073709551615 CE on D1";
  CHECK(d.say(said)[0].weight == UINT64_MAX);
}

TEST_CASE("a value outside of the map is seen, not lost") {
  Decoding d(kMemory);
  CHECK(d.show(d.say("EDAC MC0: 2 XE on D1")) ==
        Shown{"pack.unknown-value info x1 1 +0s cls=XE dimm=D1 event=edac label=D1 mc=MC0 n=2 value="});
}

TEST_CASE("a forged kernel line is no event, but one logger.forged a minute and host") {
  Decoding d(kMemory);
  Said said{"EDAC MC0: 8 CE on D1"};
  said.origin = syslog::Origin::forged_kernel;
  const auto first = d.say(said);
  CHECK(d.show(first) == Shown{"logger.forged info x1 1 +0s"});
  CHECK(first[0].trust == Trust::none);
  said.at = Duration::minutes(1) - Duration{1};
  CHECK(d.say(said).empty());
  said.host = "kvm2";
  CHECK(d.say(said).size() == 1);
  said.host = "kvm1";
  said.at = Duration::minutes(1);
  CHECK(d.say(said).size() == 1);
  said.text = "nothing that a rule knows";
  said.at = Duration::minutes(5);
  CHECK(d.say(said).empty());
  CHECK(d.counters.forged == 4);
}

TEST_CASE("[input] trusted: what is forged by one rule set is the kernel's by another, also after a reload") {
  const std::string trusting = std::string(kMemory) + "[input]\ntrusted = [\"relay-kernel\"]\n";
  Decoding d(kMemory);
  Said said{"EDAC MC0: 8 CE on D1"};
  said.origin = syslog::Origin::forged_kernel;
  said.input = "relay-kernel";
  said.facility = 0;
  CHECK(d.show(d.say(said)) == Shown{"logger.forged info x1 1 +0s"});
  d.reload(trusting);
  said.at = Duration::minutes(2);
  const auto events = d.say(said);
  REQUIRE(events.size() == 1);
  CHECK(events[0].weight == 8);
  CHECK(events[0].trust == Trust::vouched);
  said.input = "imtcp";
  said.at = Duration::minutes(4);
  CHECK(d.show(d.say(said)) == Shown{"logger.forged info x1 3 +4m"});
  CHECK(d.counters.forged == 2);
}

TEST_CASE("from says who may have written the line") {
  Decoding d(std::string(kMemory) + R"toml(
[class."guest.crashed"]
key = ["host", "guest"]
requires = { guest = "text" }

[[event]]
id    = "qemu"
class = "guest.crashed"
from  = 'qemu-(?P<guest>[a-z0-9]+)'
match = 'crashed$'

[[event]]
id    = "libvirt"
class = "guest.crashed"
from  = "input:libvirt"
match = '^(?P<guest>\S+) crashed'

[[event]]
id    = "tool"
class = "guest.crashed"
from  = "tool"
match = '(?P<guest>\S+) is dead'
)toml");
  Said said{"it crashed"};
  said.program = "qemu-web1";
  CHECK(d.show(d.say(said)) == Shown{"guest.crashed info x1 1 +0s guest=web1"});
  said.program = "xqemu-web1";
  CHECK(d.say(said).empty());
  said.program = "qemu-web1 ";
  CHECK(d.say(said).empty());
  said.input = "libvirt";
  CHECK(d.show(d.say(said)) == Shown{"guest.crashed info x1 4 +0s guest=it"});
  said.text = "web2 is dead";
  CHECK(d.say(said).empty());
  said.program = "tool";
  said.origin = syslog::Origin::program;
  said.input = "imuxsock";
  said.uid = 0;
  CHECK(d.say(said)[0].trust == Trust::vouched);
  said.uid = 1000;
  CHECK(d.say(said)[0].trust == Trust::claimed);
  said.text = "EDAC MC0: 2 CE on D1";
  said.origin = syslog::Origin::program;
  CHECK(d.say(said).empty());
  said.origin = syslog::Origin::kernel;
  CHECK(d.say(said)[0].trust == Trust::vouched);
}

TEST_CASE("from trusted: live, only a trusted writer speaks for the program; others' lines are counted as forged") {
  const std::string guarded = std::string(kMemory) + R"toml(
[class."guest.panicked"]
key = ["host", "guest"]
requires = { guest = "text" }

[[event]]
id    = "panic"
class = "guest.panicked"
from  = "trusted:virsh-event"
match = '^(?P<guest>\S+) panicked'

[[event]]
id    = "reader"
class = "guest.panicked"
from  = "reader"
match = '^(?P<guest>\S+) panicked'
)toml";
  Decoding d(guarded);
  Said said{"web1 panicked"};
  said.origin = syslog::Origin::program;
  said.program = "virsh-event";
  CHECK(d.say(said).size() == 1);  // a file: nobody knows who wrote it
  said.input = "imfile";
  CHECK(d.say(said).size() == 1);
  said.input = "imuxsock";
  CHECK(d.show(d.say(said)) == Shown{"logger.forged info x1 3 +0s"});  // no word of who wrote it
  said.at = Duration::minutes(2);
  said.uid = 1000;
  CHECK(d.show(d.say(said)) == Shown{"logger.forged info x1 4 +2m"});
  CHECK(d.counters.forged == 2);
  said.uid = 0;
  auto events = d.say(said);
  REQUIRE(events.size() == 1);
  CHECK(events[0].trust == Trust::vouched);
  // A name that only looks like root's: who sends from elsewhere can write any uid.
  said.input = "imtcp";
  said.at = Duration::minutes(4);
  CHECK(d.show(d.say(said)) == Shown{"logger.forged info x1 6 +4m"});
  d.reload(guarded + "[input]\ntrusted = [\"imtcp-tls\"]\n");
  said.input = "imtcp-tls";
  CHECK(d.say(said).size() == 1);
  // Other programs' lines are no forgeries of this one's, and their own events stay.
  said.input = "imuxsock";
  said.uid = 1000;
  said.program = "reader";
  CHECK(d.say(said).size() == 1);
  said.program = "other";
  CHECK(d.say(said).empty());
  CHECK(d.counters.forged == 3);
}

TEST_CASE(
    "a decision table: the first arm that holds, its fields, and the severity of a let before its own") {
  Decoding d(R"toml(
[class."disk.error"]
key = ["host", "disk"]
requires = { disk = "text", kind = "text" }

[class."disk.failing"]
key = ["host", "disk"]
requires = { disk = "text", kind = "text" }

[[event]]
id    = "disk"
match = 'disk (?P<disk>\w+): (?P<what>\w+)(?: sev (?P<sev>\w+))?'
let   = { severity = "sev" }
[[event.class]]
is = "disk.failing"
if = "what == 'dying'"
fields = { kind = "'smart'", severity = "'uncorrected'" }
[[event.class]]
is = "disk.error"
if = "what ~ '^io'"
fields = { kind = "what", severity = "'recoverable'" }
)toml");
  CHECK(d.show(d.say("disk sda: dying")) ==
        Shown{"disk.failing uncorrected x1 1 +0s disk=sda kind=smart what=dying"});
  CHECK(d.show(d.say("disk sda: ioerror")) ==
        Shown{"disk.error recoverable x1 2 +0s disk=sda kind=ioerror what=ioerror"});
  CHECK(d.show(d.say("disk sda: dying sev fatal")) ==
        Shown{"disk.failing fatal x1 3 +0s disk=sda kind=smart sev=fatal what=dying"});
  CHECK(d.show(d.say("disk sda: dying sev horrible")) ==
        Shown{"disk.failing info x1 4 +0s disk=sda kind=smart sev=horrible what=dying"});
  CHECK(d.say("disk sda: fine").empty());
  CHECK(d.counters.incomplete == 1);
}

TEST_CASE("a cumulative counter counts its increase, and all of it after a reset") {
  Decoding d(R"toml(
[class."disk.error"]
key = ["host", "disk"]
requires = { disk = "text" }

[[event]]
id     = "smart"
class  = "disk.error"
match  = 'disk (?P<disk>\w+): total (?P<total>\w+)'
types  = { total = "int" }
weight = { increase_of = "total", per = ["host", "disk"] }
)toml");
  const auto weight = [&](std::string text, Duration at = {}) {
    const auto events = d.say(std::move(text), at);
    return events.empty() ? 0 : events[0].weight;
  };
  CHECK(weight("disk sda: total 700") == 1);  // when it rose is not known
  CHECK(weight("disk sda: total 703") == 3);
  CHECK(weight("disk sda: total 703") == 0);
  CHECK(weight("disk sdb: total 0") == 0);
  CHECK(weight("disk sdb: total 4") == 4);
  CHECK(weight("disk sda: total 2") == 2);
  CHECK(weight("disk sda: total 5") == 3);
  CHECK(weight("disk sda: total many") == 1);
  CHECK(weight("disk sda: total 6", Duration::hours(48)) == 1);
  CHECK(weight("disk sda: total 1", Duration::hours(1)) == 1);  // late: says nothing about now
  CHECK(weight("disk sda: total 7", Duration::hours(48)) == 1);
  Said repeated{"disk sda: total 9", Duration::hours(48)};
  repeated.repeated = 10;
  CHECK(d.say(repeated)[0].weight == 2);
}

TEST_CASE("cumulative counters are bounded: the one that was looked at longest ago goes") {
  Decoding d(R"toml(
[class.c]
key = ["host"]
[[event]]
id     = "e"
class  = "c"
match  = '(?P<name>\w+): (?P<total>\d+)'
types  = { total = "int" }
weight = { increase_of = "total", per = ["name"] }
)toml");
  for (int i = 0; i < 10'000; ++i) d.say("n" + std::to_string(i) + ": 10");
  CHECK(d.say("n0: 13")[0].weight == 3);
  CHECK(d.counters.evicted == 0);
  CHECK(d.say("fresh: 10")[0].weight == 1);
  CHECK(d.counters.evicted == 1);
  CHECK(d.say("n0: 17")[0].weight == 4);
  CHECK(d.say("n1: 17")[0].weight == 1);  // forgotten
}

TEST_CASE("stale, implausible and late events are marked") {
  Decoding d(R"toml(
[class.c]
key = ["host"]
[[event]]
id     = "e"
class  = "c"
match  = 'addr (?P<addr>\w+)(?P<old> old)?'
types  = { addr = "hex" }
stale  = "has(old)"
implausible = "addr == 0"
)toml");
  CHECK(d.show(d.say("addr 0x0", Duration::days(3))) == Shown{"c info x1 1 +3d implausible addr=0"});
  CHECK(d.show(d.say("addr 1 old", Duration::days(3))) == Shown{"c info x1 2 +3d stale addr=1 old= old"});
  CHECK(d.show(d.say("addr 1", Duration::days(2) + Duration{1})) == Shown{"c info x1 3 +2d1us addr=1"});
  CHECK(d.show(d.say("addr 1", Duration::days(2))) == Shown{"c info x1 4 +2d late addr=1"});
  CHECK(d.counters.late == 1);
}

TEST_CASE("events are independent, one pattern of each is taken") {
  Decoding d(R"toml(
[class.c]
key = ["host"]
may = { a = "text", b = "text" }
[[event]]
id     = "one"
class  = "c"
match  = ['x(?P<a>.)', '(?P<b>.)$']
[[event]]
id     = "two"
class  = "c"
match  = 'z$'
)toml");
  CHECK(d.show(d.say("xyz")) == Shown{"c info x1 1 +0s a=y", "c info x1 1 +0s"});
  CHECK(d.show(d.say("yz")) == Shown{"c info x1 2 +0s b=z", "c info x1 2 +0s"});
}

rules::Capture capture(rules::FieldType type, std::string separator = "") {
  rules::Capture out;
  out.type = type;
  out.separator = std::move(separator);
  return out;
}

TEST_CASE("texts become values of their type or none") {
  using rules::FieldType;
  const auto as = [](FieldType type, std::string_view text, std::string separator = "") {
    return captured_value(text, capture(type, std::move(separator)));
  };
  CHECK(as(FieldType::integer, "42") == expr::Value(42));
  CHECK(as(FieldType::integer, "-1").is_none());
  CHECK(as(FieldType::gauge, "0") == expr::Value(0));
  CHECK(as(FieldType::hex, "0x00012345") == expr::Value(0x12345));
  CHECK(as(FieldType::hex, "12345") == expr::Value(0x12345));
  CHECK(as(FieldType::hex, "").is_none());
  CHECK(as(FieldType::boolean, "Yes") == expr::Value(true));
  CHECK(as(FieldType::boolean, "off") == expr::Value(false));
  CHECK(as(FieldType::boolean, "2").is_none());
  CHECK(as(FieldType::duration, "1h30m") == expr::Value(Duration::minutes(90)));
  CHECK(as(FieldType::time, "2026-01-01T00:00:00Z") == expr::Value(kStart));
  CHECK(as(FieldType::time, "yesterday").is_none());
  CHECK(as(FieldType::list, "a,b,,c", ",") == expr::Value(expr::Value::List{"a", "b", "", "c"}));
  CHECK(as(FieldType::list, "a,b") == expr::Value(expr::Value::List{"a,b"}));
  CHECK(as(FieldType::list, "", ",") == expr::Value(expr::Value::List{}));
  CHECK(as(FieldType::list, std::string(9999, ','), ",").list()->size() == 256);
  CHECK(as(FieldType::text, std::string(9999, 'x')).text()->size() == 4096);
  CHECK(as(FieldType::text, std::string_view("\0\xff", 2)) == expr::Value(std::string_view("\0\xff", 2)));
}

TEST_CASE("the forms of a PCI address are one address") {
  CHECK(normal_bdf("0200") == expr::Value("0000:02:00.0"));
  CHECK(normal_bdf("00e5") == expr::Value("0000:00:1c.5"));
  CHECK(normal_bdf("0x00E5") == expr::Value("0000:00:1c.5"));
  CHECK(normal_bdf("02:00.0") == expr::Value("0000:02:00.0"));
  CHECK(normal_bdf("0000:02:00.0") == expr::Value("0000:02:00.0"));
  CHECK(normal_bdf("10000:E1:1f.7") == expr::Value("10000:e1:1f.7"));
  for (std::string_view bad : {"", "200", "02000", "02:20.0", "02:00.8", "2:00.0", "000:02:00.0", "02:00",
                               "02:00.00", "zz:00.0", "0000:02:00.0.0", ":02:00.0", "x200", "02.0"}) {
    INFO(bad);
    CHECK(normal_bdf(bad).is_none());
  }
}

TEST_CASE("hostile texts pass through and come back from the store as they were") {
  constexpr std::string_view rules = R"toml(
[class.c]
key = ["host"]
[[event]]
id    = "e"
class = "c"
[event.record]
once = ['(?s)x(?P<what>.*)']
within = "1m"
)toml";
  Decoding d(rules);
  const std::string bytes = std::string("x\0\x1b[2J\xff\xc3\xa4\"\\", 11) + std::string(20'000, 'y');
  d.say(bytes);
  const auto rows = d.changes();
  Decoding back(load(rules), rows, d);
  const EvidenceLine* line = back.evidence().find(1);
  REQUIRE(line != nullptr);
  CHECK(line->text == bytes.substr(0, 8'192));
  const auto events = back.end();
  REQUIRE(events.size() == 1);
  CHECK(*back.field(events[0], "what").text() == bytes.substr(1, 4'096));
  CHECK(back.evidence().size() == 0);
}

}  // namespace
}  // namespace correlator::engine::test
