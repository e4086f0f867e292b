// SPDX-License-Identifier: Apache-2.0
// Lookup tables from files.
#include "catch.h"
#include "rules/lookup_file.h"
#include "temp_dir.h"

using namespace correlator;
using namespace correlator::rules;

namespace {

rules::Lookup hosts() {
  rules::Lookup lookup;
  lookup.name = "hosts";
  lookup.file = "hosts.csv";
  lookup.columns = {"host", "rack"};
  lookup.place = {"rules.toml", 3, 1};
  return lookup;
}

using Rows = std::vector<std::vector<std::string>>;

Rows rows(std::string_view text) {
  auto table = parse_lookup(hosts(), text, "hosts.csv");
  REQUIRE(table.ok());
  return table->rows;
}

}  // namespace

TEST_CASE("columns by their names, quotes, comments, tabs") {
  CHECK(rows("host,rack\nh1,r1\n") == Rows{{"h1", "r1"}});
  CHECK(rows("rack,zone,host\nr1,z,h1\nr2,z,h2") == Rows{{"h1", "r1"}, {"h2", "r2"}});
  CHECK(rows("# comment\n\nhost , rack\n  h1 , r1\n# another\n\"h,2\",\"r \"\"2\"\"\"\n") == Rows{{"h1", "r1"}, {"h,2", "r \"2\""}});
  CHECK(rows("host\track\nh,1\tr1\r\n") == Rows{{"h,1", "r1"}});
  CHECK(rows("host,rack\n\"h\n1\",r1\n") == Rows{{"h\n1", "r1"}});
  CHECK(rows("").empty());
  CHECK(rows("host,rack\n,\n") == Rows{{"", ""}});
}

TEST_CASE("the hash is of the content") {
  const auto a = parse_lookup(hosts(), "host,rack\nh1,r1\n", "a"), b = parse_lookup(hosts(), "host,rack\nh1,r1\n", "b"),
             c = parse_lookup(hosts(), "host,rack\nh1,r2\n", "a");
  CHECK(a->hash == b->hash);
  CHECK(a->hash != c->hash);
}

TEST_CASE("what is wrong with a lookup file is said with its line") {
  const auto said = [](std::string_view text) { return to_text(parse_lookup(hosts(), text, "hosts.csv").error()); };
  CHECK(said("# c\nhost,rakc\n") ==
        "hosts.csv:2: error: the first line names no column \"rack\" [E220]\n  hint: did you mean \"rakc\"?\n");
  CHECK(said("host,rack\nh1,r1\n\nh2\n") ==
        "hosts.csv:4: error: 1 field where the first line has 2 [E221]\n  hint: quote fields that hold the separator: \"a,b\"\n");
  const testing::TempDir dir;
  const auto missing = read_lookup(hosts(), dir.path());
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == "E222");
  CHECK(missing.error().place == Place{"rules.toml", 3, 1});
  dir.write("hosts.csv", "host,rack\nh1,r1\n");
  CHECK(read_lookup(hosts(), dir.path())->rows == Rows{{"h1", "r1"}});
}
