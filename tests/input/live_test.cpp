// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "catch.h"
#include "input/live.h"
#include "temp_dir.h"

using namespace correlator;
using correlator::testing::TempDir;
using input::LiveFrame;
using input::LiveSource;
namespace fs = std::filesystem;

namespace {

struct Pipe {
  int in = -1, out = -1;
  Pipe() {
    int ends[2];
    REQUIRE(::pipe(ends) == 0);
    in = ends[0];
    out = ends[1];
  }
  ~Pipe() {
    ::close(in);
    if (out >= 0) ::close(out);
  }
  void write(std::string_view text) const { REQUIRE(::write(out, text.data(), text.size()) == static_cast<ssize_t>(text.size())); }
  void end() {
    ::close(out);
    out = -1;
  }
  std::string read() const {
    ::fcntl(in, F_SETFL, O_NONBLOCK);
    std::string text(4096, '\0');
    const ssize_t n = ::read(in, text.data(), text.size());
    text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
    return text;
  }
};

// All frames that are there now, each answered.
std::vector<std::string> take(LiveSource& source, bool* ended = nullptr) {
  std::vector<std::string> out;
  LiveFrame frame;
  for (int nothing = 0; nothing < 2;) {
    const auto next = source.next(frame);
    REQUIRE(next);
    if (*next == LiveSource::Next::frame) {
      out.emplace_back(frame.bytes);
      source.answer(true);
      nothing = 0;
    } else {
      ++nothing;
      if (ended != nullptr) *ended = *next == LiveSource::Next::end;
    }
  }
  return out;
}

using Lines = std::vector<std::string>;

void append(const fs::path& file, std::string_view text) { std::ofstream(file, std::ios::binary | std::ios::app) << text; }

std::unique_ptr<LiveSource> follow(const fs::path& file, bool from_start = false) {
  auto source = input::follow_source(file, {from_start});
  REQUIRE(source);
  return std::move(*source);
}

}  // namespace

TEST_CASE("omprog: the first OK comes before any line, then one for each line, only when it was answered") {
  Pipe lines, answers;
  const auto source = input::omprog_source(lines.in, answers.out);
  LiveFrame frame;
  CHECK(*source->next(frame) == LiveSource::Next::nothing);
  CHECK(answers.read() == "OK\n");
  lines.write("one\n");
  REQUIRE(*source->next(frame) == LiveSource::Next::frame);
  CHECK(frame.bytes == "one");
  CHECK(answers.read().empty());
  source->answer(true);
  CHECK(*source->next(frame) == LiveSource::Next::nothing);
  CHECK(answers.read() == "OK\n");
}

TEST_CASE("omprog: lines in pieces, many at once, and an empty one are lines all the same") {
  Pipe lines, answers;
  const auto source = input::omprog_source(lines.in, answers.out);
  CHECK(take(*source).empty());
  answers.read();
  lines.write("in p");
  CHECK(take(*source).empty());
  CHECK(answers.read().empty());
  lines.write("ieces");
  CHECK(take(*source).empty());
  lines.write("\na\n\nb\nc");
  CHECK(take(*source) == Lines{"in pieces", "a", "", "b"});
  CHECK(answers.read() == "OK\nOK\nOK\nOK\n");
}

TEST_CASE("omprog: a line longer than 1 MiB is cut and is one line with one answer") {
  Pipe lines, answers;
  const auto source = input::omprog_source(lines.in, answers.out);
  ::fcntl(lines.out, F_SETPIPE_SZ, 1 << 20);
  take(*source);
  answers.read();
  std::size_t frames = 0;
  LiveFrame frame;
  const auto pump = [&] {
    for (int nothing = 0; nothing < 2;) {
      const auto next = source->next(frame);
      REQUIRE(next);
      if (*next != LiveSource::Next::frame) {
        ++nothing;
        continue;
      }
      ++frames;
      if (frames == 1) {
        CHECK(frame.truncated);
        CHECK(frame.bytes.size() == std::size_t{1} << 20);
      } else {
        CHECK(frame.bytes == "next");
      }
      source->answer(true);
    }
  };
  for (int i = 0; i < 50; ++i) {
    lines.write(std::string(60'000, 'x'));
    pump();
  }
  CHECK(frames == 0);
  lines.write("\nnext\n");
  pump();
  CHECK(frames == 2);
  CHECK(answers.read() == "OK\nOK\n");
}

TEST_CASE("omprog: a refused line is answered with something else than OK; a line cut off by the end is dropped") {
  Pipe lines, answers;
  const auto source = input::omprog_source(lines.in, answers.out);
  take(*source);
  answers.read();
  lines.write("one\nhal");
  LiveFrame frame;
  REQUIRE(*source->next(frame) == LiveSource::Next::frame);
  source->answer(false);
  lines.end();
  bool ended = false;
  CHECK(take(*source, &ended).empty());
  CHECK(ended);
  CHECK(answers.read() == "the state cannot be written; see the log of correlator\n");
}

TEST_CASE("a pipe gives frames of several lines whole, and its last line without a newline") {
  Pipe lines;
  const auto source = input::pipe_source(lines.in, "stdin");
  lines.write("6,1,100,-;text\n SUBSYSTEM=pci\n");
  CHECK(take(*source).empty());  // more may follow
  lines.write("plain\nlast");
  CHECK(take(*source) == Lines{"6,1,100,-;text\n SUBSYSTEM=pci", "plain"});
  lines.end();
  bool ended = false;
  CHECK(take(*source, &ended) == Lines{"last"});
  CHECK(ended);
}

TEST_CASE("follow: begins at the end, or at the start if told so, and waits for what is appended") {
  const TempDir dir;
  const fs::path file = dir.path() / "log";
  append(file, "old\n");
  const auto source = follow(file), whole = follow(file, true);
  CHECK(take(*source).empty());
  CHECK(take(*whole) == Lines{"old"});
  append(file, "new\npart");
  CHECK(take(*source) == Lines{"new"});
  append(file, "ial\n");
  CHECK(take(*source) == Lines{"partial"});
}

TEST_CASE("follow: rotation by rename loses nothing, also what the writer still writes to the old file") {
  const TempDir dir;
  const fs::path file = dir.path() / "log";
  append(file, "1\n");
  const auto source = follow(file, true);
  CHECK(take(*source) == Lines{"1"});
  std::ofstream writer(file, std::ios::app);
  writer << "2\n" << std::flush;
  fs::rename(file, dir.path() / "log.1");
  append(file, "");  // logrotate's `create`: the writer has not reopened yet
  writer << "3\n" << std::flush;
  CHECK(take(*source) == Lines{"2", "3"});
  writer << "4\n" << std::flush;
  append(file, "5\n");
  CHECK(take(*source) == Lines{"4", "5"});
  fs::rename(dir.path() / "log.1", dir.path() / "log.2");
  fs::rename(file, dir.path() / "log.1");
  CHECK(take(*source).empty());
  append(file, "6\n");
  CHECK(take(*source) == Lines{"6"});
}

TEST_CASE("follow: copytruncate, also where the file has grown beyond our place since") {
  const TempDir dir;
  const fs::path file = dir.path() / "log";
  append(file, "first line\nsecond line\n");
  const auto source = follow(file, true);
  CHECK(take(*source).size() == 2);
  std::ofstream(file, std::ios::trunc) << "third\n";
  CHECK(take(*source) == Lines{"third"});
  std::ofstream(file, std::ios::trunc) << "fourth, and longer than all that stood here before\n";
  CHECK(take(*source) == Lines{"fourth, and longer than all that stood here before"});
}

TEST_CASE("follow: goes on where it stopped, also after rotations and compression, and gives nothing twice") {
  const TempDir dir;
  const fs::path file = dir.path() / "log";
  append(file, "1\n2\n");
  std::optional<input::LivePosition> position;
  const auto again = [&](const Lines& expected) {
    const auto source = follow(file);
    REQUIRE(source->resume(*position));
    CHECK(take(*source) == expected);
    position = source->position();
  };
  {
    const auto source = follow(file, true);
    CHECK(take(*source) == Lines{"1", "2"});
    position = source->position();
  }
  append(file, "3\n");
  again({"3"});
  again({});
  append(file, "4\n");
  fs::rename(file, dir.path() / "log.1");
  append(file, "5\n");
  again({"4", "5"});
  append(file, "6\n");
  fs::rename(dir.path() / "log.1", dir.path() / "log.2");
  fs::rename(file, dir.path() / "log.1");
  REQUIRE(std::system(("gzip " + (dir.path() / "log.1").string()).c_str()) == 0);
  append(file, "7\n");
  again({"6", "7"});
  std::ofstream(file, std::ios::trunc) << "8\n";  // truncated while nobody looked
  fs::remove(dir.path() / "log.1.gz");
  const auto source = follow(file);
  const auto status = source->resume(*position);
  REQUIRE(!status);
  CHECK(status.error().code == "E207");
  CHECK(take(*source) == Lines{"8"});
}

TEST_CASE("kmsg: the kernel's own records, ids of boot and number, and lost ones told in the kernel's words") {
  int ends[2];
  REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0);
  const auto send = [&](std::string_view record) { REQUIRE(::send(ends[1], record.data(), record.size(), 0) > 0); };
  const auto source = input::kmsg_source(ends[0], "boot");
  send("6,10,100,-;a\n SUBSYSTEM=x\n");
  send("14,11,101,-;user: space\n");
  send("4,12,102,-;b\n");
  send("4,20,103,-;c\n");
  LiveFrame frame;
  Lines frames, ids;
  while (*source->next(frame) == LiveSource::Next::frame) {
    frames.emplace_back(frame.bytes);
    ids.push_back(frame.id);
    CHECK(frame.arrival);
  }
  CHECK(frames == Lines{"6,10,100,-;a\n SUBSYSTEM=x", "4,12,102,-;b", "4,20,103,-;** 7 printk messages dropped **", "4,20,103,-;c"});
  CHECK(ids == Lines{"boot:10", "boot:12", "boot:13-lost-7", "boot:20"});
  CHECK(source->position()->offset == 21);
  ::close(ends[1]);
}

TEST_CASE("kmsg: a restart passes over what was read in the same boot, and reads the ring of another one") {
  const auto frames = [](const input::LivePosition& position) {
    int ends[2];
    REQUIRE(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, ends) == 0);
    for (const char* record : {"6,1,100,-;a\n", "6,2,101,-;b\n"}) REQUIRE(::send(ends[1], record, std::strlen(record), 0) > 0);
    const auto source = input::kmsg_source(ends[0], "boot");
    REQUIRE(source->resume(position));
    LiveFrame frame;
    Lines out;
    while (*source->next(frame) == LiveSource::Next::frame) out.emplace_back(frame.bytes);
    ::close(ends[1]);
    return out;
  };
  CHECK(frames({"boot", 2, {}}) == Lines{"6,2,101,-;b"});
  CHECK(frames({"other", 2, {}}) == Lines{"6,1,100,-;a", "6,2,101,-;b"});
}
