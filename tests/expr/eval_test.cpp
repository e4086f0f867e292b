// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "world.h"
#include "base/json.h"

using namespace correlator;
using namespace correlator::expr;
using correlator::expr::testing::World;

namespace {

Value eval(std::string_view text, const World& world = World()) {
  const Result<Expression> expression = Expression::compile(text, world);
  if (!expression.ok()) return Value("error: " + expression.error().message);
  return expression->eval(world);
}

struct Case {
  const char* text;
  Value value;
};

void check_all(const std::vector<Case>& cases) {
  for (const Case& c : cases) {
    INFO(c.text);
    const Value value = eval(c.text);
    INFO("gives " << to_line(to_json(value)) << ", should " << to_line(to_json(c.value)));
    CHECK(value == c.value);
  }
}

const Value kNone;
constexpr std::uint64_t kMost = 18446744073709551615u;

}  // namespace

TEST_CASE("literals") {
  check_all({{"42", 42},
             {"0x2A", 42},
             {"18446744073709551615", kMost},
             {"0xffffffffffffffff", kMost},
             {"true", true},
             {"false", false},
             {"none", kNone},
             {"'a\\'\"b\\\\\\n\\t\\x41\\\"'", "a'\"b\\\n\tA\""},
             {"\"it's\"", "it's"},
             {"''", ""},
             {"24h", Duration::hours(24)},
             {"1h30m", Duration::minutes(90)},
             {"[]", Value::List{}},
             {"[1, 'a', [2],]", Value::List{1, "a", Value::List{2}}},
             {"[page, 1]", Value::List{Value(), 1}},
             {" ( 1 ) ", 1}});
}

TEST_CASE("precedence, each line two neighbours of the table") {
  check_all({{"n == 7 ? 1 : n == 8 ? 2 : 3", 1},
             {"false ? 1 : true or true ? 2 : 3", 2},
             {"true or false and false", true},
             {"(true or false) and false", false},
             {"not false and false", false},
             {"not (false and false)", true},
             {"not n == 8", true},
             {"not not n == 7", true},
             {"4 | 1 == 5", true},
             {"6 & 3 == 2", true},
             {"4 | 2 ^ 2", 4},
             {"2 ^ 3 & 1", 3},
             {"1 & 1 << 1", 0},
             {"1 << 1 + 1", 4},
             {"2 + 3 * 4", 14},
             {"20 - 5 - 3", 12},
             {"100 / 10 / 5", 2},
             {"100 / 10 * 5", 50},
             {"17 % 10 * 2", 14},
             {"page ?? 3 * 2", 6},
             {"2 * page ?? 3", 6},
             {"page ?? page ?? 5", 5},
             {"1 + 1 in [2]", true},
             {"'DIMM_3' + '' ~ '_3$'", true},
             {"false == (1 == 2)", true},
             {"1 < 2 and 2 < 3", true}});
}

TEST_CASE("arithmetic stays inside its type") {
  check_all({{"big + 1", kMost},
             {"big + 0", kMost},
             {"big * 2", kMost},
             {"big * big", kMost},
             {"1 - 2", 0},
             {"n - 7", 0},
             {"n - 8", 0},
             {"n / (n - 7)", kNone},
             {"n % (n - 7)", kNone},
             {"big / 2", kMost / 2},
             {"1 << 63", std::uint64_t{1} << 63},
             {"1 << 64", 0},
             {"3 << 63", std::uint64_t{1} << 63},
             {"big >> 63", 1},
             {"big >> 64", 0},
             {"big << big", 0},
             {"5 ^ 1", 4},
             {"0xf0 | 0x0f", 255},
             {"0xff & 0x18", 0x18}});
}

TEST_CASE("durations and times") {
  check_all({{"age + 30m", Duration::hours(2)},
             {"age - 2h", Duration{0}},
             {"age * 2", Duration::hours(3)},
             {"2 * age", Duration::hours(3)},
             {"age / 3", Duration::minutes(30)},
             {"age / 1h", 1},
             {"age % 1h", Duration::minutes(30)},
             {"age / (n - 7)", kNone},
             {"age / (age - age)", kNone},
             {"age % (age - age)", kNone},
             {"age / big", Duration{0}},
             {"age * big", Duration::max()},
             {"0s * big", Duration{0}},
             {"age * big + age", Duration::max()},
             {"time - begin", Duration::minutes(10)},
             {"begin - time", Duration{0}},
             {"begin + 10m", Timestamp{1'000'000'000}},
             {"10m + begin", Timestamp{1'000'000'000}},
             {"time - 10m", Timestamp{400'000'000}},
             {"time + age * big", Timestamp::max()},
             {"time - age * big * 2 < time", true},
             {"age > 1h", true},
             {"time > begin", true}});
}

TEST_CASE("text, lists and patterns") {
  check_all({{"cls + '/' + loc", "CE/cpu 3"},
             {"'a' < 'b'", true},
             {"'a' < 'a'", false},
             {"'a' <= 'a'", true},
             {"'\\xff' > 'z'", true},
             {"cls in ['CE', 'UE']", true},
             {"cls in []", false},
             {"n in [1, 7]", true},
             {"not n in [1, 7]", false},
             {"n in [1, 'x']", false},
             {"'b' in parts", true},
             {"parts == ['a', 'b']", true},
             {"parts != ['a']", true},
             {"loc ~ 'cpu \\d'", true},
             {"loc ~ '^\\d'", false},
             {"'it\\'s' ~ 't\\'s'", true},
             {"'DIMM_7' ~ settings.bad", true},
             {"loc ~ settings.bad", false},
             {"first.disk", "sda"},
             {"settings.limit + 1", 11}});
}

TEST_CASE("every function") {
  check_all({{"bits(0x12345678, 15, 8)", 0x56},
             {"bits(big, 63, 0)", kMost},
             {"bits(big, 63, 63)", 1},
             {"bits(big, n, n + 1)", kNone},
             {"bits(big, 57 + n, 0)", kNone},
             {"bit(4, 2)", true},
             {"bit(4, 1)", false},
             {"bit(big, 63)", true},
             {"bit(big, n + 57)", false},
             {"hex('0x00012345')", 0x12345},
             {"hex('12345')", 0x12345},
             {"hex(' ff ')", 255},
             {"hex('xyz')", kNone},
             {"hex('')", kNone},
             {"hex('10000000000000000')", kNone},
             {"int('42')", 42},
             {"int('0x42')", kNone},
             {"int('-1')", kNone},
             {"int(x)", 7},
             {"text(n)", "7"},
             {"text(age)", "1h30m"},
             {"text(parts)", "a,b"},
             {"text(page)", kNone},
             {"text(true)", "true"},
             {"min(3, 1, 2)", 1},
             {"max(3, 1, 2)", 3},
             {"max(1, 2, 3, 4, 5, 6, 7)", 7},
             {"max(1, page)", 1},
             {"max(page, page)", kNone},
             {"max(1, page2)", 0x12345},
             {"min(1h, age)", Duration::hours(1)},
             {"max(begin, time)", Timestamp{1'000'000'000}},
             {"len('abc')", 3},
             {"len(parts)", 2},
             {"len([])", 0},
             {"len(x)", kNone},
             {"lower('AbC')", "abc"},
             {"upper('AbC')", "ABC"},
             {"trim(' a b\\n')", "a b"},
             {"split('a,b,,c', ',')", Value::List{"a", "b", "", "c"}},
             {"split('', ',')", Value::List{""}},
             {"split('ab', '')", Value::List{"ab"}},
             {"'b' in split('a b', ' ')", true},
             {"join(split('a,b,,c', ','), '; ')", "a; b; ; c"},
             {"join([1, 'x', none], '')", "1x"},
             {"join([], ',')", ""},
             {"has(page)", false},
             {"has(page2)", true},
             {"has(none)", false},
             {"has(int('x'))", false},
             {"severity_of(cls)", "corrected"},
             {"severity_of(loc) ?? 'unknown'", "unknown"},
             {"hosts('kvm1').rack", "row of rack"},
             {"hosts('kvm2').rack", kNone},
             {"hosts('kvm1').kind == 'row of kind'", true},
             {"open('r')", false},
             {"open('r', n)", true}});
}

TEST_CASE("none goes through operators and is false in a condition") {
  for (const char* text : {"page + 1",          "1 - page",          "page * 2",        "page / 2",
                           "2 % page",          "page | 1",          "page ^ 1",        "page & 1",
                           "page << 1",         "1 >> page",         "page == 1",       "1 != page",
                           "page < 1",          "page <= 1",         "1 > page",        "1 >= page",
                           "page == page",      "page in [1]",       "label ~ 'x'",     "label + 'x'",
                           "bits(page, 1, 0)",  "bit(page, 1)",      "hex(label)",      "int(label)",
                           "len(label)",        "lower(label)",      "upper(label)",    "trim(label)",
                           "split(label, ',')", "split(loc, label)", "text(label)",     "severity_of(label)",
                           "hosts(label).rack", "open(label)",       "open('r', page)", "true ? page : 1",
                           "page ?? none",      "false ? 1 : page"}) {
    INFO(text);
    CHECK(eval(text) == kNone);
  }
  check_all({{"page == none", true},
             {"none == page", true},
             {"page != none", false},
             {"page2 != none", true},
             {"none == none", true},
             {"page == 1 or fatal", true},
             {"page == 1 and fatal", false},
             {"not page == 1", true},
             {"page == 1 ? 'yes' : 'no'", "no"},
             {"page ?? 4", 4},
             {"page2 ?? 4", 0x12345},
             {"page ?? loc", "cpu 3"}});
}

TEST_CASE("types that are only known at run time") {
  World world;
  const auto with = [&](Value value, std::string_view text) {
    world.values[world.symbol("x")->slot] = std::move(value);
    return eval(text, world);
  };
  CHECK(with("a", "x + 1") == kNone);
  CHECK(with("a", "x == 7") == kNone);
  CHECK(with("a", "x != 7") == kNone);
  CHECK(with("a", "x < 7") == kNone);
  CHECK(with(true, "x < x") == kNone);
  CHECK(with(Value::List{1}, "x < x") == kNone);
  CHECK(with(Value::List{1}, "x == [1]") == true);
  CHECK(with(7, "7 in x") == kNone);
  CHECK(with(Value::List{7}, "7 in x") == true);
  CHECK(with(7, "x ~ 'a'") == kNone);
  CHECK(with(7, "x ? 1 : 2") == 2);
  CHECK(with(true, "x ? 1 : 2") == 1);
  CHECK(with("true", "x and true") == false);
  CHECK(with(7, "not x") == true);
  CHECK(with("a", "max(1, x)") == kNone);
  CHECK(with(Duration{1}, "max(1, x)") == kNone);
  CHECK(with(Duration{-5}, "x / 2") == Duration{0});
  CHECK(with(Duration{INT64_MIN}, "x - 1s") == Duration{0});
  CHECK(with(Duration{INT64_MAX}, "x + x") == Duration::max());
  CHECK(with(Timestamp{INT64_MAX}, "x + 1s") == Timestamp::max());
  CHECK(with(Duration{-5}, "x * 18446744073709551615") == Duration{0});
  CHECK(with(Duration{-5}, "1h / x") == kNone);
  CHECK(with(7, "lower(x)") == kNone);
  CHECK(with(7, "split(x, ',')") == kNone);
  CHECK(with("a", "bits(x, 1, 0)") == kNone);
  CHECK(with("a", "bit(x, 1)") == kNone);
  world.calls = 0;
  CHECK(with(7, "severity_of(x)") == kNone);  // not asked: it takes text
  CHECK(with(Value(), "open('r', x)") == kNone);
  CHECK(world.calls == 0);
}

TEST_CASE("what does not depend on an event is computed at load") {
  const World world;
  for (const char* text :
       {"settings.limit * 2", "'a' + 'b' == 'ab'", "max(1, 2)", "[1, 2]", "(loc ~ 'a') == none ? 1 : 1"}) {
    INFO(text);
    const auto e = Expression::compile(text, world);
    REQUIRE(e.ok());
    CHECK(e->constant().has_value() == (std::string_view(text).find("loc") == std::string_view::npos));
  }
  const auto e = Expression::compile("n > settings.limit and n < big + n", world);
  REQUIRE(e.ok());
  CHECK(e->symbols() == std::vector<std::string>{"n", "settings.limit", "big"});
  CHECK(e->slots() == std::vector<std::uint32_t>{0, 1});
  CHECK_FALSE(e->constant());
}

TEST_CASE("calls tell their constant arguments") {
  const auto e =
      Expression::compile("open('rule.' + 'id', n) and has(hosts(severity_of(cls)).rack)", World());
  REQUIRE(e.ok());
  REQUIRE(e->calls().size() == 3);
  const Call& open = e->calls()[0];
  CHECK(open.name == "open");
  CHECK(open.function == 3);
  CHECK(open.arguments == std::vector<std::optional<Value>>{Value("rule.id"), std::nullopt});
  CHECK(open.offset == 1);
  CHECK(e->calls()[1].name == "hosts");
  CHECK(e->calls()[1].column == "rack");
  CHECK(e->calls()[1].offset == 33);
  CHECK(e->calls()[2].name == "severity_of");
}

TEST_CASE("templates") {
  World world;
  const auto make = [&](std::string_view text) {
    auto result = Template::compile(text, world);
    INFO(text);
    REQUIRE(result.ok());
    return std::move(*result);
  };
  CHECK(make("${n}").eval(world) == 7);
  CHECK(make("${n}").is_single());
  CHECK(make("${n}").type() == Type::integer);
  CHECK(make("${page}").eval(world) == kNone);
  CHECK(make("${page}").optional());
  CHECK(make("p ${page}.").eval(world) == "p .");
  CHECK_FALSE(make("p ${page}.").optional());
  CHECK(make("p ${page}.").optional_names() == std::vector<std::string>{"page"});
  CHECK(make("p ${page ?? 0}${page == 1}").unguarded_names() == std::vector<std::string>{"page"});
  CHECK(make("${n}${cls} ${age} ${'}'} ${\"${\"}").eval(world) == "7CE 1h30m } ${");
  CHECK_FALSE(make("${n} ").is_single());
  CHECK_FALSE(make(" ${n}").is_single());
  CHECK(make("$${n}").eval(world) == "${n}");
  CHECK(make("$${n}").is_constant());
  CHECK(make("$$${n}").eval(world) == "$${n}");
  CHECK(make("$ $$ $n 5$").eval(world) == "$ $$ $n 5$");
  CHECK(make("").eval(world) == "");
  CHECK(make("").is_constant());
  CHECK(make("${settings.limit}").constant() == Value(10));
  CHECK(make("${settings.dimm_ce}").constant() == Value("10 in 24h"));
  CHECK(make("at ${settings.limit}").constant() == Value("at 10"));
  CHECK_FALSE(make("${n}").is_constant());
  CHECK(make("${cls == 'CE' ? 'memory.corrected' : 'memory.uncorrected'}").eval(world) == "memory.corrected");
  CHECK(make("a ${ n } b").expressions()[0].text() == "n");
  CHECK(make("a\xff\n${cls}").eval(world) == "a\xff\nCE");
}
