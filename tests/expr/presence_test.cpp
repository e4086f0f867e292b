// SPDX-License-Identifier: Apache-2.0
// What may be none, and what counts as saying what to do about it.
#include "base/text.h"
#include "catch.h"
#include "world.h"

using namespace correlator;
using namespace correlator::expr;
using correlator::expr::testing::World;

namespace {

struct Case {
  const char* text;
  const char* optional;   // optional_names(), joined by a blank
  const char* unguarded;  // unguarded_names()
};

}  // namespace

TEST_CASE("what may be none reaches the result, is swallowed, or is guarded") {
  const std::vector<Case> cases = {
      {"page", "page", "page"},
      {"page + page2", "page page2", "page page2"},
      {"page ?? loc", "", ""},
      {"page ?? page2", "page2", "page2"},
      {"(page + 1) ?? 0", "", ""},
      {"page ?? none", "none", ""},
      {"has(page)", "", ""},
      {"page == none", "", ""},
      {"page == 5", "page", "page"},
      {"page == 5 and fatal", "", "page"},
      {"fatal or page == 5", "", "page"},
      {"not page == 5", "", "page"},
      {"page == 5 ? 1 : 2", "", "page"},
      {"fatal ? page : 2", "page", "page"},
      {"(page == 5 and fatal) ?? true", "", "page"},
      {"has(page == 5 and fatal)", "", "page"},
      {"has(page) and page == 5", "", ""},
      {"page == 5 and has(page)", "", "page"},
      {"has(page) ? page : 0", "", ""},
      {"has(page) ? 0 : page", "page", "page"},
      {"page != none and page > 1", "", ""},
      {"none != page and page > 1", "", ""},
      {"page == none or page > 1", "", ""},
      {"page == none ? 0 : page", "", ""},
      {"not has(page) or page > 1", "", ""},
      {"not (has(page) and has(label)) ? '' : text(page) + label", "", ""},
      {"not (has(page) or has(label)) ? '' : text(page) + label", "page label", "page label"},
      {"has(page) or page > 1", "", "page"},
      {"(has(page) or fatal) and page > 1", "", "page"},
      {"(has(page) and fatal or has(page)) and page > 1", "", ""},
      {"has(page) and (fatal or page > 1)", "", ""},
      {"page > 1 and page < 5", "", "page"},
      {"has(page + 1) and page < 5", "", ""},
      {"has(page ?? page2) and page < 5", "", "page"},
      {"max(1, page)", "", ""},
      {"max(page, page2)", "page page2", "page page2"},
      {"[page]", "", "page"},
      {"int(loc)", "int(loc)", ""},
      {"int(label)", "label int(label)", "label"},
      {"int(loc) ?? 0", "", ""},
      {"n / n", "n / n", ""},
      {"n / 2", "", ""},
      {"n / settings.limit", "", ""},
      {"bits(n, n, 0)", "bits(n, n, 0)", ""},
      {"bits(n, 5, 0)", "", ""},
      {"hosts(loc).rack", "hosts(loc).rack", ""},
      {"has(hosts(loc).rack) ? hosts(loc).rack : ''", "", ""},
      {"has(hosts(loc).rack) ? hosts(loc).kind : ''", "hosts(loc).kind", ""},
      {"severity_of(label)", "label severity_of(label)", "label"},
      {"open('r', n)", "", ""},
      {"fatal ? 1 : none", "none", ""},
  };
  const World world;
  for (const Case& c : cases) {
    INFO(c.text);
    const auto e = Expression::compile(c.text, world);
    REQUIRE(e.ok());
    CHECK(join(e->optional_names(), " ") == c.optional);
    CHECK(join(e->unguarded_names(), " ") == c.unguarded);
    CHECK(e->optional() == !e->optional_names().empty());
  }
}

TEST_CASE("static types") {
  const World world;
  const std::vector<std::pair<const char*, Type>> cases = {{"n", Type::integer},
                                                           {"n == 1", Type::boolean},
                                                           {"page ?? loc", Type::any},
                                                           {"page ?? 1", Type::integer},
                                                           {"fatal ? 1 : none", Type::integer},
                                                           {"fatal ? 1 : 'a'", Type::any},
                                                           {"none", Type::none},
                                                           {"time - begin", Type::duration},
                                                           {"time + age", Type::time},
                                                           {"x + 1", Type::integer},
                                                           {"x + 'a'", Type::text},
                                                           {"x + x", Type::any},
                                                           {"x + age", Type::any},
                                                           {"x - time", Type::duration},
                                                           {"x & 1", Type::integer},
                                                           {"age / age", Type::integer},
                                                           {"age / 2", Type::duration},
                                                           {"age / x", Type::any},
                                                           {"max(1, n)", Type::integer},
                                                           {"max(age, 1h)", Type::duration},
                                                           {"max(x, 1)", Type::any},
                                                           {"split(loc, ' ')", Type::list},
                                                           {"hosts(loc).rack", Type::text},
                                                           {"has(n)", Type::boolean},
                                                           {"int('x')", Type::integer},
                                                           {"'a' + 'b'", Type::text}};
  for (const auto& [text, type] : cases) {
    INFO(text);
    const auto e = Expression::compile(text, world);
    REQUIRE(e.ok());
    CHECK(type_name(e->type()) == type_name(type));
  }
}
