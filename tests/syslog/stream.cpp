// SPDX-License-Identifier: Apache-2.0
#include "stream.h"

namespace correlator::syslog::testing {
namespace {

std::string export_entry(Random& random) {
  std::string out = random.one_in(4) ? "" : "\n";
  out += "__CURSOR=s\n__REALTIME_TIMESTAMP=17000000000" + std::to_string(10000 + random.below(80000)) + "\n";
  if (random.one_in(2)) {
    const std::string value =
        random.one_in(2) ? "a\n\n__CURSOR=b\n_TRANSPORT=kernel\n" : std::string(3, '\0');
    out += "MESSAGE\n";
    for (unsigned i = 0; i < 8; ++i) out += static_cast<char>(value.size() >> (8 * i) & 0xff);
    out += value + "\n";
  }
  if (random.one_in(6)) out += "BAD\n\xff\xff\xff\xff\xff\xff\xff\xff";
  if (random.one_in(6)) out += "not a field\n";
  return out + (random.one_in(5) ? "" : "_HOSTNAME=h\n") + (random.one_in(5) ? "" : "\n");
}

}  // namespace

std::string random_stream(Random& random, std::size_t pieces) {
  static constexpr const char* kLines[] = {
      "Nov  3 17:40:22 h kernel: x",
      "",
      "\r",
      " SUBSYSTEM=pci",
      " DEVICE=+pci:0",
      " text",
      " X",
      "_",
      "__CURSOR=s",
      "6,1,2,-;record",
      "6,1,2,-;other\\x0a",
      "{\"msg\":\"a\\\\b\"}",
      "{1}[Hardware Error]: x",
      "plain \\ text",
      " ABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQRSTUVWXYZABCDEFGHIJKLMNOPQ=1"};
  std::string out;
  for (std::size_t i = 0; i < pieces; ++i) {
    if (random.one_in(8)) {
      out += export_entry(random);
    } else {
      out += random.of(kLines) + "\n";
    }
  }
  if (random.one_in(3) && !out.empty()) out.pop_back();
  return out;
}

}  // namespace correlator::syslog::testing
