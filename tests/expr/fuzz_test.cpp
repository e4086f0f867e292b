// SPDX-License-Identifier: Apache-2.0
// Hostile source text: whatever it is, the answer is an expression that evaluates or an error inside the
// text.
#include <random>

#include "catch.h"
#include "effort.h"
#include "world.h"
#include "base/json.h"

using namespace correlator;
using namespace correlator::expr;
using correlator::expr::testing::World;

namespace {

constexpr const char* kPieces[] = {
    "n",      "page",  "cls",  "x",        "fatal", "age",    "time", "parts", "settings.bad",
    "hosts(", ".rack", "len(", "max(",     "bits(", "split(", "has(", "(",     ")",
    "[",      "]",     ",",    "?",        ":",     "??",     "==",   "!=",    "<",
    ">=",     "in",    "~",    "|",        "^",     "&",      "<<",   "+",     "-",
    "*",      "/",     "%",    "and",      "or",    "not",    "none", "true",  "0",
    "63",     "10s",   "0xff", "'a'",      "'\\d'", "\"",     "'",    "${",    "}",
    "$${",    "\\",    "\xff", "open('r'", "{",     "int(",
};

template <class Compiled>
void try_out(const std::string& text, const World& world, int& compiled) {
  INFO(to_line(to_json(Value(text))));
  const auto result = Compiled::compile(text, world);
  if (result.ok()) {
    ++compiled;
    const Value value = result->eval(world);
    if (value.is_none())
      REQUIRE((result->optional() || result->type() == Type::any || text.find('x') != text.npos));
    return;
  }
  const Diagnostic& d = result.error();
  REQUIRE(d.code.starts_with("E1"));
  REQUIRE_FALSE(d.message.empty());
  REQUIRE(d.place.column >= 1);
  REQUIRE(d.place.column <= text.size() + 1);
}

}  // namespace

TEST_CASE("random bytes and random pieces never break the compiler") {
  const std::uint64_t seed = std::random_device()();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const World world;
  int compiled = 0;
  for (std::uint64_t i = 0; i < effort(40'000); ++i) {
    std::string text;
    const bool pieces = i % 4 != 0;
    for (std::uint64_t n = random() % (pieces ? 10 : 60); n > 0; --n) {
      if (pieces) {
        text += kPieces[random() % std::size(kPieces)];
        if (random() % 2 == 0) text += ' ';
      } else {
        text += static_cast<char>(random());
      }
    }
    try_out<Expression>(text, world, compiled);
    try_out<Template>(text, world, compiled);
    try_out<Template>("${" + text + "}", world, compiled);
  }
  CHECK(compiled > static_cast<int>(effort(1'000)));
}
