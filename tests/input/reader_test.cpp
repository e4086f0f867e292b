// SPDX-License-Identifier: Apache-2.0
#include "input/reader.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <thread>

#include "base/codes.h"
#include "catch.h"
#include "effort.h"
#include "make_input.h"

using namespace correlator;
using namespace correlator::input;
using namespace correlator::input::test;

namespace {

// Incompressible enough that every format has several blocks.
const std::string& sample() {
  static const std::string text = log_text(700'000, 11);
  return text;
}

Outcome read_bytes(const std::string& bytes, std::size_t step = 1 << 16, std::size_t piece = 1 << 18) {
  const auto reader = memory_reader("a.log", bytes, piece);
  return drain(*reader, step);
}

}  // namespace

TEST_CASE("every format gives the text, told by its bytes") {
  for (const Compression kind :
       {Compression::none, Compression::gzip, Compression::zstd, Compression::xz, Compression::bzip2}) {
    INFO(to_string(kind));
    const std::string bytes = compress(sample(), kind);
    for (const std::size_t piece : {std::size_t{1} << 18, std::size_t{997}}) {
      const auto reader = memory_reader("messages.gz", bytes, piece);
      CHECK(reader->compression() == kind);
      const Outcome all = drain(*reader, piece == 997 ? 501 : 1 << 20);
      CHECK(all.code == "");
      CHECK((all.bytes == sample()));
      CHECK(reader->compressed_offset() == bytes.size());
      CHECK(reader->compressed_size() == bytes.size());
    }
    const std::string small = compress("one\ntwo", kind);
    CHECK(read_bytes(small, 1, 1).bytes == "one\ntwo");  // a byte at a time, in and out
    const std::string empty = compress("", kind);
    CHECK(read_bytes(empty).bytes == "");
    CHECK(read_bytes(empty).code == "");
  }
}

TEST_CASE("members, frames and streams one behind the other are all read, also with zero padding") {
  for (const Compression kind : kCompressed) {
    INFO(to_string(kind));
    const std::string three = compress("one\n", kind) + compress("", kind) + compress(sample(), kind);
    CHECK((read_bytes(three).bytes == "one\n" + sample()));
    CHECK((read_bytes(three, 777, 3).bytes == "one\n" + sample()));
    const std::string padded = compress("one\n", kind) + std::string(700, '\0') + compress("two\n", kind) +
                               std::string(300'000, '\0');
    const Outcome all = read_bytes(padded, 100, 64);
    CHECK(all.bytes == "one\ntwo\n");
    CHECK(all.code == "");
  }
  // A zstd file may begin with a frame that is to be skipped.
  const std::string skippable("\x50\x2a\x4d\x18\x04\0\0\0abcd", 12);
  CHECK(read_bytes(skippable + compress("x\n", Compression::zstd)).bytes == "x\n");
}

TEST_CASE("a stream that is cut off gives what it held, then E202 with file and offset") {
  const std::string text = log_text(300'000, 5);
  std::mt19937 random(20260101);
  for (const Compression kind : kCompressed) {
    const std::string whole = compress(text, kind);
    std::size_t last = 0;
    const std::size_t least = kind == Compression::bzip2 ? 4 : 2;  // fewer bytes could be text
    for (std::size_t size = least; size < whole.size();) {
      INFO(to_string(kind) << " cut at " << size << " of " << whole.size());
      const Outcome part = read_bytes(whole.substr(0, size), 4096, size < 2000 ? 1 : 4096);
      REQUIRE(part.code == "E202");
      REQUIRE(part.file == "a.log");
      REQUIRE(part.message == "the " + std::string(to_string(kind)) +
                                  " stream is cut off: the file ends at byte " + std::to_string(size) +
                                  " in the middle of it");
      REQUIRE(text.compare(0, part.bytes.size(), part.bytes) == 0);
      REQUIRE(part.bytes.size() >= last);  // more file, never less text
      last = part.bytes.size();
      const std::size_t tail = whole.size() - std::min<std::size_t>(whole.size(), 40);
      size = size < 40 || size >= tail ? size + 1 : std::min(tail, size + 1 + random() % 4000);
    }
    CHECK(last == text.size());  // only the checksum was missing
  }
}

TEST_CASE("a gzip stream that is cut off gives all but the last symbols") {
  const std::string text = log_text(400'000, 6);
  const std::string whole = compress(text, Compression::gzip);
  for (const std::size_t size : {whole.size() / 4, whole.size() / 2, whole.size() - 100}) {
    const Outcome part = read_bytes(whole.substr(0, size));
    // Text of this kind has a steady ratio; a decoder that held back a window would lack 32 KiB.
    const double expected = static_cast<double>(size) / static_cast<double>(whole.size()) * 400'000;
    CHECK(static_cast<double>(part.bytes.size()) > expected - 6000);
  }
}

TEST_CASE("a damaged stream gives a prefix of the text or an error, never silently something else") {
  const std::string text = log_text(600'000, 7);
  for (const Compression kind : kCompressed) {
    const std::string whole = compress(text, kind);
    for (std::uint32_t seed = 0; seed < effort(60); ++seed) {
      std::mt19937 random(seed);
      std::string bytes = whole;
      const std::size_t at = 12 + random() % (bytes.size() - 12);
      bytes[at] = static_cast<char>(bytes[at] ^ (1u << random() % 8));
      INFO(to_string(kind) << " seed " << seed << " flips a bit at " << at << " of " << bytes.size());
      const Outcome part = read_bytes(bytes, 1 << 14);
      // A flipped bit may hit a field that means nothing; then the text is whole.
      if (part.code.empty()) REQUIRE((part.bytes == text));
      if (!part.code.empty()) REQUIRE(part.code.starts_with("E20"));
    }
  }
}

TEST_CASE("what stands before the damage is given in full") {
  const std::string first = log_text(900'000, 8);
  for (const Compression kind : kCompressed) {
    INFO(to_string(kind));
    const std::string good = compress(first, kind);
    std::string bad = compress(log_text(900'000, 9), kind);
    for (std::size_t i = 0; i < 64; ++i) bad[bad.size() / 2 + i] = '\x55';
    for (const std::size_t step : {std::size_t{1000}, std::size_t{4} << 20}) {
      const Outcome part = read_bytes(good + bad, step, 4 << 20);
      CHECK(part.code == "E203");
      CHECK((part.bytes.substr(0, first.size()) == first));
      // And the blocks before the damage: the smallest of them hold 100 kB.
      CHECK(part.bytes.size() > first.size() + (kind == Compression::xz ? 1000 : 200'000));
      CHECK(part.message.starts_with("the " + std::string(to_string(kind)) + " stream is damaged at byte "));
    }
  }
}

TEST_CASE("a wrong checksum is an error after the text") {
  for (const Compression kind : {Compression::gzip, Compression::xz}) {
    std::string bytes = compress("one\ntwo\n", kind);
    if (kind == Compression::gzip) bytes[bytes.size() - 8] ^= 1;
    if (kind == Compression::xz) bytes[bytes.size() - 1] ^= 1;
    const Outcome part = read_bytes(bytes);
    CHECK(part.bytes == "one\ntwo\n");
    CHECK(part.code == "E203");
  }
}

TEST_CASE("text appended to a compressed file is not lost without a word") {
  for (const Compression kind : kCompressed) {
    const std::string bytes = compress("one\n", kind);
    const Outcome part = read_bytes(bytes + "two\n");
    CHECK(part.bytes == "one\n");
    CHECK(part.code == "E204");
    const std::string name(to_string(kind));
    CHECK(part.message == "behind the " + name + " stream, at byte " + std::to_string(bytes.size()) +
                              ", stands something that is not " + name);
  }
}

TEST_CASE("a name says nothing: plain text, garbage, short files") {
  using namespace std::string_literals;
  for (const std::string& text :
       {"plain text in a .gz\n"s, ""s, "\x1f"s, "B"s, "BZ"s, "BZh"s, "BZhello\n"s, "BZh9 is a word\n"s,
        "\0\0\0\0"s, "\xff\xfe\0a\n"s, "\xfd"s, "\x28\xb5\x2e\n"s, "P*M\n"s, "\n"s, "(\n"s}) {
    INFO(text);
    const auto reader = memory_reader("x.gz", text, 1);
    CHECK(reader->compression() == Compression::none);
    const Outcome all = drain(*reader);
    CHECK((all.bytes == text));
    CHECK(all.code == "");
  }
  std::string garbage(300'000, '\0');
  std::mt19937 random(3);
  for (char& c : garbage) c = static_cast<char>(random());
  garbage[0] = 'x';
  CHECK((read_bytes(garbage).bytes == garbage));
  CHECK(read_bytes("\x1f\x8b" + garbage).code == "E203");
  CHECK(read_bytes("\x28\xb5\x2f\xfd" + garbage).code == "E203");
  CHECK(read_bytes("\xfd"s + "7zXZ\0"s + garbage).code == "E203");
  CHECK(read_bytes("BZh91AY&SY" + garbage).code == "E203");
}

TEST_CASE("skip goes to a place in the text, whatever the format") {
  const std::string& text = sample();
  for (const Compression kind :
       {Compression::none, Compression::gzip, Compression::zstd, Compression::xz, Compression::bzip2}) {
    INFO(to_string(kind));
    const std::string bytes = compress(text, kind);
    for (const std::size_t to : {std::size_t{0}, std::size_t{3}, std::size_t{300'001}, text.size()}) {
      const auto reader = memory_reader("a", bytes, 5000);
      REQUIRE(reader->skip(to).value() == to);
      CHECK((drain(*reader).bytes == text.substr(to)));
    }
    CHECK(memory_reader("a", bytes)->skip(text.size() + 10).value() == text.size());
  }
}

TEST_CASE("files: name, size, mtime, seeking, and errors that say what to do") {
  const Directory directory;
  const auto path = directory.write("messages", sample());
  auto reader = open_reader(path);
  REQUIRE(reader.ok());
  CHECK((*reader)->name() == path.string());
  CHECK((*reader)->compressed_size() == sample().size());
  REQUIRE((*reader)->mtime().has_value());
  CHECK((*reader)->mtime()->us > from_civil({2020, 1, 1}).us);
  CHECK((*reader)->skip(500'000).value() == 500'000);
  CHECK((*reader)->compressed_offset() == 500'000);
  CHECK((drain(**reader).bytes == sample().substr(500'000)));
  CHECK((*reader)->compressed_offset() == sample().size());

  const auto missing = open_reader(directory.path() / "none");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == "E201");
  CHECK(missing.error().message == "cannot be opened: No such file or directory");
  CHECK(missing.error().hint == "check the path; a pattern with * must be expanded by the shell");
  CHECK(missing.error().place.file == (directory.path() / "none").string());
  const auto folder = open_reader(directory.path());
  REQUIRE_FALSE(folder.ok());
  CHECK(folder.error().code == "E209");
  CHECK(folder.error().message == "is a directory, not a log");
}

TEST_CASE("a pipe: one byte of text is enough to begin, cancel ends the wait") {
  const Directory directory;
  const auto path = directory.path() / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int keep = ::open(path.c_str(), O_RDWR);  // no end of the stream while this is open
  REQUIRE(keep >= 0);
  REQUIRE(::write(keep, "a", 1) == 1);
  auto reader = open_reader(path);
  REQUIRE(reader.ok());
  CHECK_FALSE((*reader)->compressed_size().has_value());
  CHECK_FALSE((*reader)->mtime().has_value());
  char byte[4];
  CHECK((*reader)->read(byte).value() == 1);
  std::thread other([&] { (*reader)->cancel(); });
  const auto cancelled = (*reader)->read(byte);
  other.join();
  ::close(keep);
  REQUIRE_FALSE(cancelled.ok());
  CHECK(cancelled.error().code == "E205");
  CHECK(cancelled.error().message == "reading was cancelled");
}

TEST_CASE("each code of this module is in the catalogue") {
  for (const char* code : {"E201", "E202", "E203", "E204", "E205", "E206", "E207", "E208", "E209", "E210"}) {
    CHECK(find_code(code) != nullptr);
  }
}
