// SPDX-License-Identifier: Apache-2.0
// Precedence climbing over the table below. Recursion is bounded by kMaxNesting, the tree by kMaxDepth.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "lexer.h"
#include "program.h"

namespace correlator::expr {
namespace {

struct Binary {
  std::string_view text;
  Op op;
  int level;  // higher binds tighter
};

constexpr int kNotLevel = 3;
constexpr int kComparison = 4;

constexpr Binary kBinary[] = {
    {"or", Op::either, 1},
    {"and", Op::both, 2},
    {"==", Op::equal, kComparison},
    {"!=", Op::not_equal, kComparison},
    {"<", Op::less, kComparison},
    {"<=", Op::less_equal, kComparison},
    {">", Op::greater, kComparison},
    {">=", Op::greater_equal, kComparison},
    {"in", Op::in, kComparison},
    {"~", Op::matches, kComparison},
    {"|", Op::bit_or, 5},
    {"^", Op::bit_xor, 6},
    {"&", Op::bit_and, 7},
    {"<<", Op::shift_left, 8},
    {">>", Op::shift_right, 8},
    {"+", Op::add, 9},
    {"-", Op::subtract, 9},
    {"*", Op::multiply, 10},
    {"/", Op::divide, 10},
    {"%", Op::modulo, 10},
    {"??", Op::coalesce, 11},
};

const Binary* find_binary(const Token& token) {
  if (token.kind != TokenKind::op && token.kind != TokenKind::name) return nullptr;
  for (const Binary& binary : kBinary) {
    if (binary.text == token.text) return &binary;
  }
  return nullptr;
}

bool is_word_operator(std::string_view name) {
  return name == "or" || name == "and" || name == "not" || name == "in";
}

constexpr std::uint32_t kFailed = UINT32_MAX;  // instead of a node: error_ says why

class Parser {
 public:
  Parser(std::string_view text, std::uint32_t start, bool in_braces)
      : text_(text), start_(start), in_braces_(in_braces), lexer_(text, start) {}

  Result<Program> run(std::uint32_t& end);

 private:
  std::uint32_t ternary();
  std::uint32_t binary(int level);
  std::uint32_t negation(std::uint32_t from);
  std::uint32_t operand();
  std::uint32_t group();
  std::uint32_t list();
  std::uint32_t named();
  std::uint32_t call(const Token& name);
  bool elements(std::string_view closing, std::vector<std::uint32_t>& out);
  bool column(std::uint32_t node);

  std::uint32_t add(Op op, std::uint32_t from, std::uint32_t a, std::uint32_t b = 0, std::uint32_t c = 0);
  std::uint32_t add_constant(const Token& token, Value value);
  std::uint32_t add_list(Op op, std::uint32_t from, std::uint32_t a, const std::vector<std::uint32_t>& items);
  std::uint32_t add_name(std::string_view name);
  std::uint32_t measured(std::uint32_t node, std::uint32_t depth, const Node& added);

  bool is(std::string_view op) const { return token_.kind == TokenKind::op && token_.text == op; }
  void advance(bool raw = false);
  std::uint32_t fail(const Token& at, std::string message, std::string hint, std::string_view code = "E101");
  std::uint32_t unexpected(std::string_view wanted);
  std::string found() const;
  std::string snippet(std::uint32_t node) const {
    return shorten(text_.substr(program_.nodes[node].offset, program_.nodes[node].length), 40);
  }

  std::string_view text_;
  std::uint32_t start_;
  bool in_braces_;
  Lexer lexer_;
  Token token_;
  std::uint32_t previous_end_ = 0;
  std::uint32_t nesting_ = 0;
  std::vector<std::uint32_t> depth_;  // of each node
  Program program_;
  std::optional<Diagnostic> error_;
};

void Parser::advance(bool raw) {
  previous_end_ = token_.offset + token_.length;
  token_ = lexer_.next(raw);
  if (token_.kind == TokenKind::bad && !error_) error_ = lexer_.error();
}

// The first error is the one to show: what follows it is often its consequence.
std::uint32_t Parser::fail(const Token& at, std::string message, std::string hint, std::string_view code) {
  if (!error_) error_ = error_at(code, at.offset, at.length, std::move(message), std::move(hint));
  return kFailed;
}

std::string Parser::found() const {
  if (token_.kind == TokenKind::end) return "the end";
  return shorten(token_.text, 40);
}

// Something else stands where `wanted` should.
std::uint32_t Parser::unexpected(std::string_view wanted) {
  std::string hint;
  const std::string word = lower(token_.text);
  if (token_.kind == TokenKind::name && is_word_operator(word) && word != token_.text) {
    hint = fmt::format("operators are lower case: write {}", word);
  } else if (token_.kind == TokenKind::name && token_.text == "not") {
    hint = "write not x in [a, b], with the not in front";
  } else if (is("-")) {
    hint = "there are no negative numbers; a - b ends at 0";
  } else if (is("~")) {
    hint = "to turn bits over write x ^ 0xffffffffffffffff; to match write text ~ 'pattern'";
  } else if (is("[")) {
    hint = "lists have no index; look with x in list";
  } else if (is("}") && !in_braces_) {
    hint = "braces stand only in ${…} of a text";
  } else if (token_.kind == TokenKind::literal || token_.kind == TokenKind::name) {
    hint = "an operator such as ==, and, + belongs between two values; text stands in quotes";
  }
  return fail(token_, fmt::format("{} expected, found {}", wanted, found()), std::move(hint));
}

std::uint32_t Parser::measured(std::uint32_t node, std::uint32_t depth, const Node& added) {
  depth_.push_back(depth + 1);
  if (depth + 1 <= kMaxDepth) return node;
  Token whole;
  whole.offset = added.offset;
  whole.length = added.length;
  return fail(whole, fmt::format("the expression has more than {} operators in a row", kMaxDepth),
              "use a list with in, a pattern with ~, or a [map]", "E108");
}

std::uint32_t Parser::add(Op op, std::uint32_t from, std::uint32_t a, std::uint32_t b, std::uint32_t c) {
  Node node;
  node.op = op;
  node.a = a, node.b = b, node.c = c;
  node.offset = from;
  node.length = previous_end_ - from;
  program_.nodes.push_back(node);
  std::uint32_t depth = 0;
  if (op != Op::symbol && op != Op::constant) {
    depth = depth_[a];
    if (op != Op::negate) depth = std::max(depth, depth_[b]);
    if (op == Op::choose) depth = std::max(depth, depth_[c]);
  }
  return measured(static_cast<std::uint32_t>(program_.nodes.size()) - 1, depth, node);
}

std::uint32_t Parser::add_constant(const Token& token, Value value) {
  program_.constants.push_back(std::move(value));
  return add(Op::constant, token.offset, static_cast<std::uint32_t>(program_.constants.size()) - 1);
}

std::uint32_t Parser::add_list(Op op, std::uint32_t from, std::uint32_t a,
                               const std::vector<std::uint32_t>& items) {
  Node node;
  node.op = op;
  node.a = a;
  node.b = static_cast<std::uint32_t>(program_.args.size());
  node.c = static_cast<std::uint32_t>(items.size());
  node.offset = from;
  node.length = previous_end_ - from;
  std::uint32_t depth = 0;
  for (const std::uint32_t item : items) {
    depth = std::max(depth, depth_[item]);
    program_.args.push_back(item);
  }
  program_.nodes.push_back(node);
  return measured(static_cast<std::uint32_t>(program_.nodes.size()) - 1, depth, node);
}

std::uint32_t Parser::add_name(std::string_view name) {
  program_.names.emplace_back(name);
  program_.columns.emplace_back();
  return static_cast<std::uint32_t>(program_.names.size()) - 1;
}

std::uint32_t Parser::ternary() {
  if (nesting_ >= kMaxNesting) {
    return fail(token_, fmt::format("the expression is nested more than {} deep", kMaxNesting),
                "split it with let, or use a [map]", "E108");
  }
  ++nesting_;
  const std::uint32_t from = token_.offset;
  std::uint32_t node = binary(1);
  if (node != kFailed && is("?")) {
    advance();
    const std::uint32_t yes = ternary();
    if (yes == kFailed) return kFailed;
    if (!is(":")) return unexpected("the : of c ? a : b");
    advance();
    const std::uint32_t no = ternary();
    if (no == kFailed) return kFailed;
    node = add(Op::choose, from, node, yes, no);
  }
  --nesting_;
  return node;
}

std::uint32_t Parser::binary(int level) {
  const std::uint32_t from = token_.offset;
  const bool negated = token_.kind == TokenKind::name && token_.text == "not";
  if (negated && level > kNotLevel) {
    return fail(token_, "not stands only in front of a whole condition", "put it in parentheses: (not x)");
  }
  std::uint32_t left = negated ? negation(from) : operand();
  bool compared = false;
  while (left != kFailed) {
    const Binary* found_operator = find_binary(token_);
    if (found_operator == nullptr || found_operator->level < level) return left;
    if (compared && found_operator->level == kComparison) {
      const Node& first = program_.nodes[left];
      return fail(token_, "comparisons do not chain",
                  fmt::format("write {} and {} {} …, or use parentheses", snippet(left), snippet(first.b),
                              found_operator->text));
    }
    compared = compared || found_operator->level == kComparison;
    advance(found_operator->op == Op::matches);
    const std::uint32_t right = binary(found_operator->level + 1);
    if (right == kFailed) return kFailed;
    left = add(found_operator->op, from, left, right);
  }
  return left;
}

std::uint32_t Parser::negation(std::uint32_t from) {
  if (++nesting_ > kMaxNesting) {
    return fail(token_, fmt::format("the expression is nested more than {} deep", kMaxNesting),
                "not not x is x", "E108");
  }
  advance();
  const std::uint32_t condition = binary(kNotLevel);
  --nesting_;
  return condition == kFailed ? kFailed : add(Op::negate, from, condition);
}

std::uint32_t Parser::operand() {
  if (token_.kind == TokenKind::literal) {
    const Token token = token_;
    advance();
    return add_constant(token, token.value);
  }
  if (token_.kind == TokenKind::name && !is_word_operator(token_.text)) return named();
  if (is("(")) return group();
  if (is("[")) return list();
  if (token_.kind == TokenKind::end)
    return fail(token_, "the expression ends where a value should stand", {});
  return unexpected("a value");
}

std::uint32_t Parser::group() {
  const Token open = token_;
  advance();
  const std::uint32_t inner = ternary();
  if (inner == kFailed) return kFailed;
  if (!is(")")) {
    if (token_.kind != TokenKind::end && !is("}")) return unexpected("an operator or )");
    return fail(open, "this ( is not closed", "put the missing ) behind the part that belongs together");
  }
  advance();
  return inner;
}

bool Parser::elements(std::string_view closing, std::vector<std::uint32_t>& out) {
  const Token open = token_;
  advance();
  while (!is(closing)) {
    const std::uint32_t element = ternary();
    if (element == kFailed) return false;
    out.push_back(element);
    if (is(",")) {
      advance();
    } else if (!is(closing)) {
      if (token_.kind == TokenKind::end || is("}")) {
        fail(open, fmt::format("this {} is not closed", open.text),
             fmt::format("put the missing {} behind it", closing));
      } else {
        unexpected(fmt::format(", or {}", closing));
      }
      return false;
    }
  }
  advance();
  return true;
}

std::uint32_t Parser::list() {
  const std::uint32_t from = token_.offset;
  std::vector<std::uint32_t> items;
  if (!elements("]", items)) return kFailed;
  return add_list(Op::list, from, 0, items);
}

std::uint32_t Parser::named() {
  const Token name = token_;
  advance();
  if (is("(")) return call(name);
  if (name.text == "true" || name.text == "false") return add_constant(name, name.text == "true");
  if (name.text == "none") return add_constant(name, Value());
  return add(Op::symbol, name.offset, add_name(name.text));
}

std::uint32_t Parser::call(const Token& name) {
  std::vector<std::uint32_t> items;
  if (!elements(")", items)) return kFailed;
  const std::uint32_t named = add_name(name.text);
  if (is(".")) {
    advance();
    if (token_.kind != TokenKind::name) return unexpected("the name of a column");
    program_.columns[named] = token_.text;
    advance();
  }
  return add_list(Op::call, name.offset, named, items);
}

Result<Program> Parser::run(std::uint32_t& end) {
  advance();
  if (token_.kind == TokenKind::end || (in_braces_ && is("}"))) {
    fail(token_, "there is no expression", in_braces_ ? "write ${name}; a literal ${ is written $${" : "");
  }
  const std::uint32_t root = error_ ? kFailed : ternary();
  if (root != kFailed && in_braces_ && token_.kind == TokenKind::end) {
    Token open;
    open.offset = start_ - 2;
    open.length = 2;
    fail(open, "this ${ is not closed", "put a } behind the expression; a literal ${ is written $${", "E121");
  } else if (root != kFailed && !(in_braces_ ? is("}") : token_.kind == TokenKind::end)) {
    if (is(")")) {
      fail(token_, "this ) closes nothing", "remove it, or put the missing ( in front");
    } else {
      unexpected("an operator");
    }
  }
  if (error_) return *error_;
  end = token_.offset + token_.length;
  program_.root = root;
  program_.base = start_;
  const std::string_view own = text_.substr(start_, (in_braces_ ? token_.offset : end) - start_);
  program_.text = trim(own);
  return std::move(program_);
}

}  // namespace

std::string_view spelling(Op op) {
  for (const Binary& binary : kBinary) {
    if (binary.op == op) return binary.text;
  }
  return op == Op::negate ? "not" : "?:";
}

Result<Program> parse(std::string_view text, std::uint32_t start, bool in_braces, std::uint32_t& end) {
  if (text.size() > kMaxText) {
    return error_at("E108", 0, 1, fmt::format("the text is longer than {} bytes", kMaxText),
                    "use a [map], a lookup file or several rules");
  }
  return Parser(text, start, in_braces).run(end);
}

}  // namespace correlator::expr
