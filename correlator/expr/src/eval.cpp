// SPDX-License-Identifier: Apache-2.0
// The evaluator: total, without side effects, without allocations unless text or a list is made.
#include <algorithm>
#include <array>
#include <limits>

#include "program.h"

namespace correlator::expr {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

Value bounded(std::int64_t us) {
  return Duration{std::clamp<std::int64_t>(us, 0, Duration::max().us)};
}

Value bounded_time(std::int64_t us) {
  return Timestamp{std::clamp<std::int64_t>(us, Timestamp::min().us, Timestamp::max().us)};
}

// Sums and differences of 64-bit µs that end at the bounds of the type instead of wrapping.
std::int64_t plus(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (!__builtin_add_overflow(a, b, &out)) return out;
  return b > 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

std::int64_t minus(std::int64_t a, std::int64_t b) {
  std::int64_t out = 0;
  if (!__builtin_sub_overflow(a, b, &out)) return out;
  return b < 0 ? std::numeric_limits<std::int64_t>::max() : std::numeric_limits<std::int64_t>::min();
}

Value times(Duration d, std::uint64_t n) {
  std::int64_t out = 0;
  if (!__builtin_mul_overflow(d.us, n, &out)) return bounded(out);
  return d.us > 0 ? Duration::max() : Duration{0};
}

Value add(const Value& a, const Value& b) {
  if (const std::string* left = a.text(); left != nullptr && b.text() != nullptr) {
    std::string out;
    out.reserve(left->size() + b.text()->size());
    return out.append(*left).append(*b.text());
  }
  if (a.duration() && b.duration()) return bounded(plus(a.duration()->us, b.duration()->us));
  if (a.time() && b.duration()) return bounded_time(plus(a.time()->us, b.duration()->us));
  if (a.duration() && b.time()) return bounded_time(plus(b.time()->us, a.duration()->us));
  return {};
}

Value subtract(const Value& a, const Value& b) {
  if (a.duration() && b.duration()) return bounded(minus(a.duration()->us, b.duration()->us));
  if (a.time() && b.duration()) return bounded_time(minus(a.time()->us, b.duration()->us));
  if (a.time() && b.time()) return bounded(minus(a.time()->us, b.time()->us));
  return {};
}

Value divide(const Value& a, const Value& b, bool remainder) {
  const Duration* d = a.duration();
  if (d == nullptr) return {};
  if (const std::uint64_t* n = b.integer(); n != nullptr && !remainder && *n != 0) {
    return bounded(*n > INT64_MAX ? 0 : d->us / static_cast<std::int64_t>(*n));
  }
  if (const Duration* by = b.duration(); by != nullptr && by->us > 0) {
    return remainder ? bounded(d->us % by->us) : Value(d->us / by->us);
  }
  return {};
}

// Arithmetic that is not between two integers.
Value measure_arithmetic(Op op, const Value& a, const Value& b) {
  switch (op) {
    case Op::add:
      return add(a, b);
    case Op::subtract:
      return subtract(a, b);
    case Op::multiply:
      if (a.duration() && b.integer()) return times(*a.duration(), *b.integer());
      if (a.integer() && b.duration()) return times(*b.duration(), *a.integer());
      return {};
    case Op::divide:
      return divide(a, b, false);
    case Op::modulo:
      return divide(a, b, true);
    default:
      return {};
  }
}

Value integer_arithmetic(Op op, std::uint64_t a, std::uint64_t b) {
  std::uint64_t out = 0;
  switch (op) {
    case Op::bit_or:
      return a | b;
    case Op::bit_xor:
      return a ^ b;
    case Op::bit_and:
      return a & b;
    case Op::shift_left:
      return b < 64 ? a << b : 0;
    case Op::shift_right:
      return b < 64 ? a >> b : 0;
    case Op::add:
      return __builtin_add_overflow(a, b, &out) ? kMost : out;
    case Op::subtract:
      return a > b ? a - b : 0;
    case Op::multiply:
      return __builtin_mul_overflow(a, b, &out) ? kMost : out;
    case Op::divide:
      return b != 0 ? Value(a / b) : Value();
    case Op::modulo:
      return b != 0 ? Value(a % b) : Value();
    default:
      return {};
  }
}

Value compare(Op op, const Value& a, const Value& b) {
  if (a.is_none() || a.type() != b.type()) return {};
  if (op == Op::equal) return a == b;
  if (op == Op::not_equal) return !(a == b);
  if (a.list() || a.boolean()) return {};
  const std::strong_ordering order = a <=> b;
  switch (op) {
    case Op::less:
      return order < 0;
    case Op::less_equal:
      return order <= 0;
    case Op::greater:
      return order > 0;
    case Op::greater_equal:
      return order >= 0;
    default:
      return {};
  }
}

Value contains(const Value& list, const Value& x) {
  if (x.is_none() || list.list() == nullptr) return {};
  for (const Value& element : *list.list()) {
    if (element == x) return true;
  }
  return false;
}

class Evaluator {
 public:
  Evaluator(const Program& program, const Bindings& bindings) : program_(program), bindings_(bindings) {}

  // The reference is to a constant, to what a binding has, or to `scratch`: text that is only looked at is not copied.
  const Value& visit(std::uint32_t index, Value& scratch) const;

 private:
  Value binary(const Node& node) const;
  Value call(const Node& node) const;
  Value builtin(const Node& node) const;
  Value list(const Node& node) const;
  bool holds(std::uint32_t index) const {
    Value scratch;
    return visit(index, scratch).is_true();
  }
  bool present(std::uint32_t index) const {
    Value scratch;
    return !visit(index, scratch).is_none();
  }

  const Program& program_;
  const Bindings& bindings_;
};

const Value& Evaluator::visit(std::uint32_t index, Value& scratch) const {
  const Node& node = program_.nodes[index];
  switch (node.op) {
    case Op::constant:
      return program_.constants[node.a];
    case Op::symbol:
      return bindings_.look(node.a, scratch);
    case Op::call:
      scratch = call(node);
      break;
    case Op::builtin:
      scratch = builtin(node);
      break;
    case Op::list:
      scratch = list(node);
      break;
    case Op::either:
      scratch = holds(node.a) || holds(node.b);
      break;
    case Op::both:
      scratch = holds(node.a) && holds(node.b);
      break;
    case Op::negate:
      scratch = !holds(node.a);
      break;
    case Op::is_none:
      scratch = !present(node.a);
      break;
    case Op::not_none:
      scratch = present(node.a);
      break;
    case Op::choose:
      return visit(holds(node.a) ? node.b : node.c, scratch);
    case Op::coalesce: {
      const Value& left = visit(node.a, scratch);
      return left.is_none() ? visit(node.b, scratch) : left;
    }
    case Op::matches: {
      Value space;
      const Value& text = visit(node.a, space);
      scratch = text.text() != nullptr ? Value(program_.patterns[node.b].matches(*text.text())) : Value();
      break;
    }
    default:
      scratch = binary(node);
      break;
  }
  return scratch;
}

Value Evaluator::binary(const Node& node) const {
  Value left_space, right_space;
  const Value& a = visit(node.a, left_space);
  const Value& b = visit(node.b, right_space);
  if (node.op == Op::in) return contains(b, a);
  if (node.op >= Op::equal && node.op <= Op::greater_equal) return compare(node.op, a, b);
  if (a.integer() != nullptr && b.integer() != nullptr)
    return integer_arithmetic(node.op, *a.integer(), *b.integer());
  return measure_arithmetic(node.op, a, b);
}

Value Evaluator::list(const Node& node) const {
  Value::List out;
  out.reserve(node.c);
  for (std::uint32_t i = 0; i < node.c; ++i) {
    Value scratch;
    out.push_back(visit(program_.args[node.b + i], scratch));
  }
  return out;
}

// A function of the site never sees none or an argument of a type it did not ask for.
Value Evaluator::call(const Node& node) const {
  const BoundCall& bound = program_.functions[node.a];
  std::vector<Value> arguments(node.c);
  for (std::uint32_t i = 0; i < node.c; ++i) {
    const Value& value = visit(program_.args[node.b + i], arguments[i]);
    if (value.is_none() || (bound.parameters[i] != Type::any && bound.parameters[i] != value.type()))
      return {};
    if (&value != &arguments[i]) arguments[i] = value;
  }
  return bindings_.call(bound.id, arguments, bound.column);
}

Value Evaluator::builtin(const Node& node) const {
  constexpr std::uint32_t kFew = 4;  // arguments that need no memory of their own
  const auto id = static_cast<Builtin>(node.a);
  const auto run = [&](std::span<Value> space, std::span<const Value*> arguments) {
    for (std::uint32_t i = 0; i < node.c; ++i) arguments[i] = &visit(program_.args[node.b + i], space[i]);
    return call_builtin(id, arguments.first(node.c));
  };
  if (node.c <= kFew) {
    std::array<Value, kFew> space;
    std::array<const Value*, kFew> arguments{};
    return run(space, arguments);
  }
  std::vector<Value> space(node.c);
  std::vector<const Value*> arguments(node.c);
  return run(space, arguments);
}

}  // namespace

const Value& evaluate(const Program& program, std::uint32_t node, const Bindings& bindings, Value& scratch) {
  return Evaluator(program, bindings).visit(node, scratch);
}

}  // namespace correlator::expr
