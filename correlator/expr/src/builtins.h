// SPDX-License-Identifier: Apache-2.0
// The functions that every expression has.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "expr/value.h"

namespace correlator::expr {

enum class Builtin : std::uint32_t {
  bits,
  bit,
  hex,
  integer,
  text,
  min,
  max,
  len,
  lower,
  upper,
  trim,
  split,
  join,
  has
};

struct BuiltinInfo {
  std::string_view name;
  Builtin id;
  std::string_view parameters;  // for messages: "x, hi, lo"
  std::uint32_t arity;
  bool variadic;              // `arity` or more
  std::vector<Type> accepts;  // types of the first argument; empty takes everything
  std::vector<Type> rest;     // types of the others
  Type result;                // any: that of the arguments
  bool fallible;              // may give none although its arguments are not
};

std::span<const BuiltinInfo> builtins();
const BuiltinInfo* find_builtin(std::string_view name);  // nullptr if there is none

// Total: arguments of a wrong type give none. has, min and max look at none themselves.
Value call_builtin(Builtin id, std::span<const Value* const> arguments);

}  // namespace correlator::expr
