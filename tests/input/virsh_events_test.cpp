// SPDX-License-Identifier: Apache-2.0
#include "input/virsh_events.h"

#include <fstream>
#include <iterator>

#include "catch.h"

using namespace correlator;
using input::VirshEvents;
using input::VirshLine;

namespace {

std::vector<std::string> texts(const std::vector<VirshLine>& lines) {
  std::vector<std::string> out;
  for (const VirshLine& line : lines) out.push_back((line.event ? "" : "virsh: ") + line.text);
  return out;
}

std::vector<std::string> all(std::string_view bytes) {
  VirshEvents folding;
  auto out = folding.take(bytes);
  for (auto& line : folding.end()) out.push_back(std::move(line));
  return texts(out);
}

std::string file(const char* name) {
  std::ifstream in(std::string(CORRELATOR_SOURCE_DIR "/examples/captures/") + name);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("an event of one line is out as soon as its newline is there, with virsh's time") {
  VirshEvents folding;
  CHECK(folding.take("2026-11-22 08:47:40.090+0000: event 'lifecycle' for domain 'vm1': Crashed").empty());
  const auto out = folding.take(" Panicked\n2026");
  REQUIRE(out.size() == 1);
  CHECK(out[0].text == "event 'lifecycle' for domain 'vm1': Crashed Panicked");
  CHECK(out[0].event);
  CHECK(out[0].time == parse_rfc3339("2026-11-22T08:47:40.090Z"));
  CHECK_FALSE(folding.waiting());
}

TEST_CASE("an event of several lines is one, when the next comes, when nothing comes, or at the end") {
  const std::string event =
      "2026-11-22 08:44:59.739+0000: event 'memory-failure' for domain 'vm1':\nrecipient: guest\naction: inject\nflags:\n"
      "\taction required: 0\n\trecursive: 0\n";
  const std::string folded =
      "event 'memory-failure' for domain 'vm1': recipient: guest action: inject flags: action required: 0 recursive: 0";
  VirshEvents folding;
  CHECK(folding.take(event).empty());
  CHECK(folding.waiting());
  CHECK(texts(folding.settle()) == Texts{folded});
  CHECK_FALSE(folding.waiting());
  CHECK(folding.settle().empty());
  CHECK(all(event + event) == Texts{folded, folded});
  CHECK(all(event + "event 'reboot' for domain 'vm1'\n") == Texts{folded, "event 'reboot' for domain 'vm1'"});
  // However it is cut into pieces.
  for (std::size_t cut = 0; cut <= event.size(); ++cut) {
    VirshEvents pieces;
    auto out = pieces.take(event.substr(0, cut));
    for (auto& line : pieces.take(event.substr(cut))) out.push_back(line);
    for (auto& line : pieces.end()) out.push_back(line);
    CHECK(texts(out) == Texts{folded});
  }
}

TEST_CASE("JSON of a monitor event is folded; blank lines are nothing") {
  CHECK(all("2026-11-22 08:44:59.738+0000: event WATCHDOG for domain 'vm1': {\"action\":\"reset\"}\n\n") ==
        Texts{"event WATCHDOG for domain 'vm1': {\"action\":\"reset\"}"});
}

TEST_CASE("what virsh says of itself is no event, and ends one") {
  CHECK(all("qemu:///system\n\n") == Texts{"virsh: qemu:///system"});
  CHECK(all("event 'job-completed' for domain 'a':\n\toperation: 2\nerror: Disconnected from qemu:///system due to end of file\n") ==
        Texts{"event 'job-completed' for domain 'a': operation: 2", "virsh: error: Disconnected from qemu:///system due to end of file"});
  CHECK(all("error: no newline") == Texts{"virsh: error: no newline"});
  CHECK(all("the event 'x' for domain 'y'\nevent \nevent\n") ==
        Texts{"virsh: the event 'x' for domain 'y'", "virsh: event", "virsh: event"});
}

TEST_CASE("a guest cannot speak for another by what it is called") {
  CHECK(all("event 'lifecycle' for domain 'web': Crashed Panicked': Started Booted\n") ==
        Texts{"event 'lifecycle' for domain \\x27web\\x27: Crashed Panicked\\x27: Started Booted"});
  CHECK(all("event 'io-error' for domain 'web': (vda) pause': /x (vda) pause\n") ==
        Texts{"event 'io-error' for domain \\x27web\\x27: (vda) pause\\x27: /x (vda) pause"});
  CHECK(all("event 'lifecycle' for domain 'it's': Started Booted\n") ==
        Texts{"event 'lifecycle' for domain \\x27it\\x27s\\x27: Started Booted"});
  CHECK(all("event 'reboot' for domain 'no end\n") == Texts{"event 'reboot' for domain \\x27no end"});
  // Quotes of virsh's own are left alone.
  const std::string iteration = "event 'migration-iteration' for domain 'a': iteration: '1'";
  CHECK(all(iteration + "\n") == Texts{iteration});
  const std::string disk = "event 'disk-change' for domain 'a' disk vda: x -> y: z";
  CHECK(all(disk + "\n") == Texts{disk});
}

TEST_CASE("lines are printable and bounded") {
  CHECK(all("event 'lifecycle' for domain 'a\x1b[2J\x9b\xe2\x80\xae': Started Booted\n") ==
        Texts{"event 'lifecycle' for domain 'a\\x1b[2J\\x9b\\xe2\\x80\\xae': Started Booted"});
  const auto longest = all("event 'io-error' for domain 'a': " + std::string(1 << 20, 'x') + "\nevent 'reboot' for domain 'b'\n");
  REQUIRE(longest.size() == 2);
  CHECK(longest[0].size() <= VirshLine::kMaxText + 3);
  CHECK(longest[1] == "event 'reboot' for domain 'b'");
  std::string many = "event 'job-completed' for domain 'a':\n";
  for (int i = 0; i < 100'000; ++i) many += "\tfield: 1\n";
  const auto folded = all(many);
  REQUIRE(folded.size() == 1);
  CHECK(folded[0].size() <= VirshLine::kMaxText + 3);
}

TEST_CASE("what libvirt really printed: as many lines as events") {
  for (const char* name : {"virsh-event-all.txt", "virsh-event-panic.txt", "virsh-event-migrate-src.txt"}) {
    const std::string text = file(name);
    std::size_t events = 0;
    for (std::size_t at = text.find("+0000: event "); at != std::string::npos; at = text.find("+0000: event ", at + 1)) ++events;
    const auto lines = all(text);
    INFO(name);
    CHECK(events > 5);
    CHECK(lines.size() == events);
    for (const std::string& line : lines) CHECK(line.starts_with("event '"));
  }
}
