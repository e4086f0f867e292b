// SPDX-License-Identifier: Apache-2.0
// Which types go together, and what to write where they do not.
#include <fmt/format.h>

#include "checker.h"

namespace correlator::expr {
namespace {

std::optional<Type> sum_type(Type left, Type right) {
  using enum Type;
  if (left == right && (left == integer || left == text || left == duration)) return left;
  if ((left == time && right == duration) || (left == duration && right == time)) return time;
  return std::nullopt;
}

std::optional<Type> difference_type(Type left, Type right) {
  using enum Type;
  if (left == right && (left == integer || left == duration)) return left;
  if (left == time && right == duration) return time;
  if (left == time && right == time) return duration;
  return std::nullopt;
}

std::optional<Type> product_type(Op op, Type left, Type right) {
  using enum Type;
  if (left == integer && right == integer) return integer;
  if (op == Op::multiply && left == integer && right == duration) return duration;
  if (left == duration && right == integer && op != Op::modulo) return duration;
  if (left == duration && right == duration && op == Op::divide) return integer;
  if (left == duration && right == duration && op == Op::modulo) return duration;
  return std::nullopt;
}

std::optional<Type> known_type(Op op, Type left, Type right) {
  switch (op) {
    case Op::add:
      return sum_type(left, right);
    case Op::subtract:
      return difference_type(left, right);
    case Op::multiply:
    case Op::divide:
    case Op::modulo:
      return product_type(op, left, right);
    default:
      return left == Type::integer && right == Type::integer ? std::optional(Type::integer) : std::nullopt;
  }
}

}  // namespace

Type joined_type(Type a, Type b) {
  if (a == b || b == Type::none) return a;
  return a == Type::none ? b : Type::any;
}

std::optional<Type> arithmetic_type(Op op, Type left, Type right) {
  if (left != Type::any && right != Type::any) return known_type(op, left, right);
  // One side is only known at run time: it fits if some type would.
  std::optional<Type> result;
  for (const Type candidate : {Type::integer, Type::text, Type::duration, Type::time}) {
    for (const Type other : {Type::integer, Type::text, Type::duration, Type::time}) {
      const Type l = left == Type::any ? candidate : left;
      const Type r = right == Type::any ? other : right;
      const auto type = known_type(op, l, r);
      if (!type) continue;
      result = !result || *result == *type ? *type : Type::any;
      if (*result == Type::any) return result;
    }
  }
  return result;
}

std::string mismatch_hint(Op op, Type left, const std::string& left_text, Type right,
                          const std::string& right_text, bool right_is_literal) {
  using enum Type;
  const bool compares = op >= Op::equal && op <= Op::greater_equal;
  if (left == text && right == integer && compares) {
    const std::string quoted =
        right_is_literal ? fmt::format("; to compare as text write '{}'", right_text) : "";
    return fmt::format("write int({0}), or hex({0}) if its digits are hexadecimal{1}", left_text, quoted);
  }
  if (left == integer && right == text && compares && right_is_literal) {
    return fmt::format("{} is a number: write the other one without quotes", left_text);
  }
  if (left == integer && right == text && compares) {
    return fmt::format("write int({0}), or hex({0}) if its digits are hexadecimal", right_text);
  }
  if ((left == text || right == text) && op == Op::add) {
    const std::string& other = left == text ? right_text : left_text;
    return fmt::format("to join them as text write text({}), to add numbers int({})", other,
                       left == text ? left_text : right_text);
  }
  if ((left == text || right == text) && !compares) {
    return fmt::format("write int({0}), or hex({0}) if its digits are hexadecimal",
                       left == text ? left_text : right_text);
  }
  if ((left == duration || left == time) && right == integer)
    return "give the number a unit, such as 10s or 24h";
  if (left == integer && (right == duration || right == time))
    return "give the number a unit, such as 10s or 24h";
  if (left == list || right == list) return "look into a list with x in list";
  if (left == boolean || right == boolean) {
    return fmt::format("a condition stands alone: write {0} or not {0}",
                       left == boolean ? left_text : right_text);
  }
  if (left == time && right == duration) return "subtract the times first: later - earlier gives a duration";
  return {};
}

}  // namespace correlator::expr
