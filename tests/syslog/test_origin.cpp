// SPDX-License-Identifier: Apache-2.0
// Whose word a line is: what can be forged must never come out as the kernel's.
#include "catch.h"
#include "syslog/parser.h"
#include "syslog/sources.h"

using namespace correlator::syslog;

namespace {

Origin origin_of(std::string_view line, ParserOptions options = {}) {
  Parser parser(std::move(options));
  Message m;
  parser.parse(line, m);
  return m.origin;
}

struct Row {
  const char* line;
  Origin origin;
};

const Row kRows[] = {
    {"2026-01-01T00:00:00Z h imklog kern.warning kernel: x", Origin::kernel},
    {"2026-01-01T00:00:00Z h imkmsg kern.warning kernel: x", Origin::kernel},
    {"2026-01-01T00:00:00Z h imkmsg user.warning kernel: x", Origin::forged_kernel},
    {"2026-01-01T00:00:00Z h imuxsock kern.emerg kernel: x", Origin::forged_kernel},
    {"2026-01-01T00:00:00Z h imuxsock kern.emerg kernel[26494]: x", Origin::forged_kernel},
    {"2026-01-01T00:00:00Z h imuxsock user.emerg kernel: x", Origin::forged_kernel},
    {"2026-01-01T00:00:00Z h imuxsock kern.emerg EDAC MC0: 1 UE x", Origin::forged_kernel},
    {"2026-01-01T00:00:00Z h imuxsock kern.emerg mce: x", Origin::forged_kernel},
    {"2026-01-01T00:00:00Z h imtcp kern.emerg kernel: x", Origin::forged_kernel},
    {"2026-01-01T00:00:00Z h imudp kern.emerg kernel: x", Origin::forged_kernel},
    {"2026-01-01T00:00:00Z h imjournal kern.emerg kernel: x", Origin::claimed_kernel},
    {"2026-01-01T00:00:00Z h imuxsock daemon.info sshd[1]: x", Origin::program},
    // a tag that only looks like provenance
    {"2026-01-01T00:00:00Z h imuxsock kern.info imklog kern.warning kernel: x", Origin::forged_kernel},
    {"Nov  3 17:40:22 h kernel: x", Origin::claimed_kernel},
    {"Nov  3 17:40:22 h imklog kern.warning kernel: x", Origin::claimed_kernel},
    {"Nov  3 17:40:22 h kernel[26494]: x", Origin::forged_kernel},
    {"Nov  3 17:40:22 h kernel[0]: x", Origin::claimed_kernel},
    {"<4>Nov  3 17:40:22 h kernel: x", Origin::claimed_kernel},
    {"<12>Nov  3 17:40:22 h kernel: x", Origin::forged_kernel},
    {"<12>Nov  3 17:40:22 h logger: kernel: x", Origin::program},
    {"[   13.119327] pcieport 0000:00:04.0: AER: x", Origin::claimed_kernel},
    {"kern  :warn  : [    1.234567] x", Origin::claimed_kernel},
    {"user  :warn  : [    1.234567] kernel: x", Origin::forged_kernel},
    {"<14>[    1.234567] kernel: x", Origin::forged_kernel},
    {"EDAC MC4: 1 CE memory read error on x", Origin::claimed_kernel},
    {"qemu-system-x86_64: x", Origin::program},
    {R"({"inputname":"imklog","programname":"kernel","msg":"x"})", Origin::kernel},
    {R"({"inputname":"imklog","programname":"kernel","msg":"x","uid":1000})", Origin::forged_kernel},
    {R"({"inputname":"imkmsg","programname":"kernel","msg":"x"})", Origin::claimed_kernel},
    {R"({"inputname":"imuxsock","syslogfacility":0,"programname":"kernel","msg":"x"})",
     Origin::forged_kernel},
    {R"({"inputname":"imjournal","syslogfacility":0,"programname":"kernel","msg":"x","$!":{"_TRANSPORT":"kernel"}})",
     Origin::kernel},
    {R"({"inputname":"imjournal","syslogfacility":0,"programname":"kernel","msg":"x","$!":{"_TRANSPORT":"syslog"}})",
     Origin::forged_kernel},
    {R"({"inputname":"imjournal","syslogfacility":3,"programname":"kernel","msg":"x","$!":{"_TRANSPORT":"kernel"}})",
     Origin::forged_kernel},
    {R"({"_TRANSPORT":"kernel","SYSLOG_FACILITY":"0","SYSLOG_IDENTIFIER":"kernel","MESSAGE":"x"})",
     Origin::kernel},
    {R"({"_TRANSPORT":"kernel","SYSLOG_FACILITY":"3","SYSLOG_IDENTIFIER":"kernel","MESSAGE":"x"})",
     Origin::forged_kernel},
    {R"({"_TRANSPORT":"kernel","SYSLOG_FACILITY":"3","SYSLOG_IDENTIFIER":"systemd","MESSAGE":"x"})",
     Origin::program},
    {R"({"_TRANSPORT":"syslog","SYSLOG_FACILITY":"0","SYSLOG_IDENTIFIER":"kernel","MESSAGE":"x"})",
     Origin::forged_kernel},
};

}  // namespace

TEST_CASE("the origin of a line") {
  for (const Row& row : kRows) {
    INFO(row.line);
    CHECK(to_string(origin_of(row.line)) == to_string(row.origin));
  }
  CHECK(from_kernel(Origin::kernel));
  CHECK(from_kernel(Origin::claimed_kernel));
  CHECK_FALSE(from_kernel(Origin::forged_kernel));
  CHECK_FALSE(from_kernel(Origin::program));
}

TEST_CASE("options move the line between vouched and claimed") {
  ParserOptions doubt;
  doubt.believe_provenance = false;
  CHECK(origin_of("2026-01-01T00:00:00Z h imklog kern.warning kernel: x", doubt) == Origin::claimed_kernel);
  CHECK(origin_of("2026-01-01T00:00:00Z h imuxsock kern.warning kernel: x", doubt) == Origin::forged_kernel);
  CHECK(
      origin_of(R"({"_TRANSPORT":"kernel","SYSLOG_FACILITY":"0","SYSLOG_IDENTIFIER":"kernel","MESSAGE":"x"})",
                doubt) == Origin::claimed_kernel);

  ParserOptions ring;
  ring.live_kmsg = true;
  CHECK(origin_of("4,1,5,-;EDAC MC0: x", ring) == Origin::kernel);
  CHECK(origin_of("12,1,5,-;kernel: EDAC MC0: x", ring) == Origin::forged_kernel);
}

TEST_CASE("a site can trust an input: kernel lines of its peers are the kernel's") {
  const Sources site{{"relay-kernel"}, {}};
  const auto judged = [&](std::string_view line) {
    Parser parser;
    Message m;
    REQUIRE(parser.parse(line, m));
    return origin_of(m, site);
  };
  CHECK(judged(R"({"inputname":"relay-kernel","facility":"0","syslogtag":"kernel:","message":"x"})") ==
        Origin::kernel);
  // not without facility kern, nor with a process behind it
  CHECK(judged(R"({"inputname":"relay-kernel","facility":"1","syslogtag":"kernel:","message":"x"})") ==
        Origin::forged_kernel);
  CHECK(judged(R"({"inputname":"relay-kernel","syslogtag":"kernel:","message":"x"})") ==
        Origin::forged_kernel);
  CHECK(judged(R"({"inputname":"relay-kernel","facility":"0","syslogtag":"kernel[12]:","message":"x"})") ==
        Origin::forged_kernel);
  CHECK(judged(
            R"({"inputname":"relay-kernel","facility":"0","syslogtag":"kernel:","message":"x","uid":"0"})") ==
        Origin::forged_kernel);
  // another input, a program
  CHECK(judged("2026-01-01T00:00:00Z h imtcp kern.emerg kernel: x") == Origin::forged_kernel);
  CHECK(judged(R"({"inputname":"relay-kernel","facility":"3","syslogtag":"libvirtd:","message":"x"})") ==
        Origin::program);
  // The journal's field of the same name is a client's transport, no input of rsyslog.
  CHECK(
      judged(
          R"({"_TRANSPORT":"relay-kernel","SYSLOG_FACILITY":"0","SYSLOG_IDENTIFIER":"kernel","MESSAGE":"x"})") ==
      Origin::forged_kernel);
}

TEST_CASE("a program's line is believed by its user, never by its name or path alone") {
  const Sources site{{"libvirt"}, {{109, "/usr/sbin/corosync"}, {64055, ""}}};
  const auto trusted = [&](std::string_view line) {
    Parser parser;
    Message m;
    REQUIRE(parser.parse(line, m));
    return trusted_writer(m, site);
  };
  CHECK(trusted(R"({"inputname":"imuxsock","programname":"libvirtd","uid":"0","message":"x"})"));
  CHECK(trusted(R"({"_TRANSPORT":"syslog","_UID":"0","SYSLOG_IDENTIFIER":"libvirtd","MESSAGE":"x"})"));
  CHECK(trusted(
      R"({"inputname":"imuxsock","programname":"corosync","uid":"109","exe":"/usr/sbin/corosync","message":"x"})"));
  CHECK(trusted(R"({"inputname":"imuxsock","programname":"qemu","uid":"64055","message":"x"})"));
  CHECK(trusted(R"({"inputname":"libvirt","programname":"qemu","message":"x"})"));
  // no user, another user, another program of the user
  CHECK_FALSE(trusted(R"({"inputname":"imuxsock","programname":"libvirtd","uid":"","message":"x"})"));
  CHECK_FALSE(trusted(
      R"({"inputname":"imuxsock","programname":"libvirtd","uid":"1000","exe":"/usr/sbin/libvirtd","message":"x"})"));
  CHECK_FALSE(trusted(
      R"({"inputname":"imuxsock","programname":"corosync","uid":"109","exe":"/bin/sh","message":"x"})"));
  CHECK_FALSE(trusted(R"({"inputname":"imuxsock","programname":"corosync","uid":"109","message":"x"})"));
  // What came by network carries what its author wrote.
  CHECK_FALSE(trusted(R"({"inputname":"imtcp","programname":"libvirtd","uid":"0","message":"x"})"));
  CHECK_FALSE(trusted(R"({"programname":"libvirtd","uid":"0","message":"x"})"));
}
