// SPDX-License-Identifier: Apache-2.0
// Names and functions: which there are, what they take, and what a wrong one was probably meant to be.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "checker.h"

namespace correlator::expr {
namespace {

std::string one_of(const std::vector<Type>& types) {
  std::string out;
  for (std::size_t i = 0; i < types.size(); ++i) {
    if (i > 0) out += i + 1 == types.size() ? " or " : ", ";
    out += described(types[i]);
  }
  return out;
}

// How other languages spell what we have.
std::string_view translated(std::string_view name) {
  const std::string small = lower(name);
  if (small == "null" || small == "nil" || small == "undefined" || small == "none") return "none";
  if (small == "true") return "true";
  if (small == "false") return "false";
  return {};
}

std::string conversion_hint(const std::vector<Type>& accepted, Type type, const std::string& x) {
  const auto takes = [&](Type t) { return std::find(accepted.begin(), accepted.end(), t) != accepted.end(); };
  if (type == Type::text && takes(Type::integer)) {
    return fmt::format("write int({0}), or hex({0}) if its digits are hexadecimal", x);
  }
  if (takes(Type::text)) return fmt::format("write text({})", x);
  return {};
}

}  // namespace

std::string Checker::closest_name(std::string_view name, bool functions) const {
  std::vector<std::string> candidates;
  for (std::string& candidate : scope_.names()) {
    if (functions ? scope_.function(candidate).has_value() : scope_.symbol(candidate).has_value()) {
      candidates.push_back(std::move(candidate));
    }
  }
  if (functions) {
    for (const BuiltinInfo& info : builtins()) candidates.emplace_back(info.name);
  }
  for (const std::string& candidate : candidates) {
    if (candidate.ends_with(fmt::format(".{}", name))) return candidate;
  }
  return closest(name, candidates);
}

void Checker::unknown_name(std::uint32_t node, const std::string& name) {
  std::string hint;
  if (const std::string_view ours = translated(name); !ours.empty()) {
    hint = fmt::format("write {}", ours);
  } else if (find_builtin(name) != nullptr || scope_.function(name)) {
    hint = fmt::format("{0} is a function: write {0}(…)", name);
  } else if (const std::string near = closest_name(name, false); !near.empty()) {
    hint = fmt::format("did you mean {}?", near);
  } else {
    hint = fmt::format("text stands in quotes: '{}'", name);
  }
  fail("E102", node, fmt::format("there is no name {} here", name), std::move(hint));
}

void Checker::unknown_function(std::uint32_t node, const std::string& name) {
  std::string hint;
  if (scope_.symbol(name)) {
    hint = fmt::format("{} is a value: write it without parentheses", name);
  } else if (const std::string near = closest_name(name, true); !near.empty()) {
    hint = fmt::format("did you mean {}(…)?", near);
  } else {
    std::vector<std::string> names;
    for (const BuiltinInfo& info : builtins()) names.emplace_back(info.name);
    hint = fmt::format("there are {}, and the [map] and [lookup] tables by their names", join(names, " "));
  }
  fail("E103", node, fmt::format("there is no function {}", name), std::move(hint));
}

Presence Checker::visit_call(std::uint32_t node) {
  const std::string name = program_.names[at(node).a];
  if (const BuiltinInfo* info = find_builtin(name)) {
    if (const std::string& column = program_.columns[at(node).a]; !column.empty()) {
      fail("E120", node, fmt::format("{}() gives no row", name), fmt::format("remove .{}", column));
      return {};
    }
    return visit_builtin(node, *info);
  }
  if (const std::optional<Signature> signature = scope_.function(name))
    return visit_site_call(node, *signature);
  unknown_function(node, name);
  return {};
}

bool Checker::check_count(std::uint32_t node, std::size_t least, bool variadic, std::string_view parameters) {
  const std::size_t given = at(node).c;
  if (given == least || (variadic && given > least)) return true;
  const std::string& name = program_.names[at(node).a];
  fail("E105", node,
       fmt::format("{}() takes {}{}, not {}", name, variadic ? "at least " : "", counted(least, "argument"),
                   given),
       fmt::format("write {}({})", name, parameters));
  return false;
}

bool Checker::check_arguments(std::uint32_t node, const std::vector<Type>& first,
                              const std::vector<Type>& rest) {
  const std::string& name = program_.names[at(node).a];
  std::size_t position = 0;
  for (const std::uint32_t argument : arguments(node)) {
    const std::vector<Type>& accepted = position++ == 0 ? first : rest;
    const Type type = at(argument).type;
    if (accepted.empty() || type == Type::any) continue;
    if (!require_value(argument, fmt::format("{}()", name))) return false;
    if (std::find(accepted.begin(), accepted.end(), type) != accepted.end()) continue;
    const bool number = (name == "int" || name == "hex") && type == Type::integer;
    fail("E104", argument,
         fmt::format("{}() takes {} as argument {}; {}", name, one_of(accepted), position,
                     described_node(argument)),
         number ? fmt::format("it is a number already: write {}", shown(argument))
                : conversion_hint(accepted, type, shown(argument)));
    return false;
  }
  return true;
}

// Ranges that are known at load must make sense: bits(x, 3, 8) would be none on every line.
void Checker::check_bits(std::uint32_t node) {
  const auto args = arguments(node);
  const auto number = [&](std::size_t i) -> const std::uint64_t* {
    const Value* value = constant(args[i]);
    return value != nullptr ? value->integer() : nullptr;
  };
  for (std::size_t i = 1; i < args.size(); ++i) {
    if (number(i) != nullptr && *number(i) > 63) {
      fail("E104", args[i], fmt::format("there is no bit {}", *number(i)),
           "bits count from 0, the lowest, to 63");
    }
  }
  if (args.size() == 3 && number(1) != nullptr && number(2) != nullptr && *number(1) < *number(2)) {
    fail("E104", node, "the high bit comes first",
         fmt::format("write bits({}, {}, {})", shown(args[0]), *number(2), *number(1)));
  }
}

Presence Checker::visit_builtin(std::uint32_t node, const BuiltinInfo& info) {
  Presence presence;
  bool sure = false;  // an argument that is never none, for min and max
  Type type = Type::none;
  for (const std::uint32_t argument : arguments(node)) {
    const Presence part = visit(argument);
    if (error_) return {};
    sure = sure || part.none_from.empty();
    type = joined_type(type, at(argument).type);
    presence.none_from.add(part.none_from);
    presence.swallowed.add(part.swallowed);
    presence.implied.add(part.implied);
  }
  if (!check_count(node, info.arity, info.variadic, info.parameters)) return {};
  if (!check_arguments(node, info.accepts, info.rest)) return {};
  at(node).type = info.result;
  if (info.id == Builtin::split) at(node).element = Type::text;
  if (info.id == Builtin::text && !require_value(arguments(node)[0], "text()")) return {};
  if (info.id == Builtin::bits || info.id == Builtin::bit) check_bits(node);
  const bool fixed =
      info.id != Builtin::bits || (constant(arguments(node)[1]) && constant(arguments(node)[2]));
  if (info.fallible || !fixed) presence.none_from.add(written(node));
  if (info.id == Builtin::min || info.id == Builtin::max) {
    at(node).type = type;
    for (const std::uint32_t argument : arguments(node)) {
      const Type t = at(argument).type;
      const Type first = at(arguments(node)[0]).type;
      if (t == Type::any || first == Type::any || t == first) continue;
      fail("E104", argument,
           fmt::format("{}() compares {} with {}", info.name, described(first), described(t)),
           "give all arguments one type: numbers, durations such as 10s, or times");
    }
    if (sure) presence.none_from = {};
    presence.implied = {};
  }
  if (info.id == Builtin::has) {
    presence.when_true = presence.implied;
    presence.when_true.add(written(arguments(node)[0]));
    presence.none_from = presence.implied = {};
  }
  at(node).op = Op::builtin;
  at(node).a = static_cast<std::uint32_t>(info.id);
  return presence;
}

bool Checker::check_column(std::uint32_t node, const Signature& signature, const std::string& column) {
  const std::string& name = program_.names[at(node).a];
  if (!signature.row) {
    if (column.empty()) return true;
    fail("E120", node, fmt::format("{}() gives no row", name), fmt::format("remove .{}", column));
    return false;
  }
  if (column.empty()) {
    fail("E120", node, fmt::format("{}() gives a row: say which column", name),
         signature.columns.empty() ? "write .COLUMN behind it"
                                   : fmt::format("write {}.{}; there are {}", shown(node),
                                                 signature.columns[0], join(signature.columns, " ")));
    return false;
  }
  if (std::find(signature.columns.begin(), signature.columns.end(), column) != signature.columns.end())
    return true;
  const std::string near = closest(column, signature.columns);
  fail("E120", node, fmt::format("{}() has no column {}", name, column),
       near.empty() ? fmt::format("there are {}", join(signature.columns, " "))
                    : fmt::format("did you mean {}?", near));
  return false;
}

Presence Checker::visit_site_call(std::uint32_t node, const Signature& signature) {
  Presence presence;
  // The call stands before calls in its arguments, as in the text.
  const std::size_t place = program_.calls.size();
  program_.calls.emplace_back();
  for (const std::uint32_t argument : arguments(node)) {
    const Presence part = visit(argument);
    if (error_) return {};
    presence.none_from.add(part.none_from);
    presence.swallowed.add(part.swallowed);
    presence.implied.add(part.implied);
  }
  const std::string name = program_.names[at(node).a], column = program_.columns[at(node).a];
  std::vector<Type> parameters = signature.parameters;
  if (signature.variadic && parameters.empty()) parameters.push_back(Type::any);
  const std::size_t least = parameters.size() - (signature.variadic ? 1 : 0);
  std::string pattern;
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    pattern += fmt::format("{}{}", i > 0 ? ", " : "",
                           signature.variadic && i + 1 == parameters.size() ? "…" : type_name(parameters[i]));
  }
  if (!check_count(node, least, signature.variadic, pattern) || !check_column(node, signature, column))
    return {};
  BoundCall bound{signature.id, {}, column};
  Call call{signature.id, name, {}, column, at(node).offset + 1};
  for (const std::uint32_t argument : arguments(node)) {
    const std::size_t i = std::min(bound.parameters.size(), parameters.size() - 1);
    const Type wanted = parameters[i], given = at(argument).type;
    if (!require_value(argument, fmt::format("{}()", name))) return {};
    if (wanted != Type::any && given != Type::any && wanted != given) {
      fail("E104", argument,
           fmt::format("{}() takes {} as argument {}; {}", name, described(wanted),
                       bound.parameters.size() + 1, described_node(argument)),
           conversion_hint({wanted}, given, shown(argument)));
      return {};
    }
    const Value* value = constant(argument);
    call.arguments.push_back(value != nullptr ? std::optional(*value) : std::nullopt);
    bound.parameters.push_back(wanted);
  }
  program_.calls[place] = std::move(call);
  at(node).a = static_cast<std::uint32_t>(program_.functions.size());
  at(node).type = signature.result;
  program_.functions.push_back(std::move(bound));
  presence.implied.add(written(node));
  presence.when_true = presence.implied;
  const bool optional = signature.optional || signature.row;
  if (optional && !present_.contains(written(node))) presence.none_from.add(written(node));
  return presence;
}

}  // namespace correlator::expr
