// SPDX-License-Identifier: Apache-2.0
#include "base/text.h"

#include "base/codes.h"
#include "base/diagnostic.h"
#include "base/hash.h"
#include "base/json.h"
#include "catch.h"

using namespace correlator;

TEST_CASE("printable keeps text and shows what a terminal would obey") {
  CHECK(printable("EDAC MC0: 1 CE") == "EDAC MC0: 1 CE");
  CHECK(printable("\x1b[31mred\x07") == "\\x1b[31mred\\x07");
  CHECK(printable("a\nb\tc") == "a\\nb\\tc");
  CHECK(printable("é") == "é");
  CHECK(printable("\xff\xc3") == "\\xff\\xc3");
  CHECK(printable("\xc2\x9b"
                  "2J") == "\\xc2\\x9b2J");  // C1 CSI
  CHECK(printable("a\xe2\x80\xae"
                  "b") ==
        "a\\xe2\\x80\\xae"
        "b");  // U+202E turns the rest of the line round
  CHECK(printable("\xef\xbb\xbf"
                  "a\xe2\x80\x8b") ==
        "\\xef\\xbb\\xbf"
        "a\\xe2\\x80\\x8b");
  CHECK(printable("\xe2\x80\x94 \xc2\xa0 \xd8\x9b \xe2\x82\xac") ==
        "\xe2\x80\x94 \xc2\xa0 \xd8\x9b \xe2\x82\xac");
  CHECK(printable(std::string_view("a\0b", 3)) == "a\\x00b");
  CHECK(printable("\xed\xa0\x80") == "\\xed\\xa0\\x80");  // a surrogate is not UTF-8
}

TEST_CASE("a JSON line hides nothing from who reads it on a terminal, and is the same document") {
  const std::string text =
      "a\x1b[1m\x7f\xc2\x9b"
      "2J\xe2\x80\xae\xef\xbb\xbf \xe2\x80\x94 \xc3\xa9\xff";
  const std::string line = to_line(Json{{"t", text}});
  CHECK(line == "{\"t\":\"a\\u001b[1m\\u007f\\u009b2J\\u202e\\ufeff \xe2\x80\x94 \xc3\xa9\xef\xbf\xbd\"}");
  CHECK(parse_json(line)->at("t") == text.substr(0, text.size() - 1) + "\xef\xbf\xbd");
}

TEST_CASE("numbers are whole, unsigned and do not wrap") {
  CHECK(parse_uint("42") == 42u);
  CHECK_FALSE(parse_uint("-1"));
  CHECK_FALSE(parse_uint(""));
  CHECK_FALSE(parse_uint("4 "));
  CHECK(parse_uint("18446744073709551615") == 18446744073709551615u);
  CHECK_FALSE(parse_uint("18446744073709551616"));
  CHECK(parse_hex("0x00012345") == 0x12345u);
  CHECK(parse_hex("12345") == 0x12345u);
  CHECK_FALSE(parse_hex("0x"));
}

TEST_CASE("split, join and trim") {
  CHECK(split("a,b,,c", ",").size() == 4);
  CHECK(split("", ",").size() == 1);
  const std::vector<std::string> parts = {"", "b"};
  CHECK(join(parts, "/") == "/b");
  CHECK(trim(" \t x y \r\n") == "x y");
}

TEST_CASE("closest offers only near names") {
  const std::vector<std::string> names = {"count", "distinct", "cooldown"};
  CHECK(closest("cuont", names) == "count");
  CHECK(closest("cooldwon", names) == "cooldown");
  CHECK(closest("elephant", names).empty());
}

TEST_CASE("shorten cuts at a character") {
  CHECK(shorten("abc", 3) == "abc");
  CHECK(shorten("aéb", 2) == "a…");
}

TEST_CASE("counted groups thousands") {
  CHECK(counted(1, "line") == "1 line");
  CHECK(counted(1234567, "line") == "1,234,567 lines");
}

TEST_CASE("a diagnostic in its three forms") {
  Diagnostic d;
  d.code = "E012";
  d.place = {"site.toml", 3, 5};
  d.message = "no such key \"cuont\"";
  d.hint = "did you mean \"count\"?";
  d.source = "    cuont = \"10 in 24h\"";
  d.caret_length = 5;
  CHECK(to_text(d) ==
        "site.toml:3:5: error: no such key \"cuont\" [E012]\n"
        "        cuont = \"10 in 24h\"\n"
        "        ^~~~~\n"
        "  hint: did you mean \"count\"?\n");
  CHECK(to_gcc(d) == "site.toml:3:5: error: no such key \"cuont\" (did you mean \"count\"?) [E012]\n");
  const auto json = parse_json(to_json_line(d));
  REQUIRE(json);
  CHECK((*json)["column"] == 5);
}

TEST_CASE("sha256 parts do not run together") {
  CHECK(Sha256().add("ab").add("c").hex() != Sha256().add("a").add("bc").hex());
  CHECK(Sha256().add("x").hex(8).size() == 16);
}

TEST_CASE("json output survives bytes that are not UTF-8") {
  CHECK(to_line(Json{{"a", "\xff"}}) == "{\"a\":\"\xef\xbf\xbd\"}");
}

TEST_CASE("every code of the catalogue is unique and explained") {
  std::string_view last;
  for (const CodeEntry& entry : code_catalogue()) {
    CHECK(entry.code != last);
    CHECK_FALSE(entry.title.empty());
    CHECK_FALSE(entry.text.empty());
    last = entry.code;
  }
  CHECK(find_code("E001") != nullptr);
  CHECK(find_code("E999") == nullptr);
}
