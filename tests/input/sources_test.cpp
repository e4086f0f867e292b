// SPDX-License-Identifier: Apache-2.0
#include "input/sources.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "catch.h"
#include "make_input.h"

using namespace correlator;
using namespace correlator::input;
using namespace correlator::input::test;
using Kind = RotatedName::Kind;

namespace {

// The sources with their directory cut off: "messages: messages.1 messages".
std::vector<std::string> shown(const SourceList& list, const Directory& directory) {
  const std::string prefix = directory.path().string() + "/";
  const auto cut = [&](const std::string& name) {
    return name.starts_with(prefix) ? name.substr(prefix.size()) : name;
  };
  std::vector<std::string> all;
  for (const Source& source : list.sources) {
    std::string line = cut(source.name) + ":";
    for (const auto& file : source.files) line += " " + cut(file.string());
    all.push_back(line);
  }
  return all;
}

SourceList expand(std::vector<std::string> arguments) {
  return expand_sources(arguments);
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("what a file name says about its rotation") {
  const auto parse = [](const char* name) { return parse_rotated_name(name); };
  CHECK(parse("messages") == RotatedName{"messages", Kind::current, "", false});
  CHECK(parse("messages.gz") == RotatedName{"messages", Kind::current, "", false});
  CHECK(parse("messages.1") == RotatedName{"messages", Kind::number, "1", false});
  CHECK(parse("messages.012.gz") == RotatedName{"messages", Kind::number, "12", false});
  CHECK(parse("messages.0.zst") == RotatedName{"messages", Kind::number, "0", false});
  CHECK(parse("kern.log.2.xz") == RotatedName{"kern.log", Kind::number, "2", false});
  CHECK(parse("app.3.log.bz2") == RotatedName{"app.log", Kind::number, "3", false});
  CHECK(parse("messages-20260101.gz") == RotatedName{"messages", Kind::date, "20260101", false});
  CHECK(parse("messages-2026010113") == RotatedName{"messages", Kind::date, "2026010113", false});
  CHECK(parse("messages-2026-01-01") == RotatedName{"messages", Kind::date, "20260101", false});
  CHECK(parse("messages.2026-01-01.log") == RotatedName{"messages.log", Kind::date, "20260101", false});
  CHECK(parse("app-20260101.log.gz") == RotatedName{"app.log", Kind::date, "20260101", false});
  CHECK(parse("m-20260101-1767225600.gz") == RotatedName{"m", Kind::date, "202601011767225600", false});
  CHECK(parse("kernel-6.1") == RotatedName{"kernel-6", Kind::number, "1", true});
  for (const char* name : {"report.2026", "m-20261301", "m-20260132", "m-00000000", "m.1a", ".1", "20260101",
                           ".gz", "m-", "m.", "m-2026010", "x.log", ".log", "m.1.old"}) {
    INFO(name);
    CHECK(parse(name) == RotatedName{name, Kind::current, "", false});
  }
}

TEST_CASE("a rotated set is one source, oldest first, numbers by value") {
  const Directory directory;
  for (const char* name :
       {"messages", "messages.1", "messages.2.gz", "messages.10.gz", "messages.3.zst", "daemon", "kern.log",
        "kern.log-20260201", "kern.log-20251231.gz", ".hidden", "other.log"}) {
    directory.write(name, name);
  }
  std::filesystem::create_directory(directory.path() / "sub");
  directory.write("sub/deep", "x");
  const SourceList list = expand({directory.path().string()});
  CHECK(list.diagnostics.empty());
  CHECK(shown(list, directory) ==
        Lines{"daemon: daemon", "kern.log: kern.log-20251231.gz kern.log-20260201 kern.log",
              "messages: messages.10.gz messages.3.zst messages.2.gz messages.1 messages",
              "other.log: other.log"});
}

TEST_CASE("order of arguments, duplicates, links, and sets that are spread over arguments") {
  const Directory directory;
  const std::string base = directory.path().string() + "/";
  for (const char* name : {"b", "b.1", "a"}) directory.write(name, name);
  std::filesystem::create_symlink(base + "a", base + "link");
  std::filesystem::create_hard_link(base + "a", base + "hard");
  CHECK(shown(expand({base + "b", base + "a", base + "b.1"}), directory) == Lines{"b: b.1 b", "a: a"});
  CHECK(shown(expand({base + "a", base + "link", base + "hard", base + "./a"}), directory) == Lines{"a: a"});
  CHECK(shown(expand({base + "a", directory.path().string()}), directory) == Lines{"a: a", "b: b.1 b"});
  CHECK(shown(expand({base + "b.1"}), directory) == Lines{"b.1: b.1"});  // alone it keeps its name
  CHECK(shown(expand({"-", base + "a", "-"}), directory) == Lines{"stdin: -", "a: a"});
  CHECK(expand({}).sources.empty());
}

TEST_CASE("a version at the end of a name is no rotation, unless its base is there") {
  const Directory directory;
  directory.write("kernel-6.1", "x");
  directory.write("kernel-6.2", "y");
  CHECK(shown(expand({directory.path().string()}), directory) ==
        Lines{"kernel-6.1: kernel-6.1", "kernel-6.2: kernel-6.2"});
  directory.write("kernel-6", "z");
  CHECK(shown(expand({directory.path().string()}), directory) ==
        Lines{"kernel-6: kernel-6.2 kernel-6.1 kernel-6"});
}

TEST_CASE("the same base in two directories are two sources") {
  const Directory directory;
  for (const char* host : {"n1", "n2"}) {
    std::filesystem::create_directory(directory.path() / host);
    directory.write(std::string(host) + "/messages", host);
    directory.write(std::string(host) + "/messages.1", std::string(host) + "old");
  }
  const std::string base = directory.path().string();
  CHECK(shown(expand({base + "/n1", base + "/n2/"}), directory) ==
        Lines{"n1/messages: n1/messages.1 n1/messages", "n2/messages: n2/messages.1 n2/messages"});
}

TEST_CASE("logrotate's original and its compressed copy are read once, with a warning") {
  const Directory directory;
  const std::string text = log_text(20'000, 1);
  directory.write("m", "now\n");
  directory.write("m.1", text);
  directory.write("m.1.gz", compress(text, Compression::gzip).substr(0, 3000));  // gzip is still at it
  const SourceList list = expand({directory.path().string()});
  CHECK(shown(list, directory) == Lines{"m: m.1 m"});
  REQUIRE(list.diagnostics.size() == 1);
  CHECK(list.diagnostics[0].code == "E210");
  CHECK(list.diagnostics[0].gravity == Gravity::warning);
  CHECK(list.diagnostics[0].place.file == (directory.path() / "m.1.gz").string());
  CHECK(list.diagnostics[0].message == "begins with the same bytes as m.1 and is left out as its copy");

  directory.write("m.1.gz", compress("other\n", Compression::gzip));
  const SourceList both = expand({directory.path().string()});
  CHECK(shown(both, directory) == Lines{"m: m.1 m.1.gz m"});
  REQUIRE(both.diagnostics.size() == 1);
  CHECK(both.diagnostics[0].message == "stands for the same place in the rotation as m.1; both are read");
}

TEST_CASE("what cannot be read is named, with a hint; the rest is used") {
  const Directory directory;
  const std::string base = directory.path().string() + "/";
  directory.write("messages", "x");
  directory.write("syslog.1.gz", "x");
  std::filesystem::create_directory(directory.path() / "empty");
  const SourceList list =
      expand({base + "mesages", base + "messages", base + "syslog", base + "empty", base + "zzz"});
  CHECK(shown(list, directory) == Lines{"messages: messages"});
  REQUIRE(list.diagnostics.size() == 4);
  CHECK(to_text(list.diagnostics[0]).find("did you mean " + base + "messages?") != std::string::npos);
  CHECK(list.diagnostics[0].code == "E201");
  CHECK(list.diagnostics[0].message == "cannot be opened: No such file or directory");
  CHECK(list.diagnostics[1].hint == "there is syslog.1.gz beside it");
  CHECK(list.diagnostics[2].code == "E208");
  CHECK(list.diagnostics[2].message == "is a directory without log files");
  CHECK(list.diagnostics[3].hint == "check the path; a pattern with * must be expanded by the shell");

  const int socket = ::socket(AF_UNIX, SOCK_STREAM, 0);
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = base + "sock";
  REQUIRE(path.size() < sizeof address.sun_path);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  REQUIRE(::bind(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);
  const SourceList odd = expand({path});
  ::close(socket);
  REQUIRE(odd.diagnostics.size() == 1);
  CHECK(odd.diagnostics[0].code == "E209");
}
