// SPDX-License-Identifier: Apache-2.0
#include "context.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace correlator::rules {
namespace {

constexpr std::string_view kBuiltinNames[] = {"host", "program", "pid",      "facility", "level", "text",
                                              "time", "caller",  "severity", "part",     "class", "weight"};
static_assert(std::size(kBuiltinNames) == kBuiltinFields);

// "There is no such …": meaningless when a file is missing that may define it.
constexpr std::string_view kUnknownName[] = {"E011", "E012", "E013", "E014", "E015", "E017",
                                             "E026", "E028", "E033", "E037", "E102", "E103"};

}  // namespace

Context::Context(const Sources& from) : sources(from) {
  for (std::string_view name : kBuiltinNames) field(name);
}

void Context::add(Gravity gravity, std::string_view code, const Spot& spot, std::string message,
                  std::string hint) {
  Diagnostic d = make_error(code, std::move(message), std::move(hint));
  d.gravity = gravity;
  d.place = sources.place(spot);
  d.source = std::string(sources.line(spot));
  const auto rest = d.source.size() + 1 - std::min<std::size_t>(spot.column, d.source.size());
  d.caret_length = std::min<std::uint32_t>(spot.length, static_cast<std::uint32_t>(rest));
  diagnostics.push_back(std::move(d));
}

void Context::error(std::string_view code, const Spot& spot, std::string message, std::string hint) {
  ++errors_;
  if (partial_ && std::find(std::begin(kUnknownName), std::end(kUnknownName), code) != std::end(kUnknownName))
    return;
  add(Gravity::error, code, spot, std::move(message), std::move(hint));
}

void Context::syntax_error(Diagnostic diagnostic) {
  ++errors_;
  diagnostics.push_back(std::move(diagnostic));
}

void Context::warn(std::string_view code, const Spot& spot, std::string message, std::string hint) {
  add(Gravity::warning, code, spot, std::move(message), std::move(hint));
}

void Context::error_inside(const Node& text, Diagnostic diagnostic) {
  const Spot spot =
      sources.inside(text, std::max<std::uint32_t>(diagnostic.place.column, 1), diagnostic.caret_length);
  error(diagnostic.code, spot, std::move(diagnostic.message), std::move(diagnostic.hint));
}

FieldId Context::field(std::string_view name) {
  const auto found = fields_.find(name);
  if (found != fields_.end()) return found->second;
  const auto id = static_cast<FieldId>(set.fields.size());
  set.fields.emplace_back(name);
  fields_.emplace(std::string(name), id);
  return id;
}

FieldId Context::find_field(std::string_view name) const {
  const auto found = fields_.find(name);
  return found == fields_.end() ? kNoField : found->second;
}

template <class Compiled>
std::optional<Compiled> Context::compiled(const Node& node, const std::string& source, const NameScope& scope,
                                          Guard guard) {
  scope.tainted = false;
  auto result = Compiled::compile(source, scope);
  if (!result) {
    if (scope.tainted) return std::nullopt;  // the cause is reported where it stands
    Diagnostic d = std::move(result).error();
    if (d.code == "E102" && d.hint.empty() &&
        source.find_first_not_of("abcdefghijklmnopqrstuvwxyz-_.") == std::string::npos) {
      d.hint = fmt::format("text stands in quotes of its own here: \"'{}'\"", source);
    }
    error_inside(node, std::move(d));
    return std::nullopt;
  }
  if (guard == Guard::required) {
    const auto unguarded = result->unguarded_names();
    for (const std::string& name : unguarded) {
      const auto at = source.find(name);
      const auto offset = at == std::string::npos ? 1 : static_cast<std::uint32_t>(at + 1);
      error("E018", sources.inside(node, offset, static_cast<std::uint32_t>(name.size())),
            fmt::format("`{}` may be missing, and nothing says what happens then", name),
            fmt::format("write \"{0} ?? …\" for what to take instead, or ask has({0}) first", name));
    }
    if (!unguarded.empty()) return std::nullopt;
  }
  return std::move(result).value();
}

std::optional<expr::Expression> Context::expression(const Node& node, const NameScope& scope, Guard guard) {
  std::string source = node.text;
  if (node.is(Node::Kind::integer)) source = std::to_string(node.number);
  if (node.is(Node::Kind::boolean)) source = node.flag ? "true" : "false";
  const std::string_view inner = trim(source);
  if (inner.starts_with("${") && inner.ends_with("}")) {
    error("E101", node.spot, "this is an expression as it stands; ${…} is for texts",
          fmt::format("write \"{}\"", inner.substr(2, inner.size() - 3)));
    return std::nullopt;
  }
  auto compiled_one = compiled<expr::Expression>(node, source, scope, guard);
  if (compiled_one) check_calls(node, *compiled_one);
  return compiled_one;
}

std::optional<expr::Expression> Context::condition(const Node& node, const NameScope& scope, Guard guard) {
  auto result = expression(node, scope, guard);
  if (result && result->type() != expr::Type::boolean && result->type() != expr::Type::any &&
      result->type() != expr::Type::none) {
    error("E104", node.spot,
          fmt::format("a condition must be true or false; this is {}", expr::described(result->type())),
          "compare it: x == 'text', x > 3, has(x)");
    return std::nullopt;
  }
  return result;
}

std::optional<expr::Template> Context::text(const Node& node, const NameScope& scope, Guard guard) {
  std::string source = node.text;
  if (node.is(Node::Kind::integer)) source = std::to_string(node.number);
  if (node.is(Node::Kind::boolean)) source = node.flag ? "true" : "false";
  auto result = compiled<expr::Template>(node, source, scope, guard);
  if (result) {
    for (const expr::Expression& one : result->expressions()) check_calls(node, one);
  }
  return result;
}

// open('rule', k…), context('name', k…) and their like: the names must exist and the keys fit, which is known at the end.
void Context::check_calls(const Node& node, const expr::Expression& expression) {
  for (const expr::Call& call : expression.calls()) {
    if (call.function > kFunctionCollectedCount) continue;
    const bool is_open = call.function == kFunctionOpen;
    const bool collecting = call.function == kFunctionCollected || call.function == kFunctionCollectedCount;
    const std::string* name =
        !call.arguments.empty() && call.arguments[0] ? call.arguments[0]->text() : nullptr;
    const auto at = expression.text().empty() ? std::string::npos : node.text.find(expression.text());
    const auto base = at == std::string::npos ? 0 : static_cast<std::uint32_t>(at);
    const Spot spot = sources.inside(node, base + call.offset, static_cast<std::uint32_t>(call.name.size()));
    if (!name) {
      error(is_open ? "E013" : "E037", spot,
            fmt::format("the name in {}() must be a text that stands there", call.name),
            fmt::format("write {}('…')", call.name));
      continue;
    }
    const std::size_t given = call.arguments.size() - 1;
    later.push_back([this, spot, is_open, collecting, given, id = *name] {
      if (is_open) {
        if (!find(rules, "E013", "rule", id, spot)) return;
        const auto keys = rule_keys.find(id);
        if (keys == rule_keys.end() || keys->second == given) return;
        error("E013", spot,
              fmt::format("rule `{}` has {}, but open() is asked with {}", id,
                          counted(keys->second, "key element"), given),
              "give one value for each element of the rule's key");
        return;
      }
      if (!known_context(id, collecting, spot)) return;
      const std::size_t keys = contexts.find(id)->second.keys;
      if (keys == given) return;
      error("E037", spot,
            fmt::format("context `{}` is set with {}, but asked with {}", id, counted(keys, "key element"), given),
            "give one value for each element of its key");
    });
  }
}

bool Context::known_context(const std::string& name, bool collecting, const Spot& spot) {
  const auto found = contexts.find(name);
  if (found != contexts.end() && (found->second.collects || !collecting)) return true;
  std::vector<std::string> known;
  for (const auto& [one, info] : contexts) {
    if (info.collects || !collecting) known.push_back(one);
  }
  error("E037", spot, fmt::format("no rule {} a context `{}`", collecting ? "collects in" : "sets", name), did_you_mean(name, known));
  return false;
}

bool Context::one_of(const Node& text, std::initializer_list<std::string_view> choices) {
  if (std::find(choices.begin(), choices.end(), text.text) != choices.end()) return true;
  std::vector<std::string> names(choices.begin(), choices.end());
  std::string all;
  for (const std::string& name : names) all += fmt::format("{}\"{}\"", all.empty() ? "" : ", ", name);
  const std::string meant = closest(text.text, names);
  error("E022", text.spot, fmt::format("\"{}\" is not possible here", text.text),
        meant.empty() ? "write one of " + all
                      : fmt::format("did you mean \"{}\"? Possible are {}", meant, all));
  return false;
}

std::optional<std::uint32_t> Context::find(const Index& index, std::string_view code, std::string_view kind,
                                           std::string_view name, const Spot& spot) {
  const auto found = index.find(name);
  if (found != index.end()) return found->second;
  const auto switched = off.find(fmt::format("{} {}", kind, name));
  if (switched != off.end()) {
    error(code, spot,
          fmt::format("{} `{}` is switched off by the override at {}", kind, name, switched->second),
          "take the override or this use away");
  } else {
    error(code, spot, fmt::format("there is no {} `{}`", kind, name), did_you_mean(name, names_of(index)));
  }
  return std::nullopt;
}

std::string did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
  const std::string meant = closest(name, candidates);
  if (!meant.empty()) return fmt::format("did you mean `{}`?", meant);
  if (candidates.empty()) return "none is defined";
  if (candidates.size() > 12) return {};
  std::string all;
  for (const std::string& one : candidates) all += (all.empty() ? "" : ", ") + one;
  return "there are: " + all;
}

std::vector<std::string> names_of(const Index& index) {
  std::vector<std::string> names;
  for (const auto& [name, unused] : index) {
    if (!name.starts_with('\x01')) names.push_back(name);  // definitions without a name of their own
  }
  return names;
}

}  // namespace correlator::rules
