// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "syslog/parser.h"

using namespace correlator;
using namespace correlator::syslog;

namespace {

std::string binary_field(const std::string& name, const std::string& value) {
  std::string out = name + "\n";
  for (unsigned i = 0; i < 8; ++i) out += static_cast<char>(value.size() >> (8 * i) & 0xff);
  return out + value + "\n";
}

}  // namespace

TEST_CASE("rsyslog JSON") {
  Parser parser;
  Message m;
  REQUIRE(parser.parse(
      R"({"timereported":"2026-01-01T00:00:00.123456+01:00","timegenerated":"2026-01-01T00:00:02+01:00",)"
      R"("hostname":"kvm1","fromhost-ip":"10.0.0.7","inputname":"imklog","syslogfacility":"0","syslogseverity":4,)"
      R"("syslogtag":"kernel:","programname":"kernel","id":"u1","msg":" EDAC MC0: 1 CE \"x\" \u00e9"})",
      m));
  CHECK(m.format == Format::rsyslog_json);
  CHECK(to_rfc3339(*m.stamp.utc) == "2025-12-31T23:00:00.123456Z");
  CHECK(to_rfc3339(*m.arrival) == "2025-12-31T23:00:02Z");
  CHECK(m.host == "kvm1");
  CHECK(m.from_ip == "10.0.0.7");
  CHECK(m.input == "imklog");
  CHECK(m.id == "u1");
  CHECK(m.text == "EDAC MC0: 1 CE \"x\" \xc3\xa9");
  CHECK(m.facility == 0);
  CHECK(m.level == 4);
  CHECK(m.origin == Origin::kernel);

  REQUIRE(parser.parse(R"({"@timestamp":"Nov  3 17:40:22","host":"h","tag":"sshd[44]:","severity":"err",)"
                       R"("facility":"auth","message":"no","exe":"/usr/sbin/sshd","uid":0})",
                       m));
  CHECK(m.stamp.kind == Stamp::Kind::yearless);
  CHECK(m.program == "sshd");
  CHECK(m.pid == 44u);
  CHECK(m.uid == 0u);
  CHECK(m.exe == "/usr/sbin/sshd");
  CHECK(m.facility == 4);
  CHECK(m.level == 3);
  CHECK(m.text == "no");

  // rsyslog cut "EDAC" off as the tag of a line without one.
  REQUIRE(parser.parse(
      R"({"inputname":"imuxsock","syslogfacility":0,"syslogtag":"EDAC","msg":" MC0: 1 UE x"})", m));
  CHECK(m.text == "EDAC MC0: 1 UE x");
  CHECK(m.origin == Origin::forged_kernel);
  REQUIRE(parser.parse(R"({"procid":"12","app-name":"foo","msg":"m"})", m));
  CHECK(m.program == "foo");
  CHECK(m.pid == 12u);
  REQUIRE(parser.parse(R"({"msg":"m","programname":"x","$!":{"uid":65534,"exe":"/bin/nc","cid":"c9"}})", m));
  CHECK(m.uid == 65534u);
  CHECK(m.exe == "/bin/nc");
  CHECK(m.id == "c9");
}

// As rsyslog.d/60-correlator.conf writes them, captured from rsyslogd 8.2302.
TEST_CASE("lines of the shipped template") {
  Parser parser;
  Message m;
  REQUIRE(parser.parse(
      R"({"id":"E392B093CAA84954811D7B3CF1E6DCDB","timereported":"2026-11-26T15:40:42.275318+00:00",)"
      R"("timegenerated":"2026-11-26T15:40:42.275318+00:00","hostname":"vm","fromhost-ip":"127.0.0.1","inputname":"imuxsock",)"
      R"("uid":"65534","exe":"\/usr\/bin\/logger","facility":"1","severity":"6","programname":"app","syslogtag":"app[4661]:",)"
      R"("procid":"4661","sequence":"","message":" hello \"x\\y\" #011 end"})",
      m));
  CHECK(m.id == "E392B093CAA84954811D7B3CF1E6DCDB");
  CHECK(m.uid == 65534u);
  CHECK(m.exe == "/usr/bin/logger");
  CHECK(m.program == "app");
  CHECK(m.pid == 4661u);
  CHECK(m.facility == 1);
  CHECK(m.level == 6);
  CHECK(m.text == "hello \"x\\y\" #011 end");
  CHECK(m.from_ip == "127.0.0.1");
  CHECK(m.arrival == m.stamp.utc);
  CHECK_FALSE(m.sequence);
  REQUIRE(parser.parse(
      R"({"id":"DAA018EDE09046A6A47A617A4CBF22C2","timereported":"2026-11-26T15:58:48.167602+00:00",)"
      R"("timegenerated":"2026-11-26T15:58:48.167602+00:00","hostname":"vm","fromhost-ip":"127.0.0.1","inputname":"imkmsg",)"
      R"("uid":"","exe":"","facility":"0","severity":"6","programname":"kernel","syslogtag":"kernel:","procid":"-",)"
      R"("sequence":"373","message":"segv[19812]: segfault at 0 ip 0000557da6a49132"})",
      m));
  CHECK(m.origin == Origin::kernel);
  CHECK(m.sequence == 373u);
  CHECK(m.program == "kernel");
  CHECK(m.text == "segv[19812]: segfault at 0 ip 0000557da6a49132");
  CHECK_FALSE(m.uid);
  // imklog leaves the kernel's time in the text.
  REQUIRE(parser.parse(
      R"({"id":"E9","timereported":"2026-11-26T15:58:45.107144+00:00","timegenerated":"2026-11-26T15:58:45.107144+00:00",)"
      R"("hostname":"vm","fromhost-ip":"127.0.0.1","inputname":"imklog","uid":"","exe":"","facility":"0","severity":"6",)"
      R"("programname":"kernel","syslogtag":"kernel:","procid":"-","sequence":"","message":"[ 1879.112519] EDAC MC0: 1 UE x"})",
      m));
  CHECK(m.origin == Origin::kernel);
  CHECK(m.text == "EDAC MC0: 1 UE x");
  REQUIRE(parser.parse(
      R"({"id":"","timereported":"2026-11-26T15:40:43.288402+00:00","timegenerated":"2026-11-26T15:40:43.288402+00:00",)"
      R"("hostname":"vm","fromhost-ip":"127.0.0.1","inputname":"immark","uid":"","exe":"","facility":"5","severity":"6",)"
      R"("programname":"rsyslogd","syslogtag":"rsyslogd:","procid":"-","sequence":"","message":"-- MARK --"})",
      m));
  CHECK(m.input == "immark");
  CHECK(m.id.empty());
  CHECK(m.text == "-- MARK --");
}

TEST_CASE("JSON that is odd") {
  Parser parser;
  Message m;
  // Bytes that are not UTF-8 must not turn a kernel line into raw text.
  REQUIRE(
      parser.parse("{\"inputname\":\"imklog\",\"syslogfacility\":0,\"syslogtag\":\"kernel:\",\"msg\":\" "
                   "a\xff\xc3z\xc3\xa9\"}",
                   m));
  CHECK(m.text == "a\xff\xc3z\xc3\xa9");
  CHECK(m.origin == Origin::kernel);
  // Broken or cut: the line itself, and not the kernel's.
  for (const char* line :
       {"{\"msg\":\"kernel: x\"", "{\"msg\":\"kernel: x\"} tail", "{ \"a\" 1 }", "{\"a\":[1,2}"}) {
    REQUIRE(parser.parse(line, m));
    CHECK(m.format == Format::raw);
    CHECK(m.text == line);
    CHECK(m.origin == Origin::program);
  }
  REQUIRE(parser.parse("{}", m));
  REQUIRE(parser.parse("{\"msg\":{\"a\":1},\"hostname\":null,\"pid\":-5}", m));
  CHECK(m.text.empty());
  CHECK_FALSE(m.pid);
  // The first of two equal names counts: what rsyslog wrote before what a message brought along.
  REQUIRE(
      parser.parse(R"({"inputname":"imuxsock","inputname":"imklog","programname":"kernel","msg":"x"})", m));
  CHECK(m.input == "imuxsock");
}

TEST_CASE("journalctl -o json") {
  Parser parser;
  Message m;
  REQUIRE(parser.parse(
      R"({"__CURSOR":"s=1","__REALTIME_TIMESTAMP":"1700000000000001","_BOOT_ID":"b","_TRANSPORT":"kernel",)"
      R"("PRIORITY":"4","SYSLOG_FACILITY":"0","SYSLOG_IDENTIFIER":"kernel","_HOSTNAME":"h",)"
      R"("_SOURCE_MONOTONIC_TIMESTAMP":"5000001","MESSAGE":[69,68,65,67,255]})",
      m));
  CHECK(m.text == "EDAC\xff");
  CHECK(m.format == Format::journal);
  CHECK(m.stamp.utc->us == 1700000000000001);
  CHECK(m.stamp.civil.year == 2023);
  CHECK(m.arrival->us == 1700000000000001);
  CHECK(m.uptime->us == 5000001);
  CHECK(m.id == "s=1");
  CHECK(m.boot_id == "b");
  CHECK(m.host == "h");
  CHECK(m.origin == Origin::kernel);
  REQUIRE(parser.parse(
      R"({"_TRANSPORT":"journal","SYSLOG_FACILITY":"0","SYSLOG_IDENTIFIER":"kernel","_UID":"1000",)"
      R"("MESSAGE":["EDAC MC0: 1 UE","second"]})",
      m));
  CHECK(m.text == "EDAC MC0: 1 UE");
  CHECK(m.origin == Origin::forged_kernel);
}

TEST_CASE("journal export entries") {
  Parser parser;
  Message m;
  const std::string entry =
      "__CURSOR=s=2\n__REALTIME_TIMESTAMP=1700000000000001\n_SOURCE_REALTIME_TIMESTAMP=1700000000000000\n"
      "_TRANSPORT=stdout\n_PID=12\n_UID=0\n_EXE=/usr/bin/x\nPRIORITY=6\nSYSLOG_IDENTIFIER=x\n" +
      binary_field("MESSAGE", "two\n\n__CURSOR=lines") + "_HOSTNAME=h\n";
  REQUIRE(parser.parse(entry, m));
  CHECK(m.text == "two\n\n__CURSOR=lines");
  CHECK(m.host == "h");
  CHECK(m.pid == 12u);
  CHECK(m.uid == 0u);
  CHECK(m.exe == "/usr/bin/x");
  CHECK(m.input == "stdout");
  CHECK(m.stamp.utc->us == 1700000000000000);
  CHECK(m.arrival->us == 1700000000000001);
  // A length beyond the frame: what is there counts.
  const std::string shorter = entry.substr(0, entry.find("two") + 6);
  REQUIRE(parser.parse(shorter, m));
  CHECK(m.text == "two\n\n_");
}
