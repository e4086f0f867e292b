// SPDX-License-Identifier: Apache-2.0
#include "effort.h"
#include "input/blocks.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <vector>

#include "catch.h"
#include "make_input.h"

using namespace correlator;
using namespace correlator::input;
using namespace correlator::input::test;

namespace {

struct Cut {
  std::string bytes;
  std::uint64_t offset, first_line;
  bool continues, cut;
  bool operator==(const Cut&) const = default;
};

struct Cuts {
  std::vector<Cut> blocks;
  std::string code;
  std::uint64_t cut_lines = 0;

  std::string text() const {
    std::string all;
    for (const Cut& block : blocks) all += block.bytes;
    return all;
  }
};

// Reads all blocks and checks what holds for each of them.
Cuts cut(const std::string& bytes, const BlockOptions& options, std::size_t piece = 1 << 18) {
  BlockReader reader(memory_reader("a.log", bytes, piece), options);
  Cuts cuts;
  std::uint64_t offset = options.start_offset, line = options.start_line;
  while (true) {
    Result<std::optional<Block>> block = reader.next();
    if (!block) {
      cuts.code = block.error().code;
      CHECK(reader.next().error().code == cuts.code);
      break;
    }
    if (!block->has_value()) {
      CHECK_FALSE(reader.next().value().has_value());
      break;
    }
    const Block& now = **block;
    REQUIRE_FALSE(now.bytes.empty());
    REQUIRE(now.offset == offset);
    REQUIRE(now.first_line == line);
    REQUIRE(now.newlines() ==
            static_cast<std::uint64_t>(std::count(now.bytes.begin(), now.bytes.end(), '\n')));
    REQUIRE(std::string_view(now.bytes.data() + now.bytes.size(), Block::kPadding) ==
            std::string(Block::kPadding, '\0'));
    REQUIRE(now.continues == (cuts.blocks.empty() ? options.start_continues : cuts.blocks.back().cut));
    offset += now.bytes.size();
    line += now.newlines();
    cuts.blocks.push_back({std::string(now.bytes), now.offset, now.first_line, now.continues, now.cut});
  }
  for (std::size_t i = 0; i + 1 < cuts.blocks.size(); ++i) {
    REQUIRE((cuts.blocks[i].bytes.back() == '\n') != cuts.blocks[i].cut);
  }
  cuts.cut_lines = reader.cut_lines();
  return cuts;
}

BlockOptions sized(std::size_t block_size, bool read_ahead = false) {
  BlockOptions options;
  options.block_size = block_size;
  options.read_ahead = read_ahead;
  return options;
}

// Where over-long lines are cut, as offsets: must not depend on anything but the text.
std::vector<std::uint64_t> cut_places(const Cuts& cuts) {
  std::vector<std::uint64_t> places;
  for (const Cut& block : cuts.blocks) {
    if (block.cut) places.push_back(block.offset + block.bytes.size());
  }
  return places;
}

// The same by a naive reading of the rule: after each max_line bytes of a line's content.
std::vector<std::uint64_t> expected_places(const std::string& text, std::size_t max_line) {
  std::vector<std::uint64_t> places;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    for (std::size_t at = begin + max_line; at < end; at += max_line) places.push_back(at);
    begin = end + 1;
  }
  return places;
}

}  // namespace

TEST_CASE("blocks end on a newline and are numbered") {
  const Cuts cuts = cut("aa\nbb\ncc\ndd", sized(7));
  REQUIRE(cuts.blocks.size() == 2);
  CHECK(cuts.blocks[0] == Cut{"aa\nbb\n", 0, 1, false, false});
  CHECK(cuts.blocks[1] == Cut{"cc\ndd", 6, 3, false, false});
  CHECK(cut("", sized(7)).blocks.empty());
  CHECK(cut("\n", sized(7)).blocks.size() == 1);
  CHECK(cut("no newline", sized(100)).text() == "no newline");
  CHECK(cut("longer than a block\n", sized(3)).blocks.size() == 1);
}

TEST_CASE("the text is the same for each block size, with and without the thread, in any pieces") {
  for (std::uint32_t seed = 0; seed < 150; ++seed) {
    INFO("seed " << seed);
    std::mt19937 random(seed);
    std::string text;
    const std::size_t lines = random() % 200;
    for (std::size_t i = 0; i < lines; ++i) {
      text.append(random() % 10 == 0 ? random() % 900 : random() % 40,
                  static_cast<char>('a' + random() % 26));
      if (i + 1 != lines || random() % 2 == 0) text += '\n';
    }
    const std::size_t max_line = 50 + random() % 500;
    const auto kind = std::array{Compression::none, Compression::gzip, Compression::zstd}[seed % 3];
    const std::string bytes = compress(text, kind);
    const auto expected = expected_places(text, max_line);
    for (const std::size_t block_size :
         {std::size_t{1}, 1 + random() % 50, 1 + random() % 3000, std::size_t{100'000}}) {
      INFO("block size " << block_size << ", longest line " << max_line);
      BlockOptions options = sized(block_size);
      options.max_line = max_line;
      const Cuts plain = cut(bytes, options);
      REQUIRE((plain.text() == text));
      REQUIRE(cut_places(plain) == expected);
      REQUIRE(cut(bytes, options, 1 + random() % 100).blocks == plain.blocks);
      options.read_ahead = true;
      options.queue = random() % 4;
      const Cuts threaded = cut(bytes, options, 1 + random() % 1000);
      REQUIRE(threaded.blocks == plain.blocks);
      REQUIRE(threaded.cut_lines == plain.cut_lines);
      options.eager = true;
      const Cuts eager = cut(bytes, options, 1 + random() % 100);
      REQUIRE((eager.text() == text));
      REQUIRE(cut_places(eager) == expected);
    }
  }
}

TEST_CASE("long lines: 1 MiB stays whole, above max_line they come in marked pieces, nothing is lost") {
  const std::string mib(1 << 20, 'x');
  const Cuts whole = cut("a\n" + mib + "\nb\n", {});
  CHECK(whole.cut_lines == 0);
  CHECK(std::count_if(whole.blocks.begin(), whole.blocks.end(),
                      [&](const Cut& b) { return b.bytes.find(mib + "\n") != b.bytes.npos; }) == 1);

  BlockOptions options = sized(16);
  options.max_line = 64;
  const std::string just(64, 'y');
  CHECK(cut(just, options).cut_lines == 0);
  CHECK(cut(just, options).blocks.size() == 1);
  CHECK(cut(just + "\n", options).blocks.size() == 1);
  const Cuts over = cut(just + "z\n", options);
  REQUIRE(over.blocks.size() == 2);
  CHECK(over.blocks[0] == Cut{just, 0, 1, false, true});
  CHECK(over.blocks[1] == Cut{"z\n", 64, 1, true, false});
  const Cuts three = cut("q\n" + just + just + just + "\nr\n", options);
  CHECK(three.cut_lines == 1);
  CHECK(cut_places(three) == std::vector<std::uint64_t>{66, 130});
  for (const Cut& block : three.blocks) {  // all pieces belong to the same line
    if (block.continues) CHECK(block.first_line == 2);
  }
}

TEST_CASE("line_of agrees with counting") {
  const std::string text = log_text(100'000, 4);
  BlockOptions options = sized(30'000);
  options.start_line = 1000;
  BlockReader reader(memory_reader("a", text), options);
  std::mt19937 random(9);
  while (true) {
    const auto block = reader.next().value();
    if (!block) break;
    for (int i = 0; i < 100; ++i) {
      const std::size_t at = i == 0 ? block->bytes.size() : random() % block->bytes.size();
      const auto before =
          std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(block->offset + at), '\n');
      REQUIRE(block->line_of(at) == 1000 + static_cast<std::uint64_t>(before));
    }
  }
  CHECK(Block().line_of(0) == 1);
  CHECK(Block().newlines() == 0);
}

TEST_CASE("newlines are counted at every length and alignment") {
  std::mt19937 random(1);
  std::string text(40'000, '\0');
  for (char& c : text) c = static_cast<char>(random() % 3 == 0 ? '\n' : random());
  for (std::uint64_t i = 0; i < effort(2000); ++i) {
    const std::string_view part =
        std::string_view(text).substr(random() % 200, random() % (i < 1000 ? 300 : 39'000));
    REQUIRE(count_newlines(part) == static_cast<std::uint64_t>(std::count(part.begin(), part.end(), '\n')));
  }
  CHECK(count_newlines(std::string(1 << 20, '\n')) == 1 << 20);  // the sums in bytes do not run over
  CHECK(count_newlines("") == 0);
}

TEST_CASE("a damaged stream: first the blocks, the unfinished line too, then its error") {
  const std::string text = log_text(200'000, 2);
  const std::string whole = compress(text, Compression::gzip);
  for (const bool read_ahead : {false, true}) {
    const Cuts cuts = cut(whole.substr(0, whole.size() / 2), sized(10'000, read_ahead));
    CHECK(cuts.code == "E202");
    CHECK(cuts.text().size() > 80'000);
    CHECK(text.starts_with(cuts.text()));
  }
}

TEST_CASE("reading goes on at the end of any block as if it had never stopped") {
  std::string text = log_text(30'000, 3);
  text.insert(10'000, 5000, 'x');
  for (const Compression kind : {Compression::none, Compression::gzip, Compression::xz}) {
    const std::string bytes = compress(text, kind);
    BlockOptions options = sized(1000);
    options.max_line = 2000;
    const Cuts all = cut(bytes, options);
    REQUIRE(all.cut_lines == 1);
    for (std::size_t i = 0; i < all.blocks.size(); ++i) {
      BlockOptions from = options;
      from.read_ahead = i % 2 == 0;
      from.start_offset = all.blocks[i].offset;
      from.start_line = all.blocks[i].first_line;
      from.start_continues = all.blocks[i].continues;
      const Cuts rest = cut(bytes, from);
      REQUIRE(std::equal(rest.blocks.begin(), rest.blocks.end(),
                         all.blocks.begin() + static_cast<std::ptrdiff_t>(i), all.blocks.end()));
    }
    BlockOptions at_end = options;
    at_end.start_offset = text.size();
    CHECK(cut(bytes, at_end).blocks.empty());
    BlockOptions beyond = options;
    beyond.start_offset = text.size() + 1;
    BlockReader reader(memory_reader("a.log", bytes), beyond);
    const auto error = reader.next();
    REQUIRE_FALSE(error.ok());
    CHECK(error.error().code == "E206");
    CHECK(error.error().place.file == "a.log");
    CHECK(error.error().message == "holds " + std::to_string(text.size()) + " bytes, but " +
                                       std::to_string(text.size() + 1) + " were read before");
  }
}

TEST_CASE("blocks outlive their reader, and a reader may be dropped at any time") {
  const std::string text = log_text(50'000, 12);
  std::vector<Block> kept;
  {
    BlockReader reader(memory_reader("a", text), sized(3000, true));
    while (auto block = reader.next().value()) kept.push_back(std::move(*block));
  }
  std::string all;
  for (const Block& block : kept) all += block.bytes;
  CHECK((all == text));
  for (std::size_t fetched = 0; fetched < 8; ++fetched) {
    BlockReader reader(memory_reader("a", text), sized(1000, true));
    for (std::size_t i = 0; i < fetched; ++i) (void)reader.next();
  }
}

TEST_CASE("eager: a line is handed over before the pipe says more, and the destructor ends the wait") {
  const Directory directory;
  const auto path = directory.path() / "fifo";
  REQUIRE(::mkfifo(path.c_str(), 0600) == 0);
  const int writer = ::open(path.c_str(), O_RDWR);
  REQUIRE(writer >= 0);
  REQUIRE(::write(writer, "one\ntwo\nth", 10) == 10);
  for (const bool read_ahead : {false, true}) {
    auto opened = open_reader(path);
    REQUIRE(opened.ok());
    BlockOptions options = sized(1 << 20, read_ahead);
    options.eager = true;
    BlockReader reader(std::move(*opened), options);
    const auto first = reader.next();
    REQUIRE(first.ok());
    CHECK((*first)->bytes == "one\ntwo\n");
    REQUIRE(::write(writer, "one\ntwo\nth", 10) == 10);
    const auto second = reader.next();
    REQUIRE(second.ok());
    CHECK((*second)->bytes == "thone\ntwo\n");
    CHECK((*second)->first_line == 3);
    REQUIRE(::write(writer, "one\ntwo\nth", 10) == 10);
  }
  ::close(writer);
}
