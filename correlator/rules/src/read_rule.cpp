// SPDX-License-Identifier: Apache-2.0
// [[rule]]: which events, conditions, key, and what else is not operation or response.
#include <fmt/format.h>

#include <algorithm>

#include "read_event.h"
#include "readers.h"

namespace correlator::rules {
namespace {

constexpr std::string_view kOperations[] = {"count",   "rate",  "distinct", "streak",  "sequence",
                                            "absence", "group", "level",    "schedule"};
constexpr std::string_view kWithoutOn[] = {"sequence", "absence", "group", "schedule"};

std::string_view operation_key(const Table& table) {
  for (std::string_view name : kOperations) {
    if (table.written(name)) return name;
  }
  return {};
}

void read_on(Context& context, Table& table, RuleParts& parts) {
  const std::string_view operation = operation_key(table);
  const bool own = std::find(std::begin(kWithoutOn), std::end(kWithoutOn), operation) != std::end(kWithoutOn);
  if (own) {
    const std::string why = fmt::format("`{}` says itself which events", operation);
    table.no_effect("on", operation == "schedule" ? "a schedule waits for no event" : why, "take it away");
    table.no_effect("match", operation == "schedule" ? "a schedule waits for no event" : why,
                    "make it an [[event]]");
  } else if (table.written("match")) {
    table.no_effect("on", "the rule has a `match` of its own", "keep one of the two");
    if (const auto id =
            table.get("match") ? read_inline_event(context, table, parts.rule.id) : std::nullopt) {
      EventRef reference;
      reference.classes.add(*id);
      reference.text = "match";
      parts.rule.on.push_back(std::move(reference));
    }
  } else if (const Node* on = table.get("on")) {
    parts.rule.on = read_references(context, *on);
  } else if (!table.written("on")) {
    context.error("E005", table.node().spot, "[[rule]] needs `on`",
                  "write on = \"memory.corrected\", or match = '…' for a pattern of its own");
  }
  if (!table.written("match")) {
    for (std::string_view key : {"from", "types"})
      table.no_effect(key, "there is no `match`", "it belongs to [[event]]");
  }
  parts.classes = class_list(parts.rule.on);
}

std::string key_name(const std::string& text) {
  const auto names = identifiers(text);
  return names.empty() ? text : names.front();
}

// The key that all classes have by default.
void default_key(Context& context, const Table& table, RuleParts& parts) {
  if (parts.classes.empty()) return;
  const std::vector<FieldId>& key = context.set.classes[parts.classes.front()].key;
  for (ClassId id : parts.classes) {
    if (context.class_info[id].broken || context.set.classes[id].key.empty()) return;
    if (context.set.classes[id].key == key) continue;
    context.error("E031", table.node().spot,
                  fmt::format("the classes `{}` and `{}` have different keys",
                              context.set.classes[parts.classes.front()].name, context.set.classes[id].name),
                  "say which one is meant: key = [\"host\"]");
    return;
  }
  for (FieldId field : key) {
    const std::string& name = context.set.fields[field];
    auto compiled = expr::Expression::compile(name, parts.scope);
    if (!compiled) continue;
    parts.rule.key.push_back(std::move(compiled).value());
    parts.rule.key_names.push_back(name);
  }
}

void read_key(Context& context, Table& table, RuleParts& parts) {
  if (operation_key(table) == "schedule") {
    table.no_effect("key", "a schedule has no events", "take it away");
    return;
  }
  if (!table.written("key")) {
    default_key(context, table, parts);
    return;
  }
  const Node* key = table.get("key");
  if (key && key->is(Node::Kind::list) && key->items.empty()) {
    context.error("E030", key->spot, "the key is empty: everything would be one window",
                  "write key = [\"host\"], or key = [\"'all'\"] if that is meant");
  }
  for (const Node* one : table.list("key")) {
    auto compiled = context.expression(*one, parts.scope, Guard::required);
    if (!compiled) {
      parts.broken = true;
      continue;
    }
    std::string name = key_name(one->text);
    if (std::count(parts.rule.key_names.begin(), parts.rule.key_names.end(), name) > 0) {
      context.error("E006", one->spot, fmt::format("the key has `{}` twice", name),
                    "take one away, or compute it under another name in `let`");
    }
    parts.rule.key.push_back(std::move(*compiled));
    parts.rule.key_names.push_back(std::move(name));
  }
}

void read_lets_and_where(Context& context, Table& table, RuleParts& parts) {
  if (operation_key(table) == "schedule") {
    table.no_effect("where", "a schedule has no events", "use `if` in a step");
    table.no_effect("let", "a schedule has no events", "write the expression where it is used");
    return;
  }
  if (const Node* let = table.get("let")) {
    for (const Entry& entry : let->entries) {
      const expr::Symbol* known = parts.scope.find(entry.key);
      if (known)
        context.error("E038", entry.spot, fmt::format("`{}` is a field of the event already", entry.key),
                      "give the computed value another name");
    }
    parts.rule.lets = read_lets(context, *let, {parts.scope, Guard::none},
                                [](const std::string&) { return std::optional<FieldType>(); });
  }
  if (const Node* where = table.get("where")) {
    parts.rule.where = context.condition(*where, parts.scope, Guard::required);
    if (parts.rule.where) {
      for (const std::string& name : asked_for(parts.rule.where->text())) parts.scope.present(name);
    }
  }
}

void read_causes_of(Context& context, Table& table, RuleParts& parts) {
  if (operation_key(table) == "schedule") {
    table.no_effect("ignore", "a schedule counts no events", "use `unless`");
    table.no_effect("hold", "a schedule counts no events", "take it away");
  }
  if (const Node* node = table.get("ignore"))
    parts.rule.ignore = read_causes(context, *node, parts.scope, parts.classes);
  if (const Node* node = table.get("unless"))
    parts.rule.unless = read_causes(context, *node, parts.then, parts.classes);
  parts.rule.hold = table.duration("hold").value_or(Duration{});
}

void read_one(Context& context, const Document& document, const Named& named) {
  const Node node = with_template(context, document, named);
  Table table(context, node, kRuleSpec);
  RuleParts parts{{}, {}, NameScope(context), NameScope(context), false, table.bad()};
  Rule& rule = parts.rule;
  rule.id = table.text("id");
  rule.index = static_cast<std::uint32_t>(context.set.rules.size());
  rule.title = table.text("title");
  rule.place = context.sources.place(named.node.spot);
  if (const Node* urgency = table.get("urgency");
      urgency && context.one_of(*urgency, {"notice", "warning", "critical"})) {
    rule.urgency = urgency->text == "notice"     ? Urgency::notice
                   : urgency->text == "critical" ? Urgency::critical
                                                 : Urgency::warning;
  }
  rule.max_keys = static_cast<std::uint32_t>(table.integer("max_keys", 1, 1'000'000).value_or(rule.max_keys));
  std::string_view first;
  for (std::string_view name : kOperations) {
    if (!table.written(name)) continue;
    if (first.empty()) {
      first = name;
    } else {
      table.no_effect(name, fmt::format("the rule has `{}` already", first),
                      "write a rule for each; `emit` and `open('…')` connect them");
    }
  }
  read_on(context, table, parts);
  read_operation(context, table, parts);
  read_response(context, table, parts);
  rule.tests = read_tests(context, table);
  if (!parts.broken && !parts.scope.lenient) context.rule_keys[rule.id] = rule.key.size();
  context.set.rules.push_back(std::move(parts.rule));
}

}  // namespace

// Called by read_operation between the references of the operation and what uses the key.
void read_conditions(Context& context, Table& table, RuleParts& parts) {
  if (operation_key(table) != "schedule") add_fields(context, parts.scope, parts.classes);
  if (parts.broken) parts.scope.lenient = true;
  read_lets_and_where(context, table, parts);
  read_key(context, table, parts);
  parts.then = parts.scope;
  read_causes_of(context, table, parts);
}

void read_rules(Context& context, const Document& document) {
  for (const Named& one : document.rules)
    context.rules.emplace(one.name, static_cast<std::uint32_t>(context.rules.size()));
  for (const Named& one : document.templates) {
    const Table table(context, one.node, kRuleSpec, Table::Missing::allowed);
    if (const Entry* id = one.node.find("id")) {
      context.error("E007", id->spot, "`id` cannot take effect: each rule has its own",
                    "take it out of the template");
    }
  }
  for (const Named& one : document.rules) read_one(context, document, one);
}

}  // namespace correlator::rules
