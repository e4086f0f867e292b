// SPDX-License-Identifier: Apache-2.0
// What the names of an expression mean: a Scope answers at load, Bindings answer at run time.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expr/value.h"

namespace correlator::expr {

struct Symbol {
  Type type = Type::any;
  bool optional = false;          // may be none, as a `may` field of a class
  std::uint32_t slot = 0;         // handed to Bindings::symbol
  std::optional<Value> constant;  // a setting: known at load; Bindings are never asked for it
};

// A function of the site: a map, a lookup, open(), context(). The built-in ones are not overridden by a
// Scope.
struct Signature {
  std::uint32_t id = 0;              // handed to Bindings::call
  std::vector<Type> parameters;      // Type::any takes everything
  bool variadic = false;             // the last parameter may come any number of times, also not at all
  Type result = Type::any;           // of each column if `row`
  bool optional = false;             // may give none
  bool row = false;                  // gives a row: the call must be followed by .column
  std::vector<std::string> columns;  // of a row; an unknown column is an error
};

class Scope {
 public:
  virtual ~Scope() = default;
  // Dotted names such as settings.dimm_ce or first.disk are one name.
  virtual std::optional<Symbol> symbol(std::string_view name) const = 0;
  virtual std::optional<Signature> function(std::string_view) const { return std::nullopt; }
  // All symbol names and all function names, for "did you mean".
  virtual std::vector<std::string> names() const { return {}; }
};

class Bindings {
 public:
  virtual ~Bindings() = default;
  virtual Value symbol(std::uint32_t slot) const = 0;
  // The same for who only looks at it: a reference to where the value stands, or to `scratch` if it stands nowhere.
  virtual const Value& look(std::uint32_t slot, Value& scratch) const { return scratch = symbol(slot); }
  // `column` is empty for a function that does not give a row.
  virtual Value call(std::uint32_t, std::span<const Value>, std::string_view /*column*/) const { return {}; }
};

}  // namespace correlator::expr
