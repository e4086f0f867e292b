// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"
#include "catch.h"
#include "decoding.h"

namespace correlator::engine::test {
namespace {

class Answers final : public Questions {
 public:
  explicit Answers(const rules::RuleSet& rules)
      : index_(rules.lookups[0], table) {}  // table stands before index_
  static rules::LookupTable hosts() {
    return {
        {{"kvm1", "1", "r1"}, {"kvm1", "2", "r2"}, {"kvm1", "2", "never"}, {"kvm12", "", "r3"}, {"short"}},
        "h"};
  }
  bool open_case(std::string_view rule, std::span<const expr::Value> key) const override {
    return rule == "r" && key.size() == 1 && key[0] == expr::Value("kvm1");
  }
  bool context(std::string_view name, std::span<const expr::Value> key) const override {
    return name == "c" && key.empty();
  }
  const rules::LookupTable* lookup(std::uint32_t) const override { return stale ? nullptr : &table; }
  const LookupIndex* lookup_index(std::uint32_t) const override { return indexed ? &index_ : nullptr; }

  rules::LookupTable table = hosts();
  bool stale = false, indexed = false;

 private:
  LookupIndex index_;
};

constexpr std::string_view kRules = R"toml(
[class.c]
key = ["host"]
may = { n = "int" }

[map.name_of]
1 = "one"
2 = "two"
"*" = "many"

[settings]
limit = 7

[lookup.rack_of]
file    = "racks.csv"
key     = ["host", "slot"]
columns = ["host", "slot", "rack"]

[[event]]
id    = "e"
class = "c"
types = { n = "int" }
let   = { word = "name_of(n)", rack = "rack_of(host, n).rack", over = "n > settings.limit", of_none = "rack_of(host, missing).rack" }
[event.record]
once = ['x(?P<n>\d+)', 'y(?P<missing>\d+)']
within = "1s"
)toml";

expr::Value call(const EventBindings& bindings, std::uint32_t function, std::vector<expr::Value> args,
                 std::string_view column = {}) {
  return bindings.call(function, args, column);
}

TEST_CASE("maps, lookups, open and context answer as functions") {
  const auto rules = load(kRules);
  Answers answers(*rules);
  Fields fields;
  const EventBindings bindings(*rules, fields, answers);
  CHECK(call(bindings, rules::kFunctionMaps, {2}) == expr::Value("two"));
  CHECK(call(bindings, rules::kFunctionMaps, {9}) == expr::Value("many"));
  CHECK(call(bindings, rules::kFunctionMaps, {}).is_none());
  CHECK(call(bindings, rules::kFunctionMaps + 1, {1}).is_none());
  answers.indexed = GENERATE(false, true);
  CHECK(call(bindings, rules::kFunctionLookups, {"kvm1", 2}, "rack") == expr::Value("r2"));  // the first row
  CHECK(call(bindings, rules::kFunctionLookups, {"kvm1", "1"}, "rack") == expr::Value("r1"));
  CHECK(call(bindings, rules::kFunctionLookups, {"kvm12", ""}, "rack") == expr::Value("r3"));
  CHECK(call(bindings, rules::kFunctionLookups, {"kvm1", "21"}, "rack").is_none());
  CHECK(call(bindings, rules::kFunctionLookups, {"kvm1", {}}, "rack").is_none());
  CHECK(call(bindings, rules::kFunctionLookups, {"kvm1"}, "rack").is_none());
  CHECK(call(bindings, rules::kFunctionLookups, {"kvm1", 1}, "nothing").is_none());
  CHECK(call(bindings, rules::kFunctionLookups + 1, {"kvm1", 1}, "rack").is_none());
  answers.stale = true;
  CHECK(call(bindings, rules::kFunctionLookups, {"kvm1", 2}, "rack").is_none());
  CHECK(call(bindings, rules::kFunctionOpen, {"r", "kvm1"}) == expr::Value(true));
  CHECK(call(bindings, rules::kFunctionOpen, {"r", "kvm2"}) == expr::Value(false));
  CHECK(call(bindings, rules::kFunctionContext, {"c"}) == expr::Value(true));
  CHECK(call(bindings, rules::kFunctionContext, {"d"}) == expr::Value(false));
}

TEST_CASE("a slot says where a name lives") {
  const auto rules = load(kRules);
  const Answers answers(*rules);
  Fields fields, lets, first;
  fields.set(rules::kHost, "kvm1");
  fields.set(rules::kProgram, "kernel");
  lets.set(rules::kHost, "let");
  first.set(rules::kHost, "first");
  const std::vector<Fields> steps = {first};
  const std::vector<expr::Value> locals = {"rule"}, arguments = {"argument"};
  EventBindings bindings(*rules, fields, answers);
  using rules::slot_of;
  using rules::Space;
  CHECK(bindings.symbol(slot_of(Space::field, rules::kHost)) == expr::Value("kvm1"));
  CHECK(bindings.symbol(slot_of(Space::field, rules::kPid)).is_none());
  CHECK(bindings.symbol(slot_of(Space::setting, 0)) == expr::Value(7));
  CHECK(bindings.symbol(slot_of(Space::setting, 9)).is_none());
  CHECK(bindings.symbol(slot_of(Space::bound, 0)).is_none());
  bindings.overlay(&lets);
  bindings.bound(steps);
  bindings.locals(locals);
  bindings.arguments(arguments);
  CHECK(bindings.symbol(slot_of(Space::field, rules::kHost)) == expr::Value("let"));
  CHECK(bindings.symbol(slot_of(Space::field, rules::kProgram)) == expr::Value("kernel"));
  CHECK(bindings.symbol(slot_of(Space::bound, rules::kHost)) == expr::Value("first"));
  CHECK(bindings.symbol(slot_of(Space::bound, 1 << 16 | rules::kHost)).is_none());
  CHECK(bindings.symbol(slot_of(Space::local, rules::kLocalRule)) == expr::Value("rule"));
  CHECK(bindings.symbol(slot_of(Space::local, rules::kLocalRow)).is_none());
  CHECK(bindings.symbol(slot_of(Space::with, 0)) == expr::Value("argument"));
  CHECK(bindings.symbol(slot_of(Space::with, 1)).is_none());
}

}  // namespace
}  // namespace correlator::engine::test
