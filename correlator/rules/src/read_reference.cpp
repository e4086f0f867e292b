// SPDX-License-Identifier: Apache-2.0
// Event references, and the fields that the events they mean have.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "readers.h"

namespace correlator::rules {
namespace {

std::string text_literal(std::string_view text) {
  std::string out = "'";
  for (char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\'' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + "'";
}

// One equality of a `where` table as expression text.
std::string equality(const Entry& entry, const expr::Symbol* symbol) {
  const Node& value = entry.value;
  std::string right;
  if (value.is(Node::Kind::integer)) {
    right = std::to_string(value.number);
  } else if (value.is(Node::Kind::boolean)) {
    right = value.flag ? "true" : "false";
  } else if (value.text.starts_with("${") && value.text.ends_with("}")) {
    right = fmt::format("({})", std::string_view(value.text).substr(2, value.text.size() - 3));
  } else {
    const bool number = symbol && symbol->type == expr::Type::integer;
    const bool plain =
        number && (value.text.starts_with("0x") ? parse_hex(value.text) : parse_uint(value.text)).has_value();
    right = plain ? value.text : text_literal(value.text);
  }
  return fmt::format("{} == {}", entry.key, right);
}

std::optional<expr::Expression> equalities(Context& context, const Node& table, const NameScope& scope) {
  Node joined = table;
  joined.kind = Node::Kind::text;
  for (const Entry& entry : table.entries) {
    const expr::Symbol* symbol = scope.find(entry.key);
    if (!symbol && !scope.lenient) {
      std::vector<std::string> names;
      for (const auto& [name, unused] : scope.symbols()) names.push_back(name);
      context.error("E012", entry.spot, fmt::format("there is no field `{}` here", entry.key),
                    did_you_mean(entry.key, names));
    }
    if (!symbol) return std::nullopt;
    if (!accepts(Shape::expression, entry.value)) {
      context.error("E004", entry.value.spot, fmt::format("a field cannot equal {}", described(entry.value)),
                    "write text, a number, true or false; or a condition: where = \"x in ['a', 'b']\"");
      return std::nullopt;
    }
    joined.text += (joined.text.empty() ? "" : " and ") + equality(entry, symbol);
  }
  if (table.entries.empty()) {
    context.error("E030", table.spot, "the table of equalities is empty",
                  "write { severity = \"fatal\" }, or take `where` away");
    return std::nullopt;
  }
  return context.condition(joined, scope, Guard::none);
}

void add_classes(Context& context, const Node& node, EventRef& out) {
  for (ClassId id : resolve_classes(context, node)) out.classes.add(id);
  out.text += (out.text.empty() ? "" : ", ") + node.text;
}

}  // namespace

std::vector<ClassId> class_list(const std::vector<EventRef>& references) {
  std::vector<ClassId> out;
  for (const EventRef& reference : references) {
    for (ClassId id : reference.classes.ids()) {
      if (std::find(out.begin(), out.end(), id) == out.end()) out.push_back(id);
    }
  }
  return out;
}

void add_fields(const Context& context, NameScope& scope, const std::vector<ClassId>& classes) {
  using expr::Type;
  scope.field("host", kHost, Type::text, false);
  scope.field("program", kProgram, Type::text, true);
  scope.field("pid", kPid, Type::integer, true);
  scope.field("facility", kFacility, Type::text, true);
  scope.field("level", kLevel, Type::text, true);
  scope.field("text", kText, Type::text, false);
  scope.field("time", kTime, Type::time, false);
  scope.field("caller", kCaller, Type::text, true);
  scope.field("severity", kSeverity, Type::text, false);
  scope.field("part", kPart, Type::text, false);
  scope.field("class", kClass, Type::text, false);
  scope.field("weight", kWeight, Type::integer, false);
  if (classes.empty()) scope.lenient = true;  // the classes are unknown, which is reported
  std::map<std::string, std::pair<expr::Symbol, std::size_t>>
      found;  // and in how many classes it is required
  for (ClassId id : classes) {
    const ClassInfo& info = context.class_info[id];
    if (info.broken) scope.lenient = true;
    for (const auto& [name, spec] : info.fields) {
      const expr::Type type = type_of(spec.first.type);
      auto [at, fresh] = found.try_emplace(
          name, std::pair(expr::Symbol{type, true, slot_of(Space::field, spec.first.field), {}}, 0));
      if (at->second.first.type != type) at->second.first.type = Type::any;
      if (spec.second) ++at->second.second;
    }
  }
  for (auto& [name, entry] : found) {
    auto& [symbol, required] = entry;
    symbol.optional = required < classes.size();
    if (name == "severity" || name == "part") symbol.optional = false;
    scope.add(name, symbol);
  }
}

void add_bound(const Context& context, NameScope& scope, const EventRef& reference, std::uint32_t step) {
  NameScope fields(context);
  add_fields(context, fields, reference.classes.ids());
  for (auto [name, symbol] : fields.symbols()) {
    symbol.slot = slot_of(Space::bound, step << 16 | index_of(symbol.slot));
    scope.add(reference.as + "." + name, symbol);
  }
  if (fields.lenient) scope.lenient = true;
}

std::optional<EventRef> read_reference(Context& context, const Node& node, const ReferenceScope& outer) {
  EventRef out;
  if (node.is(Node::Kind::text)) {
    add_classes(context, node, out);
    return out.classes.ids().empty() ? std::nullopt : std::optional(std::move(out));
  }
  for (const Node* on : {node.get("on")}) {
    if (!on || !accepts(Shape::texts, *on)) continue;
    if (on->is(Node::Kind::text)) add_classes(context, *on, out);
    for (const Node& one : on->items) add_classes(context, one, out);
  }
  if (const Node* as = node.get("as"); as && as->is(Node::Kind::text)) {
    if (check_name(context, as->text, as->spot, "step")) out.as = as->text;
  }
  NameScope scope = outer.outer ? *outer.outer : NameScope(context);
  add_fields(context, scope, out.classes.ids());
  if (const Node* where = node.get("where")) {
    if (where->is(Node::Kind::table)) {
      out.where = equalities(context, *where, scope);
    } else if (accepts(Shape::expression, *where)) {
      out.where = context.condition(*where, scope, outer.guard);
      if (where->is(Node::Kind::text)) out.text += " where " + where->text;
    } else {
      context.error(
          "E004", where->spot,
          fmt::format("`where` must be a condition or a table of equalities, not {}", described(*where)),
          "write where = \"severity == 'fatal'\" or { severity = \"fatal\" }");
    }
  }
  return out.classes.ids().empty() ? std::nullopt : std::optional(std::move(out));
}

std::vector<EventRef> read_references(Context& context, const Node& node) {
  std::vector<EventRef> out;
  const auto add = [&](const Node& one) {
    if (one.is(Node::Kind::table)) {
      Table table(context, one, kReferenceSpec);
      table.no_effect("as", "no later step could use the name", "`as` names a step of a sequence");
    }
    if (auto reference = read_reference(context, one)) out.push_back(std::move(*reference));
  };
  if (node.is(Node::Kind::list)) {
    if (node.items.empty())
      context.error("E030", node.spot, "the list of events is empty", "write at least one class");
    for (const Node& item : node.items) add(item);
  } else {
    add(node);
  }
  return out;
}

}  // namespace correlator::rules
