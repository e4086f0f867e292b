// SPDX-License-Identifier: Apache-2.0
#include "builtins.h"

#include "base/text.h"

namespace correlator::expr {
namespace {

using List = Value::List;

Value bits(const Value& x, const Value& high, const Value& low) {
  if (!x.integer() || !high.integer() || !low.integer()) return {};
  const std::uint64_t hi = *high.integer(), lo = *low.integer();
  if (hi > 63 || lo > hi) return {};
  const std::uint64_t width = hi - lo + 1;
  const std::uint64_t mask = width == 64 ? ~std::uint64_t{0} : (std::uint64_t{1} << width) - 1;
  return (*x.integer() >> lo) & mask;
}

Value bit(const Value& x, const Value& n) {
  if (!x.integer() || !n.integer()) return {};
  return *n.integer() < 64 && ((*x.integer() >> *n.integer()) & 1) != 0;
}

// Text to a number; a number stays what it is, so that a field of unknown type can be passed through.
Value number(const Value& x, std::optional<std::uint64_t> (*parse)(std::string_view)) {
  if (x.integer()) return x;
  if (!x.text()) return {};
  const auto n = parse(trim(*x.text()));
  return n ? Value(*n) : Value();
}

Value length(const Value& x) {
  if (x.text()) return x.text()->size();
  return x.list() ? Value(x.list()->size()) : Value();
}

Value split_list(const Value& x, const Value& separator) {
  if (!x.text() || !separator.text()) return {};
  List parts;
  for (const std::string_view part : split(*x.text(), *separator.text())) parts.emplace_back(part);
  return parts;
}

Value joined(const Value& x, const Value& separator) {
  if (!x.list() || !separator.text()) return {};
  std::vector<std::string> parts;
  for (const Value& element : *x.list()) parts.push_back(to_text(element));
  return join(parts, *separator.text());
}

bool is_measure(Type type) {
  return type == Type::integer || type == Type::duration || type == Type::time;
}

// None is passed over; values that cannot be compared with each other give none.
Value extreme(std::span<const Value* const> arguments, bool greatest) {
  const Value* best = nullptr;
  for (const Value* x : arguments) {
    if (x->is_none()) continue;
    if (!is_measure(x->type()) || (best != nullptr && best->type() != x->type())) return {};
    if (best == nullptr || (greatest ? *x > *best : *x < *best)) best = x;
  }
  return best != nullptr ? *best : Value();
}

}  // namespace

std::span<const BuiltinInfo> builtins() {
  using enum Type;
  static const std::vector<BuiltinInfo> table = {
      {"bits", Builtin::bits, "x, hi, lo", 3, false, {integer}, {integer}, integer, false},
      {"bit", Builtin::bit, "x, n", 2, false, {integer}, {integer}, boolean, false},
      {"hex", Builtin::hex, "text", 1, false, {text}, {}, integer, true},
      {"int", Builtin::integer, "text", 1, false, {text}, {}, integer, true},
      {"text", Builtin::text, "x", 1, false, {}, {}, text, false},
      {"min",
       Builtin::min,
       "x, …",
       1,
       true,
       {integer, duration, time},
       {integer, duration, time},
       any,
       false},
      {"max",
       Builtin::max,
       "x, …",
       1,
       true,
       {integer, duration, time},
       {integer, duration, time},
       any,
       false},
      {"len", Builtin::len, "x", 1, false, {text, list}, {}, integer, false},
      {"lower", Builtin::lower, "text", 1, false, {text}, {}, text, false},
      {"upper", Builtin::upper, "text", 1, false, {text}, {}, text, false},
      {"trim", Builtin::trim, "text", 1, false, {text}, {}, text, false},
      {"split", Builtin::split, "text, separator", 2, false, {text}, {text}, list, false},
      {"join", Builtin::join, "list, separator", 2, false, {list}, {text}, text, false},
      {"has", Builtin::has, "x", 1, false, {}, {}, boolean, false},
  };
  return table;
}

const BuiltinInfo* find_builtin(std::string_view name) {
  for (const BuiltinInfo& info : builtins()) {
    if (info.name == name) return &info;
  }
  return nullptr;
}

Value call_builtin(Builtin id, std::span<const Value* const> arguments) {
  const Value& x = *arguments[0];
  const auto on_text = [&](auto function) { return x.text() ? Value(function(*x.text())) : Value(); };
  switch (id) {
    case Builtin::bits:
      return bits(x, *arguments[1], *arguments[2]);
    case Builtin::bit:
      return bit(x, *arguments[1]);
    case Builtin::hex:
      return number(x, parse_hex);
    case Builtin::integer:
      return number(x, parse_uint);
    case Builtin::text:
      return x.is_none() ? Value() : Value(to_text(x));
    case Builtin::min:
      return extreme(arguments, false);
    case Builtin::max:
      return extreme(arguments, true);
    case Builtin::len:
      return length(x);
    case Builtin::lower:
      return on_text(lower);
    case Builtin::upper:
      return on_text(upper);
    case Builtin::trim:
      return on_text(trim);
    case Builtin::split:
      return split_list(x, *arguments[1]);
    case Builtin::join:
      return joined(x, *arguments[1]);
    case Builtin::has:
      return !x.is_none();
  }
  return {};
}

}  // namespace correlator::expr
