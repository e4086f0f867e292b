// SPDX-License-Identifier: Apache-2.0
// Which class an event is, and whether it keeps what its classes promise.
#include <fmt/format.h>

#include <algorithm>

#include "read_event.h"

namespace correlator::rules {
namespace {

void add_class(EventParts& parts, ClassId id) {
  if (std::find(parts.classes.begin(), parts.classes.end(), id) == parts.classes.end())
    parts.classes.push_back(id);
}

expr::Type type_of(const Let& let) {
  return let.value.type() == expr::Type::any ? expr::Type::any : rules::type_of(let.type);
}

// What the event sets under a name: a let, an arm's field, or a capture.
std::optional<expr::Type> given(const Context& context, const EventParts& parts, const ClassArm* arm,
                                const std::string& name) {
  const FieldId id = context.find_field(name);
  if (arm) {
    for (const Let& let : arm->fields) {
      if (let.field == id) return type_of(let);
    }
  }
  for (const Let& let : parts.def.lets) {
    if (let.field == id) return type_of(let);
  }
  const auto capture = parts.captures.find(name);
  if (capture == parts.captures.end()) return std::nullopt;
  return capture->second.many ? expr::Type::list : rules::type_of(capture->second.type);
}

void check_class(Context& context, const Spot& spot, const EventParts& parts, ClassId id,
                 const ClassArm* arm) {
  const ClassDef& def = context.set.classes[id];
  for (const auto& [name, spec] : context.class_info[id].fields) {
    const auto [field, required] = spec;
    const auto have = given(context, parts, arm, name);
    const bool builtin = field.field == kPart || field.field == kPid || field.field == kLevel;
    if (!have && required && !builtin) {
      context.error(
          "E019", spot, fmt::format("the event does not set `{}`, which class `{}` requires", name, def.name),
          name == "severity"
              ? "write let = { severity = \"'corrected'\" }"
              : fmt::format("capture it as (?<{0}>…), or compute it: let = {{ {0} = \"…\" }}", name));
    } else if (have && !fits(*have, field.type)) {
      context.error("E020", spot,
                    fmt::format("`{}` is {} here and {} in class `{}`", name, expr::type_name(*have),
                                to_string(field.type), def.name),
                    fmt::format("write types = {{ {} = \"{}\" }}", name, to_string(field.type)));
    }
  }
}

}  // namespace

void possible_classes(Context& context, const Table& table, EventParts& parts) {
  const Node* node = table.get("class");
  if (!node) return;
  if (node->is(Node::Kind::text)) {
    const auto names = possible_template_texts(node->text, parts.let_texts, context);
    if (!names) {
      context.error("E021", node->spot, "it cannot be told which classes this can give",
                    "use \"${map(x)}\" with a [map.NAME], \"${c ? 'a' : 'b'}\", or [[event.class]] tables "
                    "with is and if");
      return;
    }
    for (const std::string& name : *names) {
      if (const auto id = context.find(context.classes, "E011", "class", name, node->spot))
        add_class(parts, *id);
    }
  } else if (node->is(Node::Kind::list) && node->tables && !node->items.empty()) {
    for (const Node& item : node->items) {
      const Node* is = item.get("is");
      if (!is || !is->is(Node::Kind::text)) continue;
      if (const auto id = context.find(context.classes, "E011", "class", is->text, is->spot))
        add_class(parts, *id);
    }
  } else {
    context.error("E004", node->spot,
                  fmt::format("`class` must be text or [[event.class]] tables, not {}", described(*node)),
                  "write class = \"memory.corrected\"");
  }
}

void read_class_of(Context& context, const Table& table, EventParts& parts) {
  const Node* node = table.get("class");
  if (!node) return;
  if (node->is(Node::Kind::text)) {
    const auto plain = context.classes.find(node->text);
    if (plain != context.classes.end()) {
      parts.def.class_of = std::vector<ClassArm>{{plain->second, std::nullopt, {}}};
    } else if (!parts.classes.empty()) {
      if (auto compiled = context.text(*node, *parts.scope, Guard::none))
        parts.def.class_of = std::move(*compiled);
    }
    return;
  }
  if (!node->is(Node::Kind::list)) return;
  std::vector<ClassArm> arms;
  for (std::size_t i = 0; i < node->items.size(); ++i) {
    if (!node->items[i].is(Node::Kind::table)) continue;
    const Table one(context, node->items[i], kArmSpec);
    ClassArm arm;
    const auto id = context.classes.find(one.text("is"));
    if (const Node* condition = one.get("if")) {
      arm.condition = context.condition(*condition, *parts.scope, Guard::none);
    } else if (i + 1 < node->items.size() && !one.written("if")) {
      context.error("E007", node->items[i + 1].spot,
                    "this arm cannot take effect: the one above has no `if` and always holds",
                    "move the arm without `if` to the end");
    }
    if (const Node* fields = one.get("fields")) {
      NameScope scope = *parts.scope;
      arm.fields = read_lets(context, *fields, {scope, Guard::none},
                             [&](const std::string& name) -> std::optional<FieldType> {
                               if (id == context.classes.end()) return std::nullopt;
                               const auto found = context.class_info[id->second].fields.find(name);
                               return found == context.class_info[id->second].fields.end()
                                          ? std::nullopt
                                          : std::optional(found->second.first.type);
                             });
      if (scope.lenient) parts.scope->lenient = true;
    }
    if (id == context.classes.end()) continue;
    arm.is = id->second;
    arms.push_back(std::move(arm));
  }
  parts.def.class_of = std::move(arms);
}

void check_contract(Context& context, const Table& table, const EventParts& parts) {
  if (parts.broken || parts.scope->lenient) return;
  const Node* node = table.get("class");
  const Spot spot = node && node->is(Node::Kind::text) ? node->spot : table.node().spot;
  if (const auto* arms = std::get_if<std::vector<ClassArm>>(&parts.def.class_of)) {
    for (const ClassArm& arm : *arms) check_class(context, spot, parts, arm.is, &arm);
    return;
  }
  for (ClassId id : parts.classes) check_class(context, spot, parts, id, nullptr);
}

std::optional<ClassId> read_inline_event(Context& context, Table& rule, const std::string& id) {
  EventParts parts;
  parts.def.id = id;
  parts.def.index = static_cast<std::uint32_t>(context.set.events.size());
  parts.def.inline_match = true;
  parts.def.place = context.sources.place(rule.spot("match"));
  read_from(context, rule, parts);
  for (const Node* node : rule.list("match")) {
    if (!node->is(Node::Kind::table)) continue;
    if (const Node* also = node->get("also")) {
      context.error("E007", also->spot, "`also` cannot take effect: the line is of no record",
                    "take it away");
    }
  }
  read_lines(context, rule, nullptr, parts);
  read_types(context, rule, parts);
  ClassDef def;
  ClassInfo info;
  def.name = "rule:" + id;
  def.key = {kHost};
  def.place = parts.def.place;
  info.broken = parts.broken;
  for (const auto& [name, capture] : parts.captures) {
    const FieldSpec spec{context.field(name), capture.type};
    info.fields.emplace(name, std::pair(spec, !capture.optional));
    (capture.optional ? def.may : def.required).push_back(spec);
  }
  const auto cls = static_cast<ClassId>(context.set.classes.size());
  context.set.classes.push_back(std::move(def));
  context.class_info.push_back(std::move(info));
  parts.def.class_of = std::vector<ClassArm>{{cls, std::nullopt, {}}};
  context.set.events.push_back(std::move(parts.def));
  return cls;
}

}  // namespace correlator::rules
