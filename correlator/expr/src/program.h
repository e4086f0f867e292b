// SPDX-License-Identifier: Apache-2.0
// The compiled form: a tree in flat vectors. The parser builds it, check() resolves and types it, Evaluator
// walks it.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "builtins.h"
#include "expr/expression.h"
#include "expr/scope.h"
#include "pattern/regex.h"

namespace correlator::expr {

enum class Op : std::uint8_t {
  constant,  // a: index in constants
  symbol,    // a: slot (before check(): index in names)
  call,      // a: index in functions (before check(): index in names); arguments args[b .. b+c)
  builtin,   // a: Builtin; arguments args[b .. b+c)
  list,      // elements args[b .. b+c)
  either,    // or
  both,      // and
  negate,    // not a
  equal,
  not_equal,
  less,
  less_equal,
  greater,
  greater_equal,
  in,
  matches,  // b: the pattern (behind check(): index in patterns)
  bit_or,
  bit_xor,
  bit_and,
  shift_left,
  shift_right,
  add,
  subtract,
  multiply,
  divide,
  modulo,
  coalesce,  // a ?? b
  choose,    // a ? b : c
  is_none,   // a == none
  not_none,  // a != none
};

struct Node {
  Op op = Op::constant;
  Type type = Type::any;
  Type element = Type::any;  // of a list
  std::uint32_t a = 0, b = 0, c = 0;
  std::uint32_t offset = 0, length = 0;  // in the source
};

// A call of a function of the Scope, as the evaluator needs it.
struct BoundCall {
  std::uint32_t id = 0;
  std::vector<Type> parameters;  // one for each argument
  std::string column;
};

struct Program {
  std::string text;
  std::uint32_t base = 0;  // where the expression begins in the text it was cut from
  std::vector<Node> nodes;
  std::vector<std::uint32_t> args;
  std::vector<Value> constants;
  std::vector<std::string> names;    // of symbols and functions, as parsed
  std::vector<std::string> columns;  // parallel to names: the column behind a call, "" for none
  std::vector<BoundCall> functions;
  std::vector<pattern::Regex> patterns;
  std::uint32_t root = 0;

  std::vector<std::string> optional_names, unguarded_names, symbols;
  std::vector<std::uint32_t> slots;
  std::vector<Call> calls;
  std::optional<Value> constant;
};

inline constexpr std::uint32_t kMaxText = 64 * 1024;  // bytes of one expression or template
inline constexpr std::uint32_t kMaxNesting = 100;     // parentheses, lists, calls, not, ?:
inline constexpr std::uint32_t kMaxDepth = 500;       // of the tree: also long chains of one operator

// Operator as written, e.g. "<=".
std::string_view spelling(Op op);

// Parses one expression of `text` from `start` on. It ends at the end of the text, or, `in_braces`, at the
// "}" that closes it: then `end` is the offset behind that.
Result<Program> parse(std::string_view text, std::uint32_t start, bool in_braces, std::uint32_t& end);

// Resolves names, types, folds constants, compiles patterns, finds what may be none.
Status check(Program& program, std::string_view source, const Scope& scope);

// The value of a node. The reference is to a constant of the program, to what a binding has, or to `scratch`.
const Value& evaluate(const Program& program, std::uint32_t node, const Bindings& bindings, Value& scratch);

// What a constant is computed with.
class NoBindings final : public Bindings {
 public:
  Value symbol(std::uint32_t) const override { return {}; }
};

}  // namespace correlator::expr
