// SPDX-License-Identifier: Apache-2.0
// A second evaluator, written from the README and not from the code: it walks a tree of its own, knows
// nothing of compilation, folding or short cuts, and must agree on random expressions.
#include <memory>
#include <random>

#include "catch.h"
#include "effort.h"
#include "world.h"
#include "base/json.h"

using namespace correlator;
using namespace correlator::expr;
using correlator::expr::testing::World;

namespace {

struct Tree {
  std::string op;  // operator, function, or "" for a leaf
  std::string leaf;
  Value value;  // of a leaf
  std::vector<std::unique_ptr<Tree>> parts;
};
using TreePtr = std::unique_ptr<Tree>;

// How tight each operator binds, by the README's table.
int tightness(const std::string& op) {
  static const std::map<std::string, int> table = {
      {"?:", 0}, {"or", 1}, {"and", 2}, {"not", 3}, {"==", 4}, {"!=", 4}, {"<", 4},  {"<=", 4},
      {">", 4},  {">=", 4}, {"in", 4},  {"|", 5},   {"^", 6},  {"&", 7},  {"<<", 8}, {">>", 8},
      {"+", 9},  {"-", 9},  {"*", 10},  {"/", 10},  {"%", 10}, {"??", 11}};
  const auto at = table.find(op);
  return at == table.end() ? 99 : at->second;
}

class Generator {
 public:
  Generator(std::mt19937_64& random, const World& world) : random_(random), world_(world) {}

  TreePtr any(int depth) {
    switch (pick(5)) {
      case 0:
        return integer(depth);
      case 1:
        return condition(depth);
      case 2:
        return text(depth);
      case 3:
        return duration(depth);
      default:
        return time(depth);
    }
  }

  TreePtr integer(int depth) {
    if (depth <= 0) return leaf({"n", "big", "page", "page2", "0", "1", "3", "64", "0xffffffffffffffff"});
    static const std::vector<std::string> ops = {"|", "^", "&", "<<", ">>", "+", "-", "*", "/", "%", "??"};
    switch (pick(8)) {
      case 0:
        return node("?:", condition(depth - 1), integer(depth - 1), integer(depth - 1));
      case 1:
        return node(pick(2) != 0 ? "min" : "max", integer(depth - 1), integer(depth - 1), integer(depth - 1));
      case 2:
        return node("len", text(depth - 1));
      case 3:
        return node("int", text(depth - 1));
      case 4:
        return node("bits", integer(depth - 1), leaf({"page", "n"}), leaf({"n", "1"}));
      default: {
        // A literal zero as divisor is an error of its own; a computed one is not.
        const std::string op = ops[pick(ops.size())];
        if (op == "/" || op == "%") return node(op, integer(depth - 1), leaf({"n", "page", "page2", "3"}));
        return node(op, integer(depth - 1), integer(depth - 1));
      }
    }
  }

  TreePtr condition(int depth) {
    if (depth <= 0) return leaf({"fatal", "true", "false"});
    static const std::vector<std::string> comparisons = {"==", "!=", "<", "<=", ">", ">="};
    switch (pick(7)) {
      case 0:
        return node("or", condition(depth - 1), condition(depth - 1));
      case 1:
        return node("and", condition(depth - 1), condition(depth - 1));
      case 2:
        return node("not", condition(depth - 1));
      case 3:
        return node("has", any(depth - 1));
      case 4:
        return node("in", integer(depth - 1), node("list", integer(depth - 1), integer(depth - 1)));
      case 5:
        return node(pick(2) != 0 ? "==" : "!=", condition(depth - 1), condition(depth - 1));
      default: {
        const std::string op = comparisons[pick(6)];
        const std::uint64_t type = pick(4);
        const auto operand = [&] {
          return type == 0   ? integer(depth - 1)
                 : type == 1 ? text(depth - 1)
                 : type == 2 ? duration(depth - 1)
                             : time(depth - 1);
        };
        auto left = operand();
        return node(op, std::move(left), operand());
      }
    }
  }

  TreePtr text(int depth) {
    if (depth <= 0) return leaf({"cls", "loc", "label", "'42'", "''", "'a\\\\b'"});
    switch (pick(5)) {
      case 0:
        return node("+", text(depth - 1), text(depth - 1));
      case 1:
        return node("upper", text(depth - 1));
      case 2:
        return node("text", integer(depth - 1));
      case 3:
        return node("??", text(depth - 1), text(depth - 1));
      default:
        return node("?:", condition(depth - 1), text(depth - 1), text(depth - 1));
    }
  }

  TreePtr duration(int depth) {
    if (depth <= 0) return leaf({"age", "10s", "1h30m", "0s"});
    switch (pick(5)) {
      case 0:
        return node(pick(2) != 0 ? "+" : "-", duration(depth - 1), duration(depth - 1));
      case 1:
        return node("*", duration(depth - 1), integer(depth - 1));
      case 2:
        return node("/", duration(depth - 1), leaf({"n", "page", "3"}));
      case 3:
        return node("%", duration(depth - 1), leaf({"age", "10s"}));
      default:
        return node("-", time(depth - 1), time(depth - 1));
    }
  }

  TreePtr time(int depth) {
    if (depth <= 0) return leaf({"time", "begin"});
    return node(pick(2) != 0 ? "+" : "-", time(depth - 1), duration(depth - 1));
  }

 private:
  std::uint64_t pick(std::uint64_t n) { return random_() % n; }

  TreePtr leaf(std::initializer_list<const char*> names) {
    auto tree = std::make_unique<Tree>();
    tree->leaf = names.begin()[pick(names.size())];
    static const std::map<std::string, Value> literals = {{"0", 0},
                                                          {"1", 1},
                                                          {"3", 3},
                                                          {"64", 64},
                                                          {"true", true},
                                                          {"0xffffffffffffffff", 18446744073709551615u},
                                                          {"false", false},
                                                          {"'42'", "42"},
                                                          {"''", ""},
                                                          {"'a\\\\b'", "a\\b"},
                                                          {"10s", Duration::seconds(10)},
                                                          {"1h30m", Duration::minutes(90)},
                                                          {"0s", Duration{0}}};
    const auto literal = literals.find(tree->leaf);
    tree->value = literal != literals.end()
                      ? literal->second
                      : world_.values[world_.symbol(std::string_view(tree->leaf))->slot];
    return tree;
  }

  template <class... Parts>
  TreePtr node(std::string op, Parts... parts) {
    auto tree = std::make_unique<Tree>();
    tree->op = std::move(op);
    (tree->parts.push_back(std::move(parts)), ...);
    return tree;
  }

  std::mt19937_64& random_;
  const World& world_;
};

// As source text, with no more parentheses than the table asks for, and now and then one pair more.
std::string write(const Tree& tree, std::mt19937_64& random) {
  if (tree.op.empty()) return tree.leaf;
  const int own = tightness(tree.op);
  // `least`: what the part must bind at to stand there without parentheses.
  const auto part = [&](std::size_t i, int least) {
    const Tree& child = *tree.parts[i];
    const std::string inner = write(child, random);
    const bool needed = tightness(child.op) < least;
    return needed || random() % 8 == 0 ? "(" + inner + ")" : inner;
  };
  if (own == 99) {
    std::string out = tree.op == "list" ? "[" : tree.op + "(";
    for (std::size_t i = 0; i < tree.parts.size(); ++i) out += (i > 0 ? ", " : "") + part(i, 0);
    return out + (tree.op == "list" ? "]" : ")");
  }
  if (tree.op == "?:") return part(0, 1) + " ? " + part(1, 0) + " : " + part(2, 0);
  if (tree.op == "not") return "not " + part(0, 3);
  const bool chains = own != 4;
  return part(0, chains ? own : own + 1) + " " + tree.op + " " + part(1, own + 1);
}

using Wide = unsigned long long;

Value naive(const Tree& tree);

Value integers(const std::string& op, Wide a, Wide b) {
  const Wide most = ~0ull;
  if (op == "|") return a | b;
  if (op == "^") return (a | b) & ~(a & b);
  if (op == "&") return a & b;
  if (op == "+") return most - a < b ? most : a + b;
  if (op == "-") return a < b ? 0 : a - b;
  if (op == "*") return a != 0 && b > most / a ? most : a * b;
  if (op == "/") return b == 0 ? Value() : Value(a / b);
  if (op == "%") return b == 0 ? Value() : Value(a - a / b * b);
  for (Wide i = 0; i < std::min<Wide>(b, 64); ++i) a = op == "<<" ? a + a : a / 2;
  return a;
}

// Durations and times in the generator's range: long double is exact enough to tell what is out of range.
Value bounded(long double us, bool time) {
  const std::int64_t most = Duration::max().us;
  const long double least = time ? static_cast<long double>(Timestamp::min().us) : 0;
  const std::int64_t out = us > static_cast<long double>(most) ? most
                           : us < least                        ? static_cast<std::int64_t>(least)
                                                               : static_cast<std::int64_t>(us);
  return time ? Value(Timestamp{out}) : Value(Duration{out});
}

Value arithmetic(const std::string& op, const Value& a, const Value& b) {
  if (a.integer() && b.integer()) return integers(op, *a.integer(), *b.integer());
  if (a.text() && b.text()) return *a.text() + *b.text();
  const auto us = [](const Value& v) {
    return static_cast<long double>(v.duration() ? v.duration()->us : v.time() ? v.time()->us : 0);
  };
  if (op == "+") return bounded(us(a) + us(b), a.time() || b.time());
  if (op == "-") return bounded(us(a) - us(b), a.time() && b.duration());
  if (op == "*") return bounded(us(a) * static_cast<long double>(*b.integer()), false);
  if (op == "/")
    return *b.integer() == 0 ? Value() : Duration{a.duration()->us / static_cast<std::int64_t>(*b.integer())};
  return b.duration()->us == 0 ? Value() : Duration{a.duration()->us % b.duration()->us};
}

Value comparison(const std::string& op, const Value& a, const Value& b) {
  const bool less = a < b, equal = a == b;
  if (op == "==") return equal;
  if (op == "!=") return !equal;
  if (op == "<") return less;
  if (op == "<=") return less || equal;
  if (op == ">") return !less && !equal;
  return !less;
}

Value function(const std::string& name, const std::vector<Value>& x) {
  if (name == "list") return x;
  if (name == "has") return !x[0].is_none();
  if (name == "min" || name == "max") {
    Value best;
    for (const Value& v : x) {
      if (!v.is_none() && (best.is_none() || (name == "min") == (v < best))) best = v;
    }
    return best;
  }
  for (const Value& v : x) {
    if (v.is_none()) return {};
  }
  if (name == "len") return x[0].text()->size();
  if (name == "text") return std::to_string(*x[0].integer());
  if (name == "upper") {
    std::string out = *x[0].text();
    for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
    return out;
  }
  if (name == "int") {
    const std::string& digits = *x[0].text();
    const bool number = !digits.empty() && digits.find_first_not_of("0123456789") == std::string::npos;
    if (!number) return {};
    Wide n = 0;
    for (const char c : digits) {
      if (n > (~0ull - static_cast<Wide>(c - '0')) / 10) return {};
      n = 10 * n + static_cast<Wide>(c - '0');
    }
    return n;
  }
  // bits
  const Wide hi = *x[1].integer(), lo = *x[2].integer();
  if (hi > 63 || lo > hi) return {};
  Wide out = 0;
  for (Wide i = lo; i <= hi; ++i) out |= ((*x[0].integer() >> i) & 1) << (i - lo);
  return out;
}

Value naive(const Tree& tree) {
  if (tree.op.empty()) return tree.value;
  std::vector<Value> x;
  for (const TreePtr& part : tree.parts) x.push_back(naive(*part));
  const auto sure = [&](std::size_t i) { return x[i] == Value(true); };
  if (tree.op == "?:") return sure(0) ? x[1] : x[2];
  if (tree.op == "or") return sure(0) || sure(1);
  if (tree.op == "and") return sure(0) && sure(1);
  if (tree.op == "not") return !sure(0);
  if (tree.op == "??") return x[0].is_none() ? x[1] : x[0];
  if (tightness(tree.op) == 99) return function(tree.op, x);
  if (x[0].is_none() || x[1].is_none()) return {};
  if (tree.op == "in") return std::find(x[1].list()->begin(), x[1].list()->end(), x[0]) != x[1].list()->end();
  return tightness(tree.op) == 4 ? comparison(tree.op, x[0], x[1]) : arithmetic(tree.op, x[0], x[1]);
}

}  // namespace

TEST_CASE("random expressions give what the naive evaluator gives") {
  const std::uint64_t seed = std::random_device()();
  std::mt19937_64 random(seed);
  const World world;
  Generator generator(random, world);
  int compiled = 0, none = 0;
  for (std::uint64_t i = 0; i < effort(20'000); ++i) {
    const TreePtr tree = generator.any(1 + static_cast<int>(random() % 5));
    const std::string text = write(*tree, random);
    INFO("seed " << seed << ": " << text);
    const auto expression = Expression::compile(text, world);
    if (!expression.ok()) {
      // Only what is refused for its constant value: a division by a constant zero.
      INFO(to_text(expression.error()));
      REQUIRE(expression.error().message.find("always none") != std::string::npos);
      continue;
    }
    ++compiled;
    const Value expected = naive(*tree), got = expression->eval(world);
    INFO("naive " << to_line(to_json(expected)) << ", compiled " << to_line(to_json(got)));
    REQUIRE(got == expected);
    REQUIRE(expression->holds(world) == (expected == Value(true)));
    if (got.is_none()) {
      ++none;
      REQUIRE(expression->optional());
    } else if (expression->type() != Type::any) {
      REQUIRE(type_name(got.type()) == type_name(expression->type()));
    }
  }
  CHECK(compiled > static_cast<int>(effort(19'000)));
  CHECK(none > static_cast<int>(effort(500)));
}
