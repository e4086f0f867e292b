// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "checker.h"
#include "lexer.h"

namespace correlator::expr {
namespace {

bool is_comparison(Op op) {
  return op >= Op::equal && op <= Op::greater_equal;
}

}  // namespace

void Checker::fail(std::string_view code, std::uint32_t node, std::string message, std::string hint) {
  if (error_) return;
  error_ = error_at(code, at(node).offset, at(node).length, std::move(message), std::move(hint));
}

std::string Checker::written(std::uint32_t node) const {
  return std::string(source_.substr(at(node).offset, at(node).length));
}

std::string Checker::shown(std::uint32_t node) const {
  return shorten(written(node), 40);
}

std::string Checker::described_node(std::uint32_t node) const {
  return fmt::format("{} is {}", shown(node), described(at(node).type));
}

const Value* Checker::constant(std::uint32_t node) const {
  return at(node).op == Op::constant ? &program_.constants[at(node).a] : nullptr;
}

std::span<const std::uint32_t> Checker::arguments(std::uint32_t node) const {
  return std::span(program_.args).subspan(at(node).b, at(node).c);
}

Status Checker::run() {
  const Presence presence = visit(program_.root);
  if (error_) return *error_;
  program_.optional_names = presence.none_from.items();
  Names unguarded = presence.swallowed;
  unguarded.add(presence.none_from);
  program_.unguarded_names = optional_symbols_.common(unguarded).items();
  if (const Value* value = constant(program_.root)) program_.constant = *value;
  return {};
}

Presence Checker::visit(std::uint32_t node) {
  if (error_) return {};
  Presence presence;
  switch (at(node).op) {
    case Op::constant: {
      const Value& value = program_.constants[at(node).a];
      at(node).type = value.type();
      if (value.is_none()) presence.none_from = Names("none");
      return presence;
    }
    case Op::symbol:
      return visit_symbol(node);
    case Op::call:
      presence = visit_call(node);
      break;
    case Op::list:
      presence = visit_list(node);
      break;
    case Op::either:
    case Op::both:
    case Op::negate:
      presence = visit_logic(node);
      break;
    case Op::in:
      presence = visit_in(node);
      break;
    case Op::matches:
      presence = visit_match(node);
      break;
    case Op::coalesce:
      presence = visit_coalesce(node);
      break;
    case Op::choose:
      presence = visit_choice(node);
      break;
    default:
      presence = is_comparison(at(node).op) ? visit_comparison(node) : visit_arithmetic(node);
      break;
  }
  if (!error_) fold(node);
  return presence;
}

Presence Checker::visit_under(std::uint32_t node, const Names& facts) {
  const Names before = present_;
  present_.add(facts);
  Presence presence = visit(node);
  present_ = before;
  return presence;
}

Presence Checker::visit_symbol(std::uint32_t node) {
  const std::string name = program_.names[at(node).a];
  const std::optional<Symbol> symbol = scope_.symbol(name);
  if (!symbol) {
    unknown_name(node, name);
    return {};
  }
  if (std::find(program_.symbols.begin(), program_.symbols.end(), name) == program_.symbols.end()) {
    program_.symbols.push_back(name);
  }
  Presence presence;
  if (symbol->constant) {
    program_.constants.push_back(*symbol->constant);
    at(node).op = Op::constant;
    at(node).a = static_cast<std::uint32_t>(program_.constants.size()) - 1;
    at(node).type = symbol->constant->type();
    if (symbol->constant->is_none()) presence.none_from = Names(name);
    return presence;
  }
  at(node).a = symbol->slot;
  at(node).type = symbol->type;
  if (std::find(program_.slots.begin(), program_.slots.end(), symbol->slot) == program_.slots.end()) {
    program_.slots.push_back(symbol->slot);
  }
  presence.implied = presence.when_true = Names(name);
  if (symbol->optional) {
    optional_symbols_.add(name);
    if (!present_.contains(name)) presence.none_from = Names(name);
  }
  return presence;
}

Presence Checker::visit_list(std::uint32_t node) {
  // A list holds what its elements are: one that is none stays in it as none.
  Presence presence;
  Type element = Type::none;
  for (const std::uint32_t item : arguments(node)) {
    Presence part = visit(item);
    if (error_) return {};
    presence.swallowed.add(part.swallowed);
    presence.swallowed.add(part.none_from);
    element = joined_type(element, at(item).type);
  }
  at(node).type = Type::list;
  at(node).element = element == Type::none ? Type::any : element;
  return presence;
}

void Checker::require_condition(std::uint32_t node, std::string_view operation) {
  const Type type = at(node).type;
  if (error_ || type == Type::boolean || type == Type::any) return;
  const std::string x = shown(node);
  std::string hint;
  switch (type) {
    case Type::integer:
      hint = fmt::format("write {} != 0", x);
      break;
    case Type::text:
      hint = fmt::format("write {0} != '', or has({0})", x);
      break;
    case Type::duration:
      hint = fmt::format("write {} > 0s", x);
      break;
    case Type::list:
      hint = fmt::format("write len({}) > 0", x);
      break;
    case Type::time:
      hint = fmt::format("write has({})", x);
      break;
    default:
      hint = "write false";
      break;
  }
  fail("E104", node, fmt::format("{} takes conditions; {}", operation, described_node(node)),
       std::move(hint));
}

bool Checker::require_value(std::uint32_t node, std::string_view operation) {
  if (error_) return false;
  if (at(node).type != Type::none) return true;
  fail("E104", node, fmt::format("{} with none is always none", operation),
       "test with has(x) or x == none; give a default with x ?? default");
  return false;
}

Presence Checker::visit_logic(std::uint32_t node) {
  const Op op = at(node).op;
  const Presence left = visit(at(node).a);
  require_condition(at(node).a, spelling(op));
  Presence presence;
  presence.swallowed = left.swallowed;
  presence.swallowed.add(left.none_from);
  at(node).type = Type::boolean;
  if (error_) return {};
  if (op == Op::negate) {
    presence.when_true = left.when_false;
    presence.when_false = left.when_true;
    return presence;
  }
  const bool both = op == Op::both;
  const Presence right = visit_under(at(node).b, both ? left.when_true : left.when_false);
  require_condition(at(node).b, spelling(op));
  presence.swallowed.add(right.swallowed);
  presence.swallowed.add(right.none_from);
  Names& sure = both ? presence.when_true : presence.when_false;
  sure = both ? left.when_true : left.when_false;
  sure.add(both ? right.when_true : right.when_false);
  Names& either = both ? presence.when_false : presence.when_true;
  either = both ? left.when_false.common(right.when_false) : left.when_true.common(right.when_true);
  return presence;
}

Presence Checker::visit_none_test(std::uint32_t node, std::uint32_t tested) {
  const bool is_none = at(node).op == Op::equal;
  const Presence left = visit(tested);
  if (error_) return {};
  at(node).op = is_none ? Op::is_none : Op::not_none;
  at(node).a = tested;
  at(node).type = Type::boolean;
  Presence presence;
  presence.swallowed = left.swallowed;
  Names known = left.implied;
  known.add(Names(written(tested)));
  (is_none ? presence.when_false : presence.when_true) = known;
  return presence;
}

Presence Checker::visit_comparison(std::uint32_t node) {
  const Op op = at(node).op;
  const std::uint32_t a = at(node).a, b = at(node).b;
  const auto literal_none = [&](std::uint32_t n) {
    return at(n).op == Op::constant && program_.constants[at(n).a].is_none();
  };
  if (op == Op::equal || op == Op::not_equal) {
    if (literal_none(b)) return visit_none_test(node, a);
    if (literal_none(a)) return visit_none_test(node, b);
  }
  Presence presence = visit(a);
  const Presence right = visit(b);
  if (error_ || !require_value(a, spelling(op)) || !require_value(b, spelling(op))) return {};
  const Type l = at(a).type, r = at(b).type;
  if (l != r && l != Type::any && r != Type::any) {
    mismatch(node, {});
  } else if (op != Op::equal && op != Op::not_equal) {
    for (const std::uint32_t side : {a, b}) {
      if (at(side).type == Type::boolean || at(side).type == Type::list) {
        fail("E104", side, fmt::format("{} compares sizes; {}", spelling(op), described_node(side)),
             at(side).type == Type::list ? fmt::format("write len({})", shown(side)) : "write == or !=");
      }
    }
  }
  presence.none_from.add(right.none_from);
  presence.swallowed.add(right.swallowed);
  presence.implied.add(right.implied);
  presence.when_true = presence.implied;
  presence.when_false = {};
  at(node).type = Type::boolean;
  return presence;
}

Presence Checker::visit_in(std::uint32_t node) {
  const std::uint32_t a = at(node).a, b = at(node).b;
  Presence presence = visit(a);
  const Presence right = visit(b);
  if (error_ || !require_value(a, "in") || !require_value(b, "in")) return {};
  if (at(b).type == Type::text) {
    fail("E104", b, fmt::format("in looks into a list; {}", described_node(b)),
         constant(b) != nullptr
             ? fmt::format("write {} in [{}]; to look inside text write text ~ 'part'", shown(a), shown(b))
             : fmt::format("to look inside text write {} ~ 'part', for equality {} == {}", shown(b), shown(a),
                           shown(b)));
  } else if (at(b).type != Type::list && at(b).type != Type::any) {
    fail("E104", b, fmt::format("in looks into a list; {}", described_node(b)), "write x in [a, b]");
  }
  const Type element = at(b).element, type = at(a).type;
  if (at(b).type == Type::list && element != Type::any && type != Type::any && element != type) {
    fail("E104", node,
         fmt::format("{} is {}, the elements of {} are {}", shown(a), described(type), shown(b),
                     type_name(element)),
         mismatch_hint(Op::equal, type, shown(a), element, shown(b), false));
  }
  presence.none_from.add(right.none_from);
  presence.swallowed.add(right.swallowed);
  presence.implied.add(right.implied);
  presence.when_true = presence.implied;
  presence.when_false = {};
  at(node).type = Type::boolean;
  return presence;
}

Presence Checker::visit_match(std::uint32_t node) {
  const std::uint32_t a = at(node).a;
  Presence presence = visit(a);
  const Presence pattern = visit(at(node).b);
  if (error_ || !require_value(a, "~")) return {};
  if (at(a).type != Type::text && at(a).type != Type::any) {
    fail("E104", a, fmt::format("~ looks into text; {}", described_node(a)),
         fmt::format("write text({})", shown(a)));
    return {};
  }
  resolve_pattern(node);
  presence.when_true = presence.implied;
  presence.when_false = {};
  at(node).type = Type::boolean;
  return presence;
}

// Patterns are compiled here, once, and never again at run time.
void Checker::resolve_pattern(std::uint32_t node) {
  const std::uint32_t b = at(node).b;
  const Value* text = constant(b);
  if (text == nullptr || text->text() == nullptr) {
    fail("E109", b, fmt::format("the pattern behind ~ must be a text literal or a setting, not {}", shown(b)),
         fmt::format("write {} ~ 'pattern'; to compare two values write ==", shown(at(node).a)));
    return;
  }
  Result<pattern::Regex> regex = pattern::Regex::compile(*text->text());
  if (!regex.ok()) {
    Diagnostic d = regex.error();
    const std::string_view literal = source_.substr(at(b).offset, at(b).length);
    const bool quoted = !literal.empty() && (literal[0] == '\'' || literal[0] == '"') && d.place.column > 0;
    // Behind ~ a literal is taken as it stands, so that the pattern's own offset is right in the source too.
    const bool exact = quoted && literal.substr(1, literal.size() - 2) == *text->text();
    d.place.column = at(b).offset + (exact ? 1 + d.place.column : 1);
    if (!exact) d.caret_length = at(b).length;
    d.source.clear();
    error_ = std::move(d);
    return;
  }
  at(node).b = static_cast<std::uint32_t>(program_.patterns.size());
  program_.patterns.push_back(std::move(*regex));
}

void Checker::mismatch(std::uint32_t node, std::string hint) {
  const Node n = at(node);
  if (hint.empty()) {
    hint =
        mismatch_hint(n.op, at(n.a).type, shown(n.a), at(n.b).type, shown(n.b), at(n.b).op == Op::constant);
  }
  fail("E104", node,
       fmt::format("{} does not go with {} and {}: {}, {}", spelling(n.op), type_name(at(n.a).type),
                   type_name(at(n.b).type), described_node(n.a), described_node(n.b)),
       std::move(hint));
}

Presence Checker::visit_arithmetic(std::uint32_t node) {
  const Op op = at(node).op;
  const std::uint32_t a = at(node).a, b = at(node).b;
  Presence presence = visit(a);
  const Presence right = visit(b);
  if (error_ || !require_value(a, spelling(op)) || !require_value(b, spelling(op))) return {};
  const std::optional<Type> type = arithmetic_type(op, at(a).type, at(b).type);
  if (!type) {
    mismatch(node, {});
    return {};
  }
  at(node).type = *type;
  // What is only known when it runs may not go with the operator.
  if (at(a).type == Type::any || at(b).type == Type::any) presence.none_from.add(written(node));
  presence.none_from.add(right.none_from);
  presence.swallowed.add(right.swallowed);
  presence.implied.add(right.implied);
  presence.when_true = presence.when_false = {};
  if (op == Op::divide || op == Op::modulo) {
    const Value* divisor = constant(b);
    const bool zero = divisor == nullptr || *divisor == Value(0) || *divisor == Value(Duration{0});
    if (divisor != nullptr && zero) {
      fail("E104", node,
           fmt::format("{} by zero is always none", op == Op::divide ? "division" : "remainder"), {});
    }
    if (zero) presence.none_from.add(written(node));
  }
  return presence;
}

Presence Checker::visit_coalesce(std::uint32_t node) {
  const std::uint32_t a = at(node).a, b = at(node).b;
  const Presence left = visit(a);
  Presence presence = visit(b);
  if (error_) return {};
  at(node).type = joined_type(at(a).type, at(b).type);
  at(node).element = at(a).type == at(b).type ? joined_type(at(a).element, at(b).element) : Type::any;
  presence.swallowed.add(left.swallowed);
  presence.implied = presence.when_true = presence.when_false = {};
  return presence;
}

Presence Checker::visit_choice(std::uint32_t node) {
  const std::uint32_t a = at(node).a, b = at(node).b, c = at(node).c;
  const Presence condition = visit(a);
  require_condition(a, "?:");
  if (error_) return {};
  Presence presence = visit_under(b, condition.when_true);
  const Presence otherwise = visit_under(c, condition.when_false);
  if (error_) return {};
  at(node).type = joined_type(at(b).type, at(c).type);
  at(node).element = at(b).type == at(c).type ? joined_type(at(b).element, at(c).element) : Type::any;
  presence.none_from.add(otherwise.none_from);
  presence.swallowed.add(otherwise.swallowed);
  presence.swallowed.add(condition.swallowed);
  presence.swallowed.add(condition.none_from);
  presence.implied = presence.when_true = presence.when_false = {};
  return presence;
}

bool Checker::foldable(const Node& node) const {
  const auto is_constant = [&](std::uint32_t n) { return program_.nodes[n].op == Op::constant; };
  switch (node.op) {
    case Op::constant:
    case Op::symbol:
    case Op::call:
      return false;
    case Op::builtin:
    case Op::list:
      for (std::uint32_t i = 0; i < node.c; ++i) {
        if (!is_constant(program_.args[node.b + i])) return false;
      }
      return true;
    case Op::negate:
    case Op::is_none:
    case Op::not_none:
    case Op::matches:
      return is_constant(node.a);
    case Op::choose:
      return is_constant(node.a) && is_constant(node.b) && is_constant(node.c);
    default:
      return is_constant(node.a) && is_constant(node.b);
  }
}

void Checker::fold(std::uint32_t node) {
  if (!foldable(at(node))) return;
  Value scratch;
  Value value = evaluate(program_, node, NoBindings(), scratch);
  if (!value.is_none()) at(node).type = value.type();
  program_.constants.push_back(std::move(value));
  at(node).op = Op::constant;
  at(node).a = static_cast<std::uint32_t>(program_.constants.size()) - 1;
}

Status check(Program& program, std::string_view source, const Scope& scope) {
  return Checker(program, source, scope).run();
}

}  // namespace correlator::expr
