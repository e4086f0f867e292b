// SPDX-License-Identifier: Apache-2.0
#include "expr/value.h"

#include <random>

#include "catch.h"
#include "base/json.h"

using namespace correlator;
using namespace correlator::expr;

namespace {

Value random_value(std::mt19937_64& random, int depth) {
  switch (random() % (depth > 0 ? 7 : 6)) {
    case 0:
      return {};
    case 1:
      return random() >> (random() % 64);
    case 2:
      return random() % 2 == 0;
    case 3: {
      std::string text(random() % 8, ' ');
      for (char& c : text) c = static_cast<char>(random());
      return text;
    }
    case 4:
      return Duration{static_cast<std::int64_t>(random())};
    case 5:
      return Timestamp{static_cast<std::int64_t>(random())};
    default: {
      Value::List list;
      for (std::uint64_t n = random() % 4; n > 0; --n) list.push_back(random_value(random, depth - 1));
      return list;
    }
  }
}

}  // namespace

TEST_CASE("values know their type") {
  CHECK(Value().is_none());
  CHECK(Value(5).type() == Type::integer);
  CHECK(Value(-5) == Value(0));
  CHECK(Value(true).type() == Type::boolean);
  CHECK(Value("x").type() == Type::text);
  CHECK(Value(std::string_view("x")) == Value(std::string("x")));
  CHECK(Value(Duration{1}).type() == Type::duration);
  CHECK(Value(Timestamp{1}).type() == Type::time);
  CHECK(Value(Value::List{}).type() == Type::list);
  CHECK(Value(1) != Value(true));
  CHECK(Value(1) != Value("1"));
  CHECK(Value(Duration{1}) != Value(Timestamp{1}));
  CHECK(Value(true).is_true());
  for (const Value& not_true : {Value(), Value(1), Value("true"), Value(false), Value(Value::List{true})}) {
    CHECK_FALSE(not_true.is_true());
  }
}

TEST_CASE("canonical text") {
  CHECK(to_text(Value()).empty());
  CHECK(to_text(18446744073709551615u) == "18446744073709551615");
  CHECK(to_text(false) == "false");
  CHECK(to_text("a\n\xff") == "a\n\xff");
  CHECK(to_text(Duration::minutes(90)) == "1h30m");
  CHECK(to_text(Timestamp{1'500'000}) == "1970-01-01T00:00:01.500Z");
  CHECK(to_text(Value::List{1, "a", Value(), Value::List{2, 3}}) == "1,a,,2,3");
  CHECK(to_text(Value::List{}).empty());
}

TEST_CASE("the order is total: by type, then by content") {
  const std::vector<Value> ascending = {Value(),
                                        0,
                                        1,
                                        18446744073709551615u,
                                        false,
                                        true,
                                        "",
                                        "a",
                                        "a\xff",
                                        "b",
                                        Duration{-1},
                                        Duration{1},
                                        Timestamp{-1},
                                        Timestamp{1},
                                        Value::List{},
                                        Value::List{1},
                                        Value::List{1, 1},
                                        Value::List{2}};
  for (std::size_t i = 0; i < ascending.size(); ++i) {
    for (std::size_t j = 0; j < ascending.size(); ++j) {
      INFO(i << " " << j);
      CHECK((ascending[i] <=> ascending[j]) == (i <=> j));
      CHECK((ascending[i] == ascending[j]) == (i == j));
    }
  }
}

TEST_CASE("JSON keeps every type") {
  CHECK(to_line(to_json(Value::List{Value(), 1, true, "é", Duration{-5}, Timestamp{6}, "\xff\n"})) ==
        R"([null,1,true,"é",{"duration":-5},{"time":6},{"bytes":"ff0a"}])");
  for (const char* bad :
       {"-1", "1.5", R"({"time":"1"})", R"({"time":1,"x":2})", R"({"x":1})", R"({"bytes":"0"})",
        R"({"bytes":"0G"})", R"({"bytes":1})", R"({"duration":18446744073709551615})", R"([1,{}])", "{}"}) {
    INFO(bad);
    CHECK_FALSE(from_json(*parse_json(bad)));
  }
  CHECK(from_json(Json(std::int64_t{7})) == Value(7));
}

TEST_CASE("random values survive JSON as text, and equal values have equal hashes") {
  const std::uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    const Value value = random_value(random, 3);
    const std::string line = to_line(to_json(value));
    INFO(line);
    const std::optional<Value> back = from_json(*parse_json(line));
    REQUIRE(back);
    REQUIRE(*back == value);
    REQUIRE(hash(*back) == hash(value));
  }
  CHECK(hash(Value(1)) != hash(Value(Duration{1})));
  CHECK(hash("1") != hash(1));
  CHECK(hash(Value::List{1, 2}) != hash(Value::List{2, 1}));
  CHECK(hash(1, 1) != hash(1, 2));
}
