// SPDX-License-Identifier: Apache-2.0
// Every way to get an expression wrong, with the exact place, message and hint.
#include "base/codes.h"
#include "catch.h"
#include "world.h"

using namespace correlator;
using namespace correlator::expr;
using correlator::expr::testing::World;

namespace {

struct Case {
  const char* text;
  const char* code;
  std::uint32_t column, length;
  const char* message;
  const char* hint;
};

template <class Compiled>
void check_all(const std::vector<Case>& cases) {
  const World world;
  for (const Case& c : cases) {
    INFO(c.text);
    const auto result = Compiled::compile(c.text, world);
    REQUIRE_FALSE(result.ok());
    const Diagnostic& d = result.error();
    CHECK(d.code == c.code);
    CHECK(d.place.column == c.column);
    CHECK(d.caret_length == c.length);
    CHECK(d.message == c.message);
    CHECK(d.hint == c.hint);
    CHECK(d.source.empty());
    CHECK(find_code(d.code) != nullptr);
  }
}

std::string repeated(std::string_view text, int n) {
  std::string out;
  for (int i = 0; i < n; ++i) out += text;
  return out;
}

}  // namespace

TEST_CASE("errors of expressions") {
  check_all<Expression>(
      {{"n = 7", "E106", 3, 1, "= is not an operator here", "write =="},
       {"fatal && fatal", "E106", 7, 2, "&& is not an operator here", "write and"},
       {"fatal || fatal", "E106", 7, 2, "|| is not an operator here", "write or"},
       {"!fatal", "E106", 1, 1, "! is not an operator here", "write not"},
       {"loc =~ 'a'", "E106", 5, 2, "=~ is not an operator here", "write ~"},
       {"loc !~ 'a'", "E106", 5, 2, "!~ is not an operator here", "write not x ~ 'pattern'"},
       {"n === 7", "E106", 3, 3, "=== is not an operator here", "write =="},
       {"n <> 7", "E106", 3, 2, "<> is not an operator here", "write !="},
       {"2 ** 3", "E106", 3, 2, "** is not an operator here", "there are no powers; 1 << n is 2 to the n"},
       {"pgae == 1", "E102", 1, 4, "there is no name pgae here", "did you mean page?"},
       {"dimm_ce", "E102", 1, 7, "there is no name dimm_ce here", "did you mean settings.dimm_ce?"},
       {"null", "E102", 1, 4, "there is no name null here", "write none"},
       {"True", "E102", 1, 4, "there is no name True here", "write true"},
       {"CE", "E102", 1, 2, "there is no name CE here", "text stands in quotes: 'CE'"},
       {"hosts == 1", "E102", 1, 5, "there is no name hosts here", "hosts is a function: write hosts(…)"},
       {"lenn(loc)", "E103", 1, 9, "there is no function lenn", "did you mean len(…)?"},
       {"loc(1)", "E103", 1, 6, "there is no function loc", "loc is a value: write it without parentheses"},
       {"frobnicate(1)", "E103", 1, 13, "there is no function frobnicate",
        "there are bits bit hex int text min max len lower upper trim split join has, and the [map] and [lookup] "
        "tables by their names"},
       {"len()", "E105", 1, 5, "len() takes 1 argument, not 0", "write len(x)"},
       {"bits(n, 1)", "E105", 1, 10, "bits() takes 3 arguments, not 2", "write bits(x, hi, lo)"},
       {"open()", "E105", 1, 6, "open() takes at least 1 argument, not 0", "write open(text, …)"},
       {"max()", "E105", 1, 5, "max() takes at least 1 argument, not 0", "write max(x, …)"},
       {"severity_of()", "E105", 1, 13, "severity_of() takes 1 argument, not 0", "write severity_of(text)"},
       {"cls == 5", "E104", 1, 8, "== does not go with text and integer: cls is text, 5 is an integer",
        "write int(cls), or hex(cls) if its digits are hexadecimal; to compare as text write '5'"},
       {"n == cls", "E104", 1, 8, "== does not go with integer and text: n is an integer, cls is text",
        "write int(cls), or hex(cls) if its digits are hexadecimal"},
       {"n == '5'", "E104", 1, 8, "== does not go with integer and text: n is an integer, '5' is text",
        "n is a number: write the other one without quotes"},
       {"n < 10s", "E104", 1, 7,
        "< does not go with integer and duration: n is an integer, 10s is a duration",
        "give the number a unit, such as 10s or 24h"},
       {"age > 10", "E104", 1, 8,
        "> does not go with duration and integer: age is a duration, 10 is an integer",
        "give the number a unit, such as 10s or 24h"},
       {"time > 1h", "E104", 1, 9, "> does not go with time and duration: time is a time, 1h is a duration",
        "subtract the times first: later - earlier gives a duration"},
       {"fatal == 1", "E104", 1, 10, "== does not go with bool and integer: fatal is a bool, 1 is an integer",
        "a condition stands alone: write fatal or not fatal"},
       {"parts == 'a'", "E104", 1, 12, "== does not go with list and text: parts is a list, 'a' is text",
        "look into a list with x in list"},
       {"fatal < fatal", "E104", 1, 5, "< compares sizes; fatal is a bool", "write == or !="},
       {"parts < parts", "E104", 1, 5, "< compares sizes; parts is a list", "write len(parts)"},
       {"n + cls", "E104", 1, 7, "+ does not go with integer and text: n is an integer, cls is text",
        "to join them as text write text(n), to add numbers int(cls)"},
       {"cls + n", "E104", 1, 7, "+ does not go with text and integer: cls is text, n is an integer",
        "to join them as text write text(n), to add numbers int(cls)"},
       {"cls * 2", "E104", 1, 7, "* does not go with text and integer: cls is text, 2 is an integer",
        "write int(cls), or hex(cls) if its digits are hexadecimal"},
       {"age + 1", "E104", 1, 7,
        "+ does not go with duration and integer: age is a duration, 1 is an integer",
        "give the number a unit, such as 10s or 24h"},
       {"n & cls", "E104", 1, 7, "& does not go with integer and text: n is an integer, cls is text",
        "write int(cls), or hex(cls) if its digits are hexadecimal"},
       {"-5", "E101", 1, 1, "a value expected, found -", "there are no negative numbers; a - b ends at 0"},
       {"n - -5", "E101", 5, 1, "a value expected, found -",
        "there are no negative numbers; a - b ends at 0"},
       {"~n", "E101", 1, 1, "a value expected, found ~",
        "to turn bits over write x ^ 0xffffffffffffffff; to match write text ~ 'pattern'"},
       {"1.5", "E107", 1, 2, "there are no fractions", "write 1500ms for 1.5 s, or x * 3 / 2 for 1.5 x"},
       {"10q", "E107", 1, 3, "10q is neither a number nor a duration",
        "a duration is written 90s, 24h or 1h30m (units w d h m s ms us, the largest first); text stands in "
        "quotes"},
       {"0xZZ", "E107", 1, 4, "0xZZ is not a hexadecimal number", "hexadecimal digits are 0-9 a-f"},
       {"18446744073709551616", "E107", 1, 20, "18446744073709551616 is too large",
        "integers end at 18446744073709551615 (0xffffffffffffffff)"},
       {"0x10000000000000000", "E107", 1, 19, "0x10000000000000000 is too large",
        "integers end at 18446744073709551615 (0xffffffffffffffff)"},
       {"'abc", "E107", 1, 1, "the text that begins here does not end",
        R"(put a ' behind it; inside the text write \')"},
       {R"('a\d')", "E107", 3, 2, R"(\d is no escape)",
        R"(write \\d for a backslash; the escapes are \\ \' \" \n \t \xNN (a pattern directly behind ~ needs none))"},
       {R"('\x4')", "E107", 2, 2, R"(\x needs two hexadecimal digits)",
        R"(write \x0a, or \\x for a backslash and an x)"},
       {"(n + 1", "E101", 1, 1, "this ( is not closed",
        "put the missing ) behind the part that belongs together"},
       {"n + 1)", "E101", 6, 1, "this ) closes nothing", "remove it, or put the missing ( in front"},
       {"[1, 2", "E101", 1, 1, "this [ is not closed", "put the missing ] behind it"},
       {"max(1, 2", "E101", 4, 1, "this ( is not closed", "put the missing ) behind it"},
       {"n +", "E101", 4, 1, "the expression ends where a value should stand", ""},
       {" ", "E101", 2, 1, "there is no expression", ""},
       {"n 5", "E101", 3, 1, "an operator expected, found 5",
        "an operator such as ==, and, + belongs between two values; text stands in quotes"},
       {"fatal AND fatal", "E101", 7, 3, "an operator expected, found AND",
        "operators are lower case: write and"},
       {"n not in [1]", "E101", 3, 3, "an operator expected, found not",
        "write not x in [a, b], with the not in front"},
       {"parts[0]", "E101", 6, 1, "an operator expected, found [",
        "lists have no index; look with x in list"},
       {"1 < n < 5", "E101", 7, 1, "comparisons do not chain", "write 1 < n and n < …, or use parentheses"},
       {"1 + not fatal", "E101", 5, 3, "not stands only in front of a whole condition",
        "put it in parentheses: (not x)"},
       {"n and fatal", "E104", 1, 1, "and takes conditions; n is an integer", "write n != 0"},
       {"cls or fatal", "E104", 1, 3, "or takes conditions; cls is text", "write cls != '', or has(cls)"},
       {"not parts", "E104", 5, 5, "not takes conditions; parts is a list", "write len(parts) > 0"},
       {"age ? 1 : 2", "E104", 1, 3, "?: takes conditions; age is a duration", "write age > 0s"},
       {"none and fatal", "E104", 1, 4, "and takes conditions; none is none", "write false"},
       {"fatal ? 1", "E101", 10, 1, "the : of c ? a : b expected, found the end", ""},
       {"page + none", "E104", 8, 4, "+ with none is always none",
        "test with has(x) or x == none; give a default with x ?? default"},
       {"cls in 'CE'", "E104", 8, 4, "in looks into a list; 'CE' is text",
        "write cls in ['CE']; to look inside text write text ~ 'part'"},
       {"cls in [1, 2]", "E104", 1, 13, "cls is text, the elements of [1, 2] are integer",
        "write int(cls), or hex(cls) if its digits are hexadecimal"},
       {"n in n", "E104", 6, 1, "in looks into a list; n is an integer", "write x in [a, b]"},
       {"n ~ 'a'", "E104", 1, 1, "~ looks into text; n is an integer", "write text(n)"},
       {"loc ~ cls", "E109", 7, 3, "the pattern behind ~ must be a text literal or a setting, not cls",
        "write loc ~ 'pattern'; to compare two values write =="},
       {"len(n)", "E104", 5, 1, "len() takes text or a list as argument 1; n is an integer", "write text(n)"},
       {"int(n)", "E104", 5, 1, "int() takes text as argument 1; n is an integer",
        "it is a number already: write n"},
       {"hex(n)", "E104", 5, 1, "hex() takes text as argument 1; n is an integer",
        "it is a number already: write n"},
       {"lower(n)", "E104", 7, 1, "lower() takes text as argument 1; n is an integer", "write text(n)"},
       {"bits(cls, 1, 0)", "E104", 6, 3, "bits() takes an integer as argument 1; cls is text",
        "write int(cls), or hex(cls) if its digits are hexadecimal"},
       {"bits(n, 3, 8)", "E104", 1, 13, "the high bit comes first", "write bits(n, 8, 3)"},
       {"bit(n, 64)", "E104", 8, 2, "there is no bit 64", "bits count from 0, the lowest, to 63"},
       {"max(1, 10s)", "E104", 8, 3, "max() compares an integer with a duration",
        "give all arguments one type: numbers, durations such as 10s, or times"},
       {"min('a', 'b')", "E104", 5, 3,
        "min() takes an integer, a duration or a time as argument 1; 'a' is text",
        "write int('a'), or hex('a') if its digits are hexadecimal"},
       {"severity_of(n)", "E104", 13, 1, "severity_of() takes text as argument 1; n is an integer",
        "write text(n)"},
       {"hosts(loc)", "E120", 1, 10, "hosts() gives a row: say which column",
        "write hosts(loc).rack; there are rack kind"},
       {"hosts(loc).rakc", "E120", 1, 15, "hosts() has no column rakc", "did you mean rack?"},
       {"hosts(loc).xyzzy", "E120", 1, 16, "hosts() has no column xyzzy", "there are rack kind"},
       {"len(loc).rack", "E120", 1, 13, "len() gives no row", "remove .rack"},
       {"severity_of(loc).rack", "E120", 1, 21, "severity_of() gives no row", "remove .rack"},
       {"open('r').rack", "E120", 1, 14, "open() gives no row", "remove .rack"},
       {"n / 0", "E104", 1, 5, "division by zero is always none", ""},
       {"@n", "E101", 1, 1, "@ has no meaning here", "text stands in quotes: 'text'"},
       {"{n}", "E101", 1, 1, "{ has no meaning here",
        "inside an expression a name stands alone: write name, not ${name}"},
       {"$n", "E101", 1, 1, "$ has no meaning here",
        "inside an expression a name stands alone: write name, not ${name}"},
       {"n }", "E101", 3, 1, "an operator expected, found }", "braces stand only in ${…} of a text"},
       {R"(\n)", "E101", 1, 1, R"(\ has no meaning here)", "a backslash stands only inside quotes"},
       {"a.b", "E102", 1, 3, "there is no name a.b here", "text stands in quotes: 'a.b'"},
       {"split(loc, 1)", "E104", 12, 1, "split() takes text as argument 2; 1 is an integer", "write text(1)"},
       {"text(none)", "E104", 6, 4, "text() with none is always none",
        "test with has(x) or x == none; give a default with x ?? default"},
       {"has()", "E105", 1, 5, "has() takes 1 argument, not 0", "write has(x)"},
       {"open(none)", "E104", 6, 4, "open() with none is always none",
        "test with has(x) or x == none; give a default with x ?? default"},
       {"first.", "E101", 6, 1, "an operator expected, found .", ""},
       {"loc ~", "E101", 6, 1, "the expression ends where a value should stand", ""}});
}

TEST_CASE("errors of templates point into the whole text") {
  check_all<Template>(
      {{"a ${n", "E121", 3, 2, "this ${ is not closed",
        "put a } behind the expression; a literal ${ is written $${"},
       {"a ${", "E101", 5, 1, "there is no expression", "write ${name}; a literal ${ is written $${"},
       {"a ${}", "E101", 5, 1, "there is no expression", "write ${name}; a literal ${ is written $${"},
       {"a ${pgae} b", "E102", 5, 4, "there is no name pgae here", "did you mean page?"},
       {"${n 5}", "E101", 5, 1, "an operator expected, found 5",
        "an operator such as ==, and, + belongs between two values; text stands in quotes"},
       {"${(n}", "E101", 3, 1, "this ( is not closed",
        "put the missing ) behind the part that belongs together"},
       {"${'a}", "E107", 3, 1, "the text that begins here does not end",
        R"(put a ' behind it; inside the text write \')"}});
}

TEST_CASE("an error of a pattern points into the pattern") {
  const World world;
  const auto literal = Expression::compile("loc ~ 'a('", world);
  REQUIRE_FALSE(literal.ok());
  CHECK(literal.error().code == "E110");
  CHECK(literal.error().place.column == 9);
  const auto computed = Expression::compile("loc ~ settings.dimm_ce + '('", world);
  REQUIRE_FALSE(computed.ok());
  CHECK(computed.error().code == "E110");
  CHECK(computed.error().place.column == 7);
  CHECK(computed.error().caret_length == 22);
}

TEST_CASE("size is bounded") {
  const World world;
  const auto code = [&](const std::string& text) {
    const auto e = Expression::compile(text, world);
    return e.ok() ? std::string() : e.error().code;
  };
  CHECK(code(repeated("(", 99) + "n" + repeated(")", 99)).empty());
  CHECK(code(repeated("(", 100) + "n" + repeated(")", 100)) == "E108");
  CHECK(code(repeated("(", 60'000)) == "E108");
  CHECK(code(repeated("[", 60'000)) == "E108");
  CHECK(code(repeated("has(", 10'000)) == "E108");
  CHECK(code(repeated("not ", 98) + "fatal").empty());
  CHECK(code(repeated("not ", 10'000) + "fatal") == "E108");
  CHECK(code(repeated("fatal ? 1 : ", 99) + "2").empty());
  CHECK(code(repeated("fatal ? 1 : ", 5'000) + "2") == "E108");
  CHECK(code("n" + repeated(" + n", 499)).empty());
  CHECK(code("n" + repeated(" + n", 500)) == "E108");
  CHECK(code("[1" + repeated(", 1", 10'000) + "]").empty());
  CHECK(code("'" + repeated("x", 64 * 1024 - 2) + "'").empty());
  CHECK(code("'" + repeated("x", 64 * 1024 - 1) + "'") == "E108");
  CHECK_FALSE(Template::compile(repeated("x", 64 * 1024) + "${n}", world).ok());
}

TEST_CASE("a long chain evaluates") {
  const World world;
  const auto e = Expression::compile("n" + repeated(" + n", 499), world);
  REQUIRE(e.ok());
  CHECK(e->eval(world) == 3500);
}
