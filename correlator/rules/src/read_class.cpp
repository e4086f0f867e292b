// SPDX-License-Identifier: Apache-2.0
// Classes, the names that stand for several of them, and same-error groups.
#include <fmt/format.h>

#include <algorithm>

#include "readers.h"

namespace correlator::rules {
namespace {

void read_fields(Context& context, const Node& table, bool required, ClassDef& def, ClassInfo& info) {
  for (const Entry& entry : table.entries) {
    if (!check_name(context, entry.key, entry.spot, "field")) {
      info.broken = true;
      continue;
    }
    const auto type = entry.value.is(Node::Kind::text) ? parse_field_type(entry.value.text) : std::nullopt;
    if (!type) {
      context.error("E020", entry.value.spot,
                    entry.value.is(Node::Kind::text)
                        ? fmt::format("there is no field type \"{}\"", entry.value.text)
                        : fmt::format("a field type is text, not {}", described(entry.value)),
                    "the types are: text, int, hex, bool, duration, time, list, gauge");
      info.broken = true;
      continue;
    }
    const FieldSpec spec{context.field(entry.key), *type};
    const bool builtin = spec.field < kBuiltinFields && spec.field != kSeverity && spec.field != kPart &&
                         spec.field != kPid && spec.field != kLevel;
    if (builtin) {
      context.error("E038", entry.spot, fmt::format("every event has `{}` already", entry.key),
                    "take it away here, or give the field another name");
      continue;
    }
    if (!info.fields.emplace(entry.key, std::pair(spec, required)).second) {
      context.error("E006", entry.spot, fmt::format("field `{}` is both required and optional", entry.key),
                    "take it out of `may`");
      continue;
    }
    (required ? def.required : def.may).push_back(spec);
  }
}

bool is_builtin(std::string_view name, const Context& context) {
  const FieldId id = context.find_field(name);
  return id != kNoField && id < kBuiltinFields;
}

}  // namespace

void read_classes(Context& context, const Document& document) {
  for (const Named& one : document.classes) {
    const Table table(context, one.node, kClassSpec);
    ClassDef def;
    ClassInfo info;
    info.broken = table.bad();
    def.name = one.name;
    def.place = context.sources.place(one.spot);
    if (one.name.empty() || one.name.find_first_of("* ${}") != std::string::npos) {
      context.error("E034", one.spot, fmt::format("`{}` cannot be the name of a class", one.name),
                    "use letters, digits, dots and dashes: \"memory.corrected\"");
    }
    def.counts = table.flag("counts", true);
    if (const Node* node = table.get("requires")) read_fields(context, *node, true, def, info);
    if (const Node* node = table.get("may")) read_fields(context, *node, false, def, info);
    for (const Node* key : table.list("key")) {
      if (info.fields.contains(key->text) || is_builtin(key->text, context)) {
        def.key.push_back(context.field(key->text));
      } else if (!info.broken) {
        std::vector<std::string> names{"host"};
        for (const auto& [name, unused] : info.fields) names.push_back(name);
        context.error("E012", key->spot, fmt::format("class `{}` has no field `{}`", one.name, key->text),
                      did_you_mean(key->text, names));
      }
    }
    if (const Node* key = table.get("key"); key && key->is(Node::Kind::list) && key->items.empty()) {
      context.error("E030", key->spot, "the key is empty", "write key = [\"host\"]");
    }
    context.classes.emplace(one.name, static_cast<std::uint32_t>(context.set.classes.size()));
    context.set.classes.push_back(std::move(def));
    context.class_info.push_back(std::move(info));
  }
  for (const Named& one : document.any_of) {
    context.any_of.emplace(one.name, one);
    if (context.classes.contains(one.name)) {
      context.error("E006", one.spot, fmt::format("`{}` is a class and a name in [any_of]", one.name),
                    "rename it in [any_of]");
    }
  }
  for (const Named& one : document.any_of) {
    if (!accepts(Shape::texts, one.node)) {
      context.error("E004", one.node.spot,
                    fmt::format("a name in [any_of] must be a list of classes, not {}", described(one.node)),
                    "write [\"memory.uncorrected\", \"pcie.*\"]");
      context.broken.insert("any_of " + one.name);
    } else if (one.node.is(Node::Kind::list)) {
      for (const Node& item : one.node.items) {
        if (item.text == one.name || context.any_of.contains(item.text)) {
          context.error("E033", item.spot, fmt::format("`{}` is itself a name in [any_of]", item.text),
                        "list the classes here");
          context.broken.insert("any_of " + one.name);
        } else if (resolve_classes(context, item).empty()) {
          context.broken.insert("any_of " + one.name);
        }
      }
    }
  }
}

std::vector<ClassId> resolve_classes(Context& context, const Node& text) {
  std::vector<ClassId> out;
  if (const auto exact = context.classes.find(text.text); exact != context.classes.end())
    return {exact->second};
  if (const auto named = context.any_of.find(text.text); named != context.any_of.end()) {
    if (context.broken.contains("any_of " + text.text)) return out;
    const Node& list = named->second.node;
    for (const Node& item : list.is(Node::Kind::list) ? list.items : std::vector<Node>{list}) {
      for (ClassId id : resolve_classes(context, item)) out.push_back(id);
    }
    return out;
  }
  if (text.text.find('*') != std::string::npos) {
    for (const auto& [name, id] : context.classes) {
      if (glob_matches(text.text, name)) out.push_back(id);
    }
    if (out.empty()) {
      context.error("E033", text.spot, fmt::format("no class matches \"{}\"", text.text),
                    did_you_mean(text.text, names_of(context.classes)));
    }
    return out;
  }
  std::vector<std::string> names = names_of(context.classes);
  for (const auto& [name, unused] : context.any_of) names.push_back(name);
  context.error("E011", text.spot, fmt::format("there is no class `{}`", text.text),
                did_you_mean(text.text, names));
  return out;
}

FieldId class_field(Context& context, const Node& name, const std::vector<ClassId>& classes) {
  if (is_builtin(name.text, context)) return context.field(name.text);
  std::vector<std::string> known{"host", "severity", "part"};
  for (ClassId id : classes) {
    const ClassInfo& info = context.class_info[id];
    if (info.broken || info.fields.contains(name.text)) return context.field(name.text);
    for (const auto& [field, unused] : info.fields) known.push_back(field);
  }
  if (classes.empty()) return context.field(name.text);  // the classes are unknown, which is reported
  context.error("E012", name.spot, fmt::format("there is no field `{}` here", name.text),
                did_you_mean(name.text, known));
  return kNoField;
}

void read_same_errors(Context& context, const Document& document) {
  for (const Named& one : document.same_errors) {
    const Table table(context, one.node, kSameErrorSpec);
    SameError group;
    group.name = one.name;
    group.place = context.sources.place(one.spot);
    group.within = table.duration("within").value_or(Duration{});
    for (const Node* node : table.list("classes")) {
      for (ClassId id : resolve_classes(context, *node)) group.classes.push_back(id);
    }
    for (const Node* node : table.list("key")) {
      const FieldId id = class_field(context, *node, group.classes);
      if (id != kNoField) group.key.push_back(id);
    }
    for (const Node* node : table.list("channels")) {
      group.channels.push_back(node->text);
      if (!context.channels.contains(node->text)) {
        context.error("E017", node->spot, fmt::format("no event has the channel `{}`", node->text),
                      did_you_mean(node->text, names_of(context.channels)));
      }
    }
    context.set.same_errors.push_back(std::move(group));
  }
}

}  // namespace correlator::rules
