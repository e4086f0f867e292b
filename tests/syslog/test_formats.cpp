// SPDX-License-Identifier: Apache-2.0
// One row per framing: what host, program, text and time come out of it.
#include "catch.h"
#include "syslog/parser.h"

using namespace correlator;
using namespace correlator::syslog;

namespace {

// Stamps as text: "utc T", "wall T", "yearless -MM-DDTHH:MM:SS", "uptime", "none".
std::string stamp_text(const Message& m) {
  switch (m.stamp.kind) {
    case Stamp::Kind::none:
      return "none";
    case Stamp::Kind::uptime:
      return "uptime";
    case Stamp::Kind::wall:
      break;
    case Stamp::Kind::yearless: {
      CivilTime civil = m.stamp.civil;
      civil.year = 2000;
      return "yearless " + to_rfc3339(from_civil(civil)).substr(4);
    }
  }
  return m.stamp.utc ? "utc " + to_rfc3339(*m.stamp.utc) : "wall " + to_rfc3339(from_civil(m.stamp.civil));
}

struct Row {
  const char* line;
  const char* stamp;
  const char* host;
  const char* program;
  const char* text;
  Format format;
};

const Row kRows[] = {
    // RFC 3164 and its relatives
    {"Nov  3 17:40:22 db1 kernel: EDAC MC0: 1 CE x", "yearless -11-03T17:40:22Z", "db1", "kernel",
     "EDAC MC0: 1 CE x", Format::bsd},
    {"\xEF\xBB\xBFNov  3 17:40:22 db1 kernel: EDAC MC0: 1 CE x", "yearless -11-03T17:40:22Z", "db1", "kernel",
     "EDAC MC0: 1 CE x", Format::bsd},
    {"<4>Nov  3 17:40:22 db1 kernel: EDAC MC0: 1 CE x", "yearless -11-03T17:40:22Z", "db1", "kernel",
     "EDAC MC0: 1 CE x", Format::bsd},
    {"Jul 05 08:23:16 my sql[12]: hi", "yearless -07-05T08:23:16Z", "my", "sql", "hi", Format::bsd},
    {"jan 13 12:40:57 bee kernel: EDAC MC: Ver: 3.0.0", "yearless -01-13T12:40:57Z", "bee", "kernel",
     "EDAC MC: Ver: 3.0.0", Format::bsd},
    {"Jan  1 23:30:53 b kernel: [   46.675818] pcieport 0000:00:1d.0: AER: x", "yearless -01-01T23:30:53Z",
     "b", "kernel", "pcieport 0000:00:1d.0: AER: x", Format::bsd},
    {"Aug  1 13:38:02 d kernel: [771510.780050]  Northbridge Error, node 0", "yearless -08-01T13:38:02Z", "d",
     "kernel", " Northbridge Error, node 0", Format::bsd},
    {"Nov  1 10:00:00 h1 hda: dma_intr: status=0x51", "yearless -11-01T10:00:00Z", "h1", "kernel",
     "hda: dma_intr: status=0x51", Format::bsd},
    {"Nov  1 10:00:00 h1 e1000e 0000:01:00.0: PCIe Bus Error: x", "yearless -11-01T10:00:00Z", "h1", "kernel",
     "e1000e 0000:01:00.0: PCIe Bus Error: x", Format::bsd},
    {"Nov  1 10:00:00 h1 mce: [Hardware Error]: x", "yearless -11-01T10:00:00Z", "h1", "kernel",
     "mce: [Hardware Error]: x", Format::bsd},
    {"Nov  1 10:00:00 h1 mcelog: x", "yearless -11-01T10:00:00Z", "h1", "mcelog", "x", Format::bsd},
    {"Nov  1 10:00:00 h1 CPU0: Machine Check Exception: 4", "yearless -11-01T10:00:00Z", "h1", "kernel",
     "CPU0: Machine Check Exception: 4", Format::bsd},
    {"Nov  1 10:00:00 h1 CRON[7]: x", "yearless -11-01T10:00:00Z", "h1", "CRON", "x", Format::bsd},
    {"Nov  1 10:00:00 h1 EDAC MC0: 1 CE x", "yearless -11-01T10:00:00Z", "h1", "kernel", "EDAC MC0: 1 CE x",
     Format::bsd},
    {"Nov  1 10:00:00 kernel: EDAC MC0: 1 CE x", "yearless -11-01T10:00:00Z", "", "kernel",
     "EDAC MC0: 1 CE x", Format::bsd},
    {"Nov  1 10:00:00 EDAC MC0: 1 CE x", "yearless -11-01T10:00:00Z", "", "kernel", "EDAC MC0: 1 CE x",
     Format::bsd},
    {"Nov  1 10:00:00 h1 0000:01:00.0: x", "yearless -11-01T10:00:00Z", "h1", "kernel", "0000:01:00.0: x",
     Format::bsd},
    {"Nov  1 10:00:00 h1 postfix/smtp[9]: x: y", "yearless -11-01T10:00:00Z", "h1", "postfix/smtp", "x: y",
     Format::bsd},
    {"Nov  1 10:00:00 h1 sshd(pam_unix)[19]: x", "yearless -11-01T10:00:00Z", "h1", "sshd(pam_unix)", "x",
     Format::bsd},
    {"Nov  1 10:00:00 h1 heartbeat: [12285]: info: x", "yearless -11-01T10:00:00Z", "h1", "heartbeat",
     "[12285]: info: x", Format::bsd},
    {"Nov  1 10:00:00 h1 syslogd 1.4.1: restart.", "yearless -11-01T10:00:00Z", "h1", "",
     "syslogd 1.4.1: restart.", Format::bsd},
    {"Nov  1 10:00:00.123456 h1 kernel: x", "yearless -11-01T10:00:00.123456Z", "h1", "kernel", "x",
     Format::bsd},
    {"Nov  1 2004 10:00:00 h1 kernel: x", "wall 2004-11-01T10:00:00Z", "h1", "kernel", "x", Format::bsd},
    {"Feb 29 10:00:00 h1 kernel: x", "yearless -02-29T10:00:00Z", "h1", "kernel", "x", Format::bsd},
    {"Feb 30 10:00:00 h1 kernel: x", "none", "", "kernel", "Feb 30 10:00:00 h1 kernel: x", Format::raw},
    {"Nov  3 17:40:22 db1 kernel: x\r\n", "yearless -11-03T17:40:22Z", "db1", "kernel", "x", Format::bsd},
    {"Nov  3 17:40:22 db1 kernel: qemu-kvm[8418]: segfault at 20 ip 00", "yearless -11-03T17:40:22Z", "db1",
     "kernel", "qemu-kvm[8418]: segfault at 20 ip 00", Format::bsd},
    {"Nov  3 17:40:22 db1", "yearless -11-03T17:40:22Z", "db1", "", "", Format::bsd},
    {"Dec  3 15:25:59 b libvirtd: 2020-12-03 14:25:59.714+0000: 2132: error : f:1 : Device x",
     "yearless -12-03T15:25:59Z", "b", "libvirtd", "error : f:1 : Device x", Format::bsd},
    {"Nov  1 10:00:00 db1kernel: EDAC MC1: 7 CE x", "yearless -11-01T10:00:00Z", "db1", "kernel", "EDAC MC1: 7 CE x", Format::bsd},
    {"Nov  1 10:00:00 ipykernel: starting", "yearless -11-01T10:00:00Z", "", "ipykernel", "starting", Format::bsd},
    {"Nov  1 10:00:00 db1 ipykernel: EDAC MC1: x", "yearless -11-01T10:00:00Z", "db1", "ipykernel", "EDAC MC1: x", Format::bsd},
    // quoted with an indent
    {"    Nov  1 10:00:00 h1 kernel: x", "yearless -11-01T10:00:00Z", "h1", "kernel", "x", Format::bsd},
    {"\t2026-01-01T00:00:00Z h1 sshd[7]: x", "utc 2026-01-01T00:00:00Z", "h1", "sshd", "x", Format::iso},
    {"\t[88690.478913] [ T593001] {1}[Hardware Error]: x", "uptime", "", "kernel", "{1}[Hardware Error]: x", Format::dmesg},
    {"            [    1.5] EDAC MC0: x", "uptime", "", "kernel", "EDAC MC0: x", Format::dmesg},
    {"             [    1.5] EDAC MC0: x", "none", "", "kernel", "             [    1.5] EDAC MC0: x", Format::raw},
    {"  [Hardware Error]: x", "none", "", "kernel", "  [Hardware Error]: x", Format::raw},
    // ISO
    {"2026-02-10T16:15:01.001203+01:00 lisa kernel: [    C0] smca: 1", "utc 2026-02-10T15:15:01.001203Z",
     "lisa", "kernel", "smca: 1", Format::iso},
    {"2025-03-06T05:10:10+11:00 kernel: sd 6:0:5:0: [sdg] tag#2891 x", "utc 2025-03-05T18:10:10Z", "",
     "kernel", "sd 6:0:5:0: [sdg] tag#2891 x", Format::iso},
    {"2023-04-12T11:05:16+0200 h systemd[1]: Started x.", "utc 2023-04-12T09:05:16Z", "h", "systemd",
     "Started x.", Format::iso},
    {"2023-04-12T11:05:16.123456+0200 h systemd[1]: x", "utc 2023-04-12T09:05:16.123456Z", "h", "systemd",
     "x", Format::iso},
    {"Wed 2023-04-12 11:05:16 UTC h kernel: x", "utc 2023-04-12T11:05:16Z", "h", "kernel", "x", Format::iso},
    {"Wed 2023-04-12 11:05:16 CEST h kernel: x", "wall 2023-04-12T11:05:16Z", "h", "kernel", "x",
     Format::iso},
    {"2023-06-22T21:55:31,352444+02:00 EDAC MC0: x", "utc 2023-06-22T19:55:31.352444Z", "", "kernel",
     "EDAC MC0: x", Format::dmesg},
    // provenance
    {"2026-01-01T00:00:00Z kvm1 imklog kern.warning kernel: EDAC MC0: x", "utc 2026-01-01T00:00:00Z", "kvm1",
     "kernel", "EDAC MC0: x", Format::provenance},
    {"2026-01-01T00:00:00Z kvm1 imuxsock kern.emerg EDAC MC0: x", "utc 2026-01-01T00:00:00Z", "kvm1",
     "kernel", "EDAC MC0: x", Format::provenance},
    {"2026-01-01T00:00:00Z kvm1 imuxsock daemon.info sshd[7]: x", "utc 2026-01-01T00:00:00Z", "kvm1", "sshd",
     "x", Format::provenance},
    {"2026-01-01T00:00:00Z kvm1 imklog: x", "utc 2026-01-01T00:00:00Z", "kvm1", "imklog", "x", Format::iso},
    // dmesg and consoles
    {"[   13.119327] pcieport 0000:00:04.0: AER: x", "uptime", "", "kernel", "pcieport 0000:00:04.0: AER: x",
     Format::dmesg},
    {"[  988.698305] [     T10] mce: x", "uptime", "", "kernel", "mce: x", Format::dmesg},
    {"[ 1419.629234][    C1] {57}[Hardware Error]: x", "uptime", "", "kernel", "{57}[Hardware Error]: x",
     Format::dmesg},
    {"[   T10] mce: x", "none", "", "kernel", "mce: x", Format::dmesg},
    {"[Wed Apr 12 11:05:16 2023] RAS: x", "wall 2023-04-12T11:05:16Z", "", "kernel", "RAS: x", Format::dmesg},
    {"[Thu Jan  1 00:00:07 1970] x: y", "wall 1970-01-01T00:00:07Z", "", "kernel", "x: y", Format::dmesg},
    {"[Oct  4 06:51] EDAC MC0: x", "yearless -10-04T06:51:00Z", "", "kernel", "EDAC MC0: x", Format::dmesg},
    {"[Oct 14 06:51] x: y", "yearless -10-14T06:51:00Z", "", "kernel", "x: y", Format::dmesg},
    {"[Oct 34 06:51] x: y", "none", "", "kernel", "[Oct 34 06:51] x: y", Format::raw},
    {"[Oct 4 06:51 x] y", "none", "", "kernel", "[Oct 4 06:51 x] y", Format::raw},
    {"[2023-06-22 21:55:31.352444][5975153.869131] mce: x", "wall 2023-06-22T21:55:31.352444Z", "", "kernel",
     "mce: x", Format::dmesg},
    {"kern  :warn  : [    1.234567] EDAC MC0: x", "uptime", "", "kernel", "EDAC MC0: x", Format::dmesg},
    {"user  :info  : [    1.234567] hello: x", "uptime", "", "hello", "x", Format::dmesg},
    {"<4>[   12.345678] EDAC MC0: x", "uptime", "", "kernel", "EDAC MC0: x", Format::dmesg},
    {"<6>e1000e: eth0 x", "none", "", "kernel", "e1000e: eth0 x", Format::raw},
    {"[    5.123456] h9 kernel: EDAC MC0: x", "uptime", "h9", "kernel", "EDAC MC0: x", Format::dmesg},
    {"[    5.123456] h9 sshd[44]: x", "uptime", "h9", "sshd", "x", Format::dmesg},
    {"[    5.123456] systemd[1]: x", "uptime", "", "systemd", "x", Format::dmesg},
    {"[    5.123456] qemu-kvm[8]: segfault at 20 ip", "uptime", "", "kernel",
     "qemu-kvm[8]: segfault at 20 ip", Format::dmesg},
    {"[    0.100000] IOAPIC[0]: apic_id 2", "uptime", "", "kernel", "IOAPIC[0]: apic_id 2", Format::dmesg},
    {"[  +0.000012] mce: x", "none", "", "kernel", "mce: x", Format::dmesg},
    {"asus kernel: [12.000001] EDAC MC0: x", "uptime", "asus", "kernel", "EDAC MC0: x", Format::raw},
    {" kernel:[Hardware Error]: CPU 0", "none", "", "kernel", "[Hardware Error]: CPU 0", Format::raw},
    {"kernel: BERT: x", "none", "", "kernel", "BERT: x", Format::raw},
    {"EDAC MC4: 1 CE memory read error on x", "none", "", "kernel", "EDAC MC4: 1 CE memory read error on x",
     Format::raw},
    {"{1}[Hardware Error]: event severity: fatal", "none", "", "kernel",
     "{1}[Hardware Error]: event severity: fatal", Format::raw},
    {"[Hardware Error]: CPU:1 (10:2:3)", "none", "", "kernel", "[Hardware Error]: CPU:1 (10:2:3)",
     Format::raw},
    {"__ratelimit: 14 callbacks suppressed", "none", "", "kernel", "__ratelimit: 14 callbacks suppressed",
     Format::raw},
    {"mcelog: failed to prefill", "none", "", "mcelog", "failed to prefill", Format::raw},
    {"rasdaemon[64]: mc_event", "none", "", "rasdaemon", "mc_event", Format::raw},
    // RFC 5424
    {"<165>1 2003-10-11T22:14:15.003Z my.host evntslog 77 ID47 [e@1 k=\"v \\\"]\\\\\" b=\"x\"][f] "
     "\xEF\xBB\xBFhi",
     "utc 2003-10-11T22:14:15.003Z", "my.host", "evntslog", "hi", Format::rfc5424},
    {"<4>1 2003-10-11T22:14:15.003Z h kernel - - - [    1.5] EDAC MC0: x", "utc 2003-10-11T22:14:15.003Z",
     "h", "kernel", "EDAC MC0: x", Format::rfc5424},
    {"<4>1 - - kernel - - - x", "none", "", "kernel", "x", Format::rfc5424},
    {"<13>1 2003-10-11T22:14:15Z h p - - [broken x", "utc 2003-10-11T22:14:15Z", "h", "p", "[broken x",
     Format::rfc5424},
    {"<13>1 2003-10-11T22:14:15Z h p - - -", "utc 2003-10-11T22:14:15Z", "h", "p", "", Format::rfc5424},
    // QEMU and libvirt
    {"2026-11-22T08:44:52.460Z qemu-system-x86_64: terminating on signal 15", "utc 2026-11-22T08:44:52.460Z",
     "", "qemu-system-x86_64", "terminating on signal 15", Format::libvirt},
    {"qemu-system-x86_64: Guest MCE Memory Error", "none", "", "qemu-system-x86_64", "Guest MCE Memory Error",
     Format::raw},
    {"2026-11-22 08:44:52.460+0000: event 'lifecycle' for domain 'vm1': Resumed Unpaused",
     "utc 2026-11-22T08:44:52.460Z", "", "virsh-event",
     "event 'lifecycle' for domain 'vm1': Resumed Unpaused", Format::virsh_event},
    {"event 'io-error' for domain 'd': x", "none", "", "virsh-event", "event 'io-error' for domain 'd': x",
     Format::virsh_event},
    {"2026-11-22 08:44:52.460+0000: 1234: error : fn:123 : msg", "utc 2026-11-22T08:44:52.460Z", "",
     "libvirtd", "error : fn:123 : msg", Format::libvirt},
    {"2022-07-29 07:49:46.591+0000: Domain id=30 is tainted: host-cpu", "utc 2022-07-29T07:49:46.591Z", "",
     "libvirtd", "Domain id=30 is tainted: host-cpu", Format::libvirt},
    // SONiC: the severity behind the host, and since 2024 the year in front
    {"Mar 15 10:00:00.123456 sonic INFO kernel: [ 1395.52] EDAC MC0: 1 CE x", "yearless -03-15T10:00:00.123456Z", "sonic", "kernel", "EDAC MC0: 1 CE x",
     Format::bsd},
    {"2024 Mar 15 10:00:00.123456 sonic ERR rasdaemon[77]: mc_event x", "wall 2024-03-15T10:00:00.123456Z", "sonic", "rasdaemon", "mc_event x", Format::bsd},
    {"2024 Feb 30 10:00:00 sonic INFO kernel: x", "none", "", "kernel", "2024 Feb 30 10:00:00 sonic INFO kernel: x", Format::raw},
    {"Mar 15 10:00:00 h INFO: task a:1 blocked", "yearless -03-15T10:00:00Z", "h", "kernel", "INFO: task a:1 blocked", Format::bsd},
    {"Mar 15 10:00:00 h INFO alone", "yearless -03-15T10:00:00Z", "h", "kernel", "INFO alone", Format::bsd},
    {"Mar 15 10:00:00 h Info kernel: x", "yearless -03-15T10:00:00Z", "h", "kernel", "Info kernel: x", Format::bsd},
    // dmesg -H of util-linux, with -x, and dmesg -T in another language
    {"[Feb11 22:34] EDAC MC0: 1 CE x", "yearless -02-11T22:34:00Z", "", "kernel", "EDAC MC0: 1 CE x", Format::dmesg},
    {"kern  :warn  : [Feb11 22:34] EDAC MC0: 1 CE x", "yearless -02-11T22:34:00Z", "", "kernel", "EDAC MC0: 1 CE x", Format::dmesg},
    {"[ma mrt 21 17:09:43 2022] EDAC MC0: 1 CE x", "none", "", "kernel", "EDAC MC0: 1 CE x", Format::dmesg},
    {"[lun. f\xC3\xA9vr.  7 17:09:43 2022] EDAC MC0: 1 CE x", "none", "", "kernel", "EDAC MC0: 1 CE x", Format::dmesg},
    {"[\xE4\xB8\x80 3\xE6\x9C\x88 21 17:09:43 2022] EDAC MC0: 1 CE x", "none", "", "kernel", "EDAC MC0: 1 CE x", Format::dmesg},
    {"[ma mrt 32 17:09:43 2022] x", "none", "", "kernel", "[ma mrt 32 17:09:43 2022] x", Format::raw},
    {"[12 13 21 17:09:43 2022] x", "none", "", "kernel", "[12 13 21 17:09:43 2022] x", Format::raw},
    // not JSON after all
    {"{\"msg\":\"kernel: EDAC", "none", "", "", "{\"msg\":\"kernel: EDAC", Format::raw},
};

}  // namespace

TEST_CASE("every framing gives host, program, text and time") {
  Parser parser;
  for (const Row& row : kRows) {
    INFO(row.line);
    Message m;
    REQUIRE(parser.parse(row.line, m));
    CHECK(stamp_text(m) == row.stamp);
    CHECK(m.host == row.host);
    CHECK(m.program == row.program);
    CHECK(m.text == row.text);
    CHECK(to_string(m.format) == to_string(row.format));
  }
}

TEST_CASE("what stands in a line beside host, program and text") {
  Parser parser;
  Message m;
  parser.parse("<165>1 2003-10-11T22:14:15.003Z h prog 77 ID47 - x", m);
  CHECK(m.pid == 77u);
  CHECK(m.facility == 20);
  CHECK(m.level == 5);

  parser.parse("Nov  3 17:40:22 db1 kernel: [ 1419.629234][    C1] [ T593001] x", m);
  CHECK(m.uptime->us == 1419629234);
  CHECK(m.caller == "C1");
  CHECK(m.text == "x");
  parser.parse("Nov  3 17:40:22 db1 kernel: [ T593001] x", m);
  CHECK(m.caller == "T593001");
  CHECK_FALSE(m.uptime);

  parser.parse("[2023-06-22 21:55:31.352444][5975153.869131] mce: x", m);
  CHECK(m.uptime->us == 5975153869131);
  parser.parse("kern  :warn  : [    1.234567] x", m);
  CHECK(m.facility == 0);
  CHECK(m.level == 4);
  parser.parse("2026-11-22 08:44:52.460+0000: 1234: error : fn:123 : msg", m);
  CHECK(m.pid == 1234u);
  CHECK(m.level == 3);
  parser.parse("2026-01-01T00:00:00.5Z kvm1 imuxsock daemon.info sshd[7]: x", m);
  CHECK(m.input == "imuxsock");
  CHECK(m.facility == 3);
  CHECK(m.level == 6);
  CHECK(to_rfc3339(*m.arrival) == "2026-01-01T00:00:00.500Z");
}

TEST_CASE("blank lines and lone kmsg continuations are no messages") {
  Parser parser;
  Message m;
  for (const char* line : {"", "\n", "\r\n", "   ", "\t", " SUBSYSTEM=pci", " DEVICE=+pci:0000:00:04.0"}) {
    CHECK_FALSE(parser.parse(line, m));
  }
  CHECK(parser.parse(" RIP=0010", m));
}

TEST_CASE("the two repeat forms") {
  Parser parser;
  Message m;
  parser.parse("Mar 30 18:23:27 localhost last message repeated 4 times", m);
  CHECK(m.host == "localhost");
  CHECK(m.repeats_previous == 4);
  CHECK(m.origin == Origin::program);
  parser.parse("Mar 30 18:23:27 last message repeated 2 times", m);
  CHECK(m.host.empty());
  CHECK(m.repeats_previous == 2);
  parser.parse("Mar 30 18:23:27 h --- last message repeated 3 times ---", m);
  CHECK(m.repeats_previous == 3);

  parser.parse("Mar 30 18:23:27 h kernel: message repeated 7 times: [ [   12.5] EDAC MC0: 2 CE x]", m);
  CHECK(m.repeated == 7);
  CHECK(m.program == "kernel");
  CHECK(m.text == "EDAC MC0: 2 CE x");
  CHECK(m.uptime->us == 12'500'000);
  parser.parse("Mar 30 18:23:27 h sshd[9]: message repeated 2 times: [ Failed [x]]", m);
  CHECK(m.repeated == 2);
  CHECK(m.text == "Failed [x]");
  parser.parse("Mar 30 18:23:27 h message repeated 2 times: [kernel: x]", m);
  CHECK(m.program == "kernel");
  CHECK(m.text == "x");

  for (const char* line : {"Mar 30 18:23:27 h kernel: message repeated 7 times: [ x",
                           "Mar 30 18:23:27 h last message repeated many times",
                           "Mar 30 18:23:27 h kernel: message repeated 99999999999 times: [ x]"}) {
    parser.parse(line, m);
    CHECK(m.repeated == 0);
    CHECK(m.repeats_previous == 0);
  }
}

TEST_CASE("bytes stay bytes") {
  Parser parser;
  Message m;
  const std::string line("Nov  3 17:40:22 h kernel: a\0b\xff\xfe c", 34);
  REQUIRE(parser.parse(line, m));
  CHECK(m.text == std::string_view("a\0b\xff\xfe c", 8));
  CHECK(m.raw.size() == line.size());
}

TEST_CASE("records of /dev/kmsg") {
  Parser parser;
  Message m;
  REQUIRE(parser.parse(
      "6,369,13119327,-;pcieport 0000:00:04.0: AER: x\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:04.0", m));
  CHECK(m.text == "pcieport 0000:00:04.0: AER: x");
  CHECK(m.program == "kernel");
  CHECK(m.facility == 0);
  CHECK(m.level == 6);
  CHECK(m.sequence == 369u);
  CHECK(m.uptime->us == 13119327);
  CHECK(m.origin == Origin::claimed_kernel);
  REQUIRE(parser.parse("4,1,5,-,caller=T12;tab\\x09and\\x5cslash\\xc3\\xa9 \\x4 \\", m));
  CHECK(m.caller == "T12");
  CHECK(m.text == "tab\tand\\slash\xc3\xa9 \\x4 \\");
  REQUIRE(parser.parse("30,2,6,-;systemd[1]: hi", m));
  CHECK(m.program == "systemd");
  CHECK(m.pid == 1u);
  CHECK(m.text == "hi");
  CHECK(m.origin == Origin::program);
  REQUIRE(parser.parse("12,2,6,-;kernel: EDAC MC0: 1 UE", m));
  CHECK(m.origin == Origin::forged_kernel);
}
