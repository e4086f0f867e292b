// SPDX-License-Identifier: Apache-2.0
// Nothing a line can contain may crash the parser, make it slow, or make it point outside what it was given.
#include <ctime>

#include "catch.h"
#include "stream.h"
#include "syslog/parser.h"

using namespace correlator::syslog;
using namespace correlator::syslog::testing;

namespace {

const std::vector<std::string> kLines = {
    "<4>Nov  3 17:40:22 h kernel[12]: [  123.456789] [ T593001] EDAC MC0: 1 CE x",
    "Nov  3 2004 17:40:22.123 h kernel: message repeated 3 times: [ [ 1.5] x]",
    "<165>1 2003-10-11T22:14:15.003Z h app 77 ID47 [e@1 k=\"v \\\"]\\\\\"][f] \xEF\xBB\xBFtext",
    "2026-02-10T16:15:01.001203+01:00 lisa kernel: [    C0] smca: 1",
    "2026-01-01T00:00:00Z kvm1 imklog kern.warning kernel: EDAC MC0: x",
    "Wed 2023-04-12 11:05:16 CEST h kernel: x",
    "[Wed Apr 12 11:05:16 2023] RAS: x",
    "[2023-06-22 21:55:31.352444][5975153.869131] mce: x",
    "kern  :warn  : [    1.234567] EDAC MC0: x",
    "6,369,13119327,-,caller=T1;pcieport \\x09 x\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:04.0",
    "2026-11-22 08:44:52.460+0000: 1234: error : fn:123 : msg",
    "h libvirtd: 2026-11-22 08:44:52.460+0000: 1234: error : fn:123 : msg",
    "Nov  3 17:40:22 h last message repeated 4 times",
    R"({"timereported":"2026-01-01T00:00:00Z","msg":" a\u00e9","uid":1,"$!":{"uid":2},"x":[1,{"y":null}],"f":1.5e3})",
    R"({"__CURSOR":"s","__REALTIME_TIMESTAMP":"17","MESSAGE":[69,255],"_TRANSPORT":"kernel"})",
    std::string("__CURSOR=s\nMESSAGE\n\x05\0\0\0\0\0\0\0a\nb\nc\n_PID=1\n", 41)};

bool inside(std::string_view part, std::string_view whole) {
  return part.empty() ||
         (part.data() >= whole.data() && part.data() + part.size() <= whole.data() + whole.size());
}

// The frame is copied to the heap at its exact size, so that the sanitizer sees every step beyond it.
void try_line(Parser& parser, std::string_view line) {
  const std::vector<char> exact(line.begin(), line.end());
  const std::string_view frame(exact.data(), exact.size());
  Message m;
  parser.parse(frame, m);
  CHECK(inside(m.raw, frame));
  if (m.format != Format::kmsg && m.format != Format::journal && m.format != Format::rsyslog_json) {
    CHECK(inside(m.text, frame));
    CHECK(inside(m.host, frame));
  }
  // Every byte is read once, as a user of the message would.
  unsigned sum = 0;
  for (const auto view :
       {m.raw, m.host, m.program, m.text, m.caller, m.input, m.exe, m.from_ip, m.id, m.boot_id}) {
    for (const char c : view) sum += static_cast<unsigned char>(c);
  }
  CHECK(sum != 1);
}

}  // namespace

TEST_CASE("each format, cut at every byte") {
  Parser parser;
  for (const std::string& line : kLines) {
    for (std::size_t n = 0; n <= line.size(); ++n) {
      try_line(parser, std::string_view(line).substr(0, n));
      try_line(parser, std::string_view(line).substr(n));
    }
  }
}

TEST_CASE("each format with bytes changed, and plain noise") {
  const std::uint64_t seed = GENERATE(range(1, 60));
  INFO("seed " << seed);
  Random random(seed);
  Parser parser;
  for (int i = 0; i < 100; ++i) {
    std::string line = kLines[random.below(kLines.size())];
    static constexpr char kOdd[] = "\0\n :[]<>{}\"\\,;.=-+9T\xff";
    for (std::size_t n = random.below(6); n-- > 0;)
      line[random.below(line.size())] = kOdd[random.below(sizeof kOdd)];
    try_line(parser, line);
    std::string noise(random.below(200), '\0');
    for (char& c : noise) c = static_cast<char>(random.below(256));
    try_line(parser, noise);
  }
}

TEST_CASE("a line of 1 MiB takes time in proportion") {
  Parser parser;
  Message m;
  const std::size_t n = std::size_t{1} << 20;
  auto repeated = [&](const char* unit) {
    std::string out;
    while (out.size() < n) out += unit;
    return out;
  };
  const std::vector<std::string> lines = {
      std::string(n, ' ') + "x",
      std::string(n, '['),
      repeated("[ 1.5] "),
      repeated("[ T1]"),
      repeated("<4>"),
      "Nov  3 17:40:22 h kernel: " + repeated("[1.5]"),
      "Nov  3 17:40:22 h kernel: " + repeated("message repeated 2 times: ["),
      "<1>1 - - - - - " + repeated("[a b=\"c\"]"),
      repeated("1"),
      repeated("a:"),
      "{\"a\":" + repeated("["),
      "{\"msg\":\"" + repeated("\xff\\n") + "\"}",
      "{" + repeated("\"msg\":\"a\",") + "\"b\":1}",
      "6,1,2,-;" + repeated("\\x5c"),
      "__CURSOR=1\n" + repeated("A=\n")};
  const std::clock_t begin = std::clock();
  for (const std::string& line : lines) parser.parse(line, m);
  // Some 15 MiB in all. Quadratic work would take minutes of a core; the bound leaves room for sanitizers.
  CHECK(std::clock() - begin < 20 * CLOCKS_PER_SEC);
}
