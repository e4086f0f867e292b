// SPDX-License-Identifier: Apache-2.0
#include "pattern/regex.h"

#include <string>

#include "base/codes.h"
#include "base/diagnostic.h"
#include "catch.h"

using namespace correlator;
using namespace correlator::pattern;
using namespace std::string_view_literals;

namespace {

Regex regex(std::string_view pattern) {
  auto result = Regex::compile(pattern);
  INFO(pattern);
  REQUIRE(result.ok());
  return std::move(result).value();
}

// "column+caret_length code: message | hint"
std::string refused(std::string_view pattern) {
  auto result = Regex::compile(pattern);
  if (result.ok()) return "compiles";
  const Diagnostic& d = result.error();
  CHECK(find_code(d.code) != nullptr);
  CHECK(d.source == pattern);
  return std::to_string(d.place.column) + "+" + std::to_string(d.caret_length) + " " + d.code + ": " +
         d.message + " | " + d.hint;
}

}  // namespace

TEST_CASE("a match gives its groups; one that took no part has no data") {
  const Regex edac = regex("EDAC (?<mc>MC\\d+): (?:(?P<n>\\d+) )?(?<cls>[CU]E)( on)?");
  CHECK(edac.group_count() == 4);
  CHECK(edac.group_names() == std::vector<std::string>{"", "mc", "n", "cls", ""});
  CHECK(edac.pattern() == "EDAC (?<mc>MC\\d+): (?:(?P<n>\\d+) )?(?<cls>[CU]E)( on)?");
  std::vector<std::string_view> groups;
  const std::string_view text = "x EDAC MC0: CE y";
  REQUIRE(edac.match(text, groups));
  REQUIRE(groups.size() == 5);
  CHECK(groups[0] == "EDAC MC0: CE");
  CHECK(groups[0].data() == text.data() + 2);
  CHECK(groups[1] == "MC0");
  CHECK(groups[2].data() == nullptr);
  CHECK(groups[3] == "CE");
  CHECK(groups[4].data() == nullptr);
  CHECK_FALSE(edac.match("EDAC MCx: CE", groups));
  CHECK(groups.empty());
}

TEST_CASE("an empty group of an empty text took part") {
  std::vector<std::string_view> groups;
  REQUIRE(regex("(a*)(b)?").match({}, groups));
  CHECK(groups[0].data() != nullptr);
  CHECK(groups[1].data() != nullptr);
  CHECK(groups[2].data() == nullptr);
}

TEST_CASE("more groups than fit on the stack") {
  std::string pattern;
  for (int i = 0; i < 40; ++i) pattern += "(.)";
  std::vector<std::string_view> groups;
  const std::string text = std::string(40, 'q') + "rest";
  REQUIRE(regex(pattern).match(text, groups));
  CHECK(groups.size() == 41);
  CHECK(groups[40] == "q");
}

TEST_CASE("text is bytes") {
  CHECK(
      regex("a.b").matches("a\xff"
                           "b"));
  CHECK(regex("a.b").matches("a\0b"sv));
  CHECK(regex("\\xe9").matches("\xe9"));
  CHECK(regex("é").matches("café"));
  CHECK_FALSE(regex("a..b").matches("a\xc3\nb"));
  CHECK(regex(std::string_view("a\0b", 3)).matches("xa\0b"sv));
  auto utf8 = Regex::compile("^a.b$", {.latin1 = false, .case_sensitive = true});
  REQUIRE(utf8.ok());
  CHECK(utf8->matches("aéb"));
}

TEST_CASE("alternatives that begin with the same byte above ASCII") {
  CHECK(regex("é|è").matches("caf\xc3\xa9"));
  CHECK(regex("(é|è)").matches("è"));
  CHECK(regex("^(?:\\xe5e|\\xe5)").matches("\xe5"));
  CHECK(regex("(?i)(?:\\xd7e|\\xd7)").matches("x\xd7"));
  CHECK(regex("((\\345e|\\345))").matches("x\xe5"));
  CHECK(regex("ab.*x|ab.*y").matches("ab\xff\xfey"));
  CHECK(regex("((?:ab.x|ab.y))").matches("ab\xffy"));
  CHECK(regex("\\b(ab.x|ab.y)$").matches("ab\xffy"));
  CHECK(regex("é|\\Qé|è").matches("é|è"));
  CHECK_FALSE(regex("ab.x|ab\\Q.y").matches("abcy"));
  CHECK(refused("a)|(b") == "2+1 E110: a ) without its ( | write \\) for the character itself");
  CHECK(refused("a|b\\") == "4+1 E110: the pattern ends in a single \\ | write \\\\ for a backslash");
}

TEST_CASE("case") {
  auto folded = Regex::compile("edac", {.latin1 = true, .case_sensitive = false});
  REQUIRE(folded.ok());
  CHECK(folded->matches("EDAC"));
  CHECK_FALSE(regex("edac").matches("EDAC"));
  CHECK(regex("(?i)edac").matches("EdAC"));
}

TEST_CASE("named groups are rewritten outside classes, escapes and quotations only") {
  CHECK(regex("(?<a>x)").group_names()[1] == "a");
  CHECK(regex("[(?<a>]+").matches("(?<a>"));
  CHECK(regex("\\(?<a>").matches("(<a>"));
  CHECK(regex("\\Q(?<a>\\E(?<b>x)").matches("(?<a>x"));
  CHECK(regex("\\Q(?<a>").matches("(?<a>"));
  CHECK(regex("[]\\](?<a>]x(?<b>y)").group_names() == std::vector<std::string>{"", "b"});
  CHECK(regex("[^](?<a>[:digit:]]").group_count() == 0);
  CHECK(regex("\\\\(?<a>x)").matches("\\x"));
}

TEST_CASE("what PCRE has and RE2 lacks is named, with the way round") {
  const std::string compare =
      "capture both places under two names and compare them in a condition, e.g. where = \"a == b\"";
  const std::string nesting =
      "write the nesting out to the depth you need, e.g. \\((?:[^()]|\\([^()]*\\))*\\)";
  CHECK(refused("ab(?=c)") ==
        "3+3 E111: RE2 has no lookahead: (?= | match the text that follows as part of the pattern and put "
        "what you "
        "need into (?<name>…)");
  CHECK(refused("a(?!b)") ==
        "2+3 E111: RE2 has no negative lookahead: (?! | match the wider text into (?<name>…) and exclude the "
        "rest with "
        "a condition, e.g. where = \"name != 'x'\"");
  CHECK(refused("(?<=a)b") ==
        "1+4 E111: RE2 has no lookbehind: (?<= | write the text before as part of the pattern and capture "
        "the rest: "
        "before(?<name>…)");
  CHECK(refused("(?<!a)b") ==
        "1+4 E111: RE2 has no negative lookbehind: (?<! | capture the text before as well, (?<name>…), and "
        "exclude it "
        "with a condition, e.g. where = \"name != 'x'\"");
  CHECK(refused("(a)\\1b") == "4+2 E111: RE2 has no backreference: \\1 | " + compare);
  CHECK(refused("(?P<a>x)(?P=a)") == "9+4 E111: RE2 has no backreference: (?P= | " + compare);
  CHECK(refused("(?<a>x)\\k<a>") == "8+5 E111: RE2 has no backreference: \\k<a> | " + compare);
  CHECK(refused("(a)\\g{1}") == "4+5 E111: RE2 has no backreference: \\g{1} | " + compare);
  CHECK(refused("a*+b") ==
        "2+2 E111: RE2 has no possessive repetition: *+ | write *: RE2 never backtracks, a possessive "
        "repetition "
        "gains nothing");
  CHECK(
      refused("\\d{2,3}+") ==
      "3+6 E111: RE2 has no possessive repetition: {2,3}+ | write {2,3}: RE2 never backtracks, a possessive "
      "repetition gains nothing");
  CHECK(refused("(?>a+)") ==
        "1+3 E111: RE2 has no atomic group: (?> | write (?:…): RE2 never backtracks, an atomic group gains "
        "nothing");
  CHECK(refused("x\\Ky") ==
        "2+2 E111: RE2 has no \\K | capture what stands behind it instead: before(?<name>…)");
  CHECK(refused("\\Gx") ==
        "1+2 E111: RE2 has no \\G | a pattern is tried once on each line: begin it with ^ if it has to start "
        "there");
  CHECK(refused("(a)?(?(1)b|c)") ==
        "5+3 E111: RE2 has no conditional group: (?( | write both cases as an alternation: (?:a|b)");
  CHECK(refused("\\((?R)*\\)") == "3+4 E111: RE2 has no recursion: (?R) | " + nesting);
  CHECK(refused("(a(?1)?)") == "3+3 E111: RE2 has no recursion: (?1 | " + nesting);
  CHECK(refused("(?&n)") == "1+3 E111: RE2 has no recursion: (?& | " + nesting);
  CHECK(refused("(?#c)x") ==
        "1+3 E111: RE2 has no comment group: (?# | put the comment into a line of its own that "
        "begins with #, outside the pattern");
  CHECK(refused("(?x) a") ==
        "1+4 E111: RE2 has no flag x (free spacing): (?x) | write the pattern without blanks and comments in "
        "it");
  CHECK(refused("(*SKIP)a") ==
        "1+2 E111: RE2 has no verb: (* | leave it out; write \\(\\* for the two characters");
  CHECK(refused("a\\Z") == "2+2 E111: RE2 has no \\Z | write \\z, or $");
  CHECK(refused("a\\hb") == "2+2 E111: RE2 has no \\h | write [ \\t]");
}

TEST_CASE("the same characters where they mean themselves compile") {
  CHECK(refused("[(?=]\\Q(?=\\1\\E\\(\\?=") == "compiles");
  CHECK(refused("a{,3}+") == "compiles");
}

TEST_CASE("a pattern that does not compile says where and what to write") {
  CHECK(refused("a(b(c)") ==
        "2+1 E110: a ( that is never closed | close it with ), or write \\( for the character itself");
  CHECK(refused("ab)") == "3+1 E110: a ) without its ( | write \\) for the character itself");
  CHECK(refused("ab[c") ==
        "3+1 E110: a [ that is never closed | close it with ], or write \\[ for the character itself");
  CHECK(refused("[z-a]") ==
        "2+3 E110: the range z-a is empty or runs backwards | write the lower end first, or put - "
        "in the last place for the character itself");
  CHECK(refused("x*y|*") == "5+1 E110: * has nothing to repeat | write \\* for the character itself");
  CHECK(refused("a**") ==
        "2+2 E110: two repetitions in a row: ** | leave one out, or group the first: (?:a*)+");
  CHECK(refused("a{1001}") ==
        "2+6 E110: the repetition {1001} is refused | RE2 repeats at most 1000 times, the lower "
        "number first; use * or + and a condition on the capture");
  CHECK(refused("a\\") == "2+1 E110: the pattern ends in a single \\ | write \\\\ for a backslash");
  CHECK(refused("a\\y") ==
        "2+2 E110: \\y is no escape sequence | write \\\\ for a backslash; a letter or digit is "
        "written without one");
  CHECK(refused("[[:foo:]]") == "2+7 E110: [:foo:] is no character class | e.g. [0-9a-f], [[:alpha:]], \\d");
  CHECK(refused("(?<a-b>x)") == "1+7 E110: 'a-b' cannot be a group name | use letters, digits and _");
  CHECK(refused("(?<a>x)|(?P<a>y)") ==
        "9+6 E110: two groups are named 'a' | name them a1 and a2 and join them with ??, "
        "e.g. let.a = \"a1 ?? a2\"");
  CHECK(refused("(?<a x") == "1+6 E110: a group name that is never closed with > | write (?<name>…)");
  CHECK(refused("((a{100}){100}){100}") ==
        "4+5 E110: the repetition {100} is refused | RE2 repeats at most 1000 times, the lower number "
        "first; use * or "
        "+ and a condition on the capture");
}
