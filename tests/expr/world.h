// SPDX-License-Identifier: Apache-2.0
// A small site for the tests: fields of every type, optional ones, settings, a map and lookups.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "expr/expression.h"

namespace correlator::expr::testing {

class World final : public Scope, public Bindings {
 public:
  World() {
    add("n", Type::integer, false, 7);
    add("big", Type::integer, false, 18446744073709551615u);
    add("page", Type::integer, true, {});
    add("page2", Type::integer, true, 0x12345);
    add("loc", Type::text, false, "cpu 3");
    add("cls", Type::text, false, "CE");
    add("label", Type::text, true, {});
    add("fatal", Type::boolean, false, true);
    add("age", Type::duration, false, Duration::minutes(90));
    add("time", Type::time, false, Timestamp{1'000'000'000});
    add("begin", Type::time, false, Timestamp{400'000'000});
    add("parts", Type::list, false, Value::List{"a", "b"});
    add("x", Type::any, false, 7);
    add("first.disk", Type::text, false, "sda");
    constant("settings.limit", 10);
    constant("settings.bad", "^DIMM_\\d");
    constant("settings.dimm_ce", "10 in 24h");
    function("severity_of", {1, {Type::text}, false, Type::text, true, false, {}});
    function("hosts", {2, {Type::text}, false, Type::text, false, true, {"rack", "kind"}});
    function("open", {3, {Type::text, Type::any}, true, Type::boolean, false, false, {}});
  }

  void add(const std::string& name, Type type, bool optional, Value value) {
    Symbol symbol;
    symbol.type = type;
    symbol.optional = optional;
    symbol.slot = static_cast<std::uint32_t>(values.size());
    symbols_[name] = symbol;
    values.push_back(std::move(value));
  }
  void constant(const std::string& name, Value value) { symbols_[name] = {value.type(), false, 0, value}; }
  void function(const std::string& name, Signature signature) { functions_[name] = std::move(signature); }

  std::optional<Symbol> symbol(std::string_view name) const override {
    const auto at = symbols_.find(std::string(name));
    return at == symbols_.end() ? std::nullopt : std::optional(at->second);
  }
  std::optional<Signature> function(std::string_view name) const override {
    const auto at = functions_.find(std::string(name));
    return at == functions_.end() ? std::nullopt : std::optional(at->second);
  }
  std::vector<std::string> names() const override {
    std::vector<std::string> out;
    for (const auto& [name, symbol] : symbols_) out.push_back(name);
    for (const auto& [name, signature] : functions_) out.push_back(name);
    return out;
  }

  Value symbol(std::uint32_t slot) const override { return values.at(slot); }
  Value call(std::uint32_t function, std::span<const Value> arguments,
             std::string_view column) const override {
    ++calls;
    if (function == 1) return *arguments[0].text() == "CE" ? Value("corrected") : Value();
    if (function == 2)
      return *arguments[0].text() == "kvm1" ? Value("row of " + std::string(column)) : Value();
    return arguments.size() == 2;
  }

  std::vector<Value> values;
  mutable int calls = 0;

 private:
  std::map<std::string, Symbol> symbols_;
  std::map<std::string, Signature> functions_;
};

}  // namespace correlator::expr::testing
