// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <unistd.h>

#include <random>
#include <vector>

#include "catch.h"
#include "store/spool.h"
#include "temp_dir.h"

using namespace correlator;
using correlator::testing::TempDir;
using store::Spool;

namespace {

std::vector<std::string> all(Spool& spool) {
  std::vector<std::string> out;
  REQUIRE(spool.each([&](std::string_view entry) -> Status {
    out.emplace_back(entry);
    return {};
  }));
  return out;
}

void overwrite(const std::filesystem::path& file, off_t at, char with) {
  const int fd = ::open(file.c_str(), O_WRONLY);
  REQUIRE(fd >= 0);
  REQUIRE(::pwrite(fd, &with, 1, at) == 1);
  ::close(fd);
}

}  // namespace

TEST_CASE("what was added is there for the next process, in order; a reset forgets it for good") {
  const TempDir dir;
  const auto file = dir.path() / "spool";
  std::uint64_t generation = 0;
  {
    auto spool = Spool::open(file, 1 << 20);
    REQUIRE(spool);
    CHECK(spool->empty());
    REQUIRE(spool->add("one"));
    REQUIRE(spool->add(std::string("two\0\n", 5)));
    REQUIRE(spool->add(""));
    generation = spool->generation();
  }
  auto again = Spool::open(file, 1 << 20);
  REQUIRE(again);
  CHECK(again->generation() == generation);
  CHECK(all(*again) == std::vector<std::string>{"one", std::string("two\0\n", 5), ""});
  REQUIRE(again->reset());
  CHECK(again->empty());
  REQUIRE(again->add("1"));  // shorter than what the last generation left there
  auto last = Spool::open(file, 1 << 20);
  REQUIRE(last);
  CHECK(last->generation() == generation + 1);
  CHECK(all(*last) == std::vector<std::string>{"1"});
}

TEST_CASE("an entry that was not written to its end ends the spool; those before it stand") {
  const unsigned seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 200; ++round) {
    const TempDir dir;
    const auto file = dir.path() / "spool";
    std::vector<std::size_t> ends = {4096};
    {
      auto spool = Spool::open(file, 64 << 10);
      REQUIRE(spool);
      for (int i = 0; i < 5; ++i) {
        const std::string entry(random() % 300, static_cast<char>('a' + i));
        REQUIRE(spool->add(entry));
        ends.push_back(ends.back() + 32 + entry.size());
      }
    }
    const std::size_t damaged = 4096 + random() % (ends.back() - 4096);
    overwrite(file, static_cast<off_t>(damaged), '#');
    auto spool = Spool::open(file, 64 << 10);
    REQUIRE(spool);
    std::size_t whole = 0;
    while (ends[whole + 1] <= damaged) ++whole;
    CHECK(spool->entries() == whole);
  }
}

TEST_CASE("a full spool refuses with words and loses nothing") {
  const TempDir dir;
  auto spool = Spool::open(dir.path() / "spool", 16 << 10);
  REQUIRE(spool);
  const std::string entry(1000, 'x');
  std::size_t added = 0;
  Status status;
  while ((status = spool->add(entry))) ++added;
  CHECK(added == 11);  // 12 KiB behind the header, 1,032 bytes each
  CHECK(status.error().code == "E305");
  CHECK(status.error().hint == "make room on the disk of the state directory; give it a larger spool with --spool-size");
  CHECK(all(*spool).size() == added);
}
