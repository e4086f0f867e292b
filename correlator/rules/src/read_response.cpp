// SPDX-License-Identifier: Apache-2.0
// What a firing does beside its steps: clear, cooldown, emit, contexts; and the identity of a rule's state.
#include <fmt/format.h>

#include <algorithm>
#include <variant>

#include "base/hash.h"
#include "readers.h"

namespace correlator::rules {
namespace {

// An end that comes by itself, and whether each event puts it off.
void read_lasts(Table& one, Clear& clear, const Operation& operation) {
  if (!one.written("lasts")) one.no_effect("renewed", "there is no `lasts`", "write lasts = \"1h\"");
  const auto* count = std::get_if<Count>(&operation);
  if (count != nullptr && count->tumbling) one.no_effect("lasts", "the case of a bucket ends with it", "take it away, or window = \"tumbling\"");
  const auto lasts = one.duration("lasts");
  if (!lasts) return;
  clear.kind = Clear::Kind::lasts;
  clear.lasts = *lasts;
  clear.renewed = one.flag("renewed", false);
}

void read_clear(Context& context, Table& table, RuleParts& parts) {
  const Node* node = table.get("clear");
  if (!node) return;
  const Operation& operation = parts.rule.operation;
  if (table.written("rate")) {
    table.no_effect("clear", "`rate` has its own", "write it inside of rate = { raise, clear }");
  } else if (table.written("schedule")) {
    table.no_effect("clear", "a schedule opens no case", "take it away");
  } else if (const auto* count = std::get_if<Count>(&operation); count && count->rearm_at_once) {
    table.no_effect("clear", "with rearm = \"at-once\" no case stays open", "keep one of the two");
  }
  Clear& clear = parts.rule.clear;
  if (node->is(Node::Kind::text)) {
    if (node->text == "manual") {
      clear.kind = Clear::Kind::manual;
    } else {
      context.error("E022", node->spot, fmt::format("\"{}\" is not possible here", node->text),
                    parse_duration(node->text)
                        ? fmt::format("write clear = {{ quiet_for = \"{}\" }}", node->text)
                        : "write \"manual\", { quiet_for = \"72h\" }, { event = … }, { level = \"…\" } or { lasts = \"1h\" }");
    }
    return;
  }
  Table one(context, *node, kClearSpec);
  const auto written = [&](std::string_view key) { return static_cast<int>(one.written(key)); };
  const int ways = written("quiet_for") + written("event") + written("level");
  if (!one.bad() && (ways > 1 || ways + written("lasts") == 0 || (one.written("quiet_for") && one.written("lasts")))) {
    context.error("E007", node->spot,
                  node->entries.empty() ? "`clear` says nothing" : "a case is closed in one way",
                  "write one of quiet_for, event, level, lasts; lasts may stand beside event or level");
    return;
  }
  read_lasts(one, clear, operation);
  if (const auto quiet = one.duration("quiet_for")) {
    clear.kind = Clear::Kind::quiet_for;
    clear.quiet_for = *quiet;
  } else if (const Node* event = one.get("event")) {
    clear.kind = Clear::Kind::event;
    if (event->is(Node::Kind::table))
      Table(context, *event, kReferenceSpec).no_effect("as", "no later step could use the name");
    clear.event = read_reference(context, *event);
  } else if (const Node* level = one.get("level")) {
    clear.kind = Clear::Kind::level;
    clear.level = context.condition(*level, parts.scope, Guard::none);
  }
}

void check_latch(Table& table, RuleParts& parts) {
  const bool clears = table.written("clear");
  parts.latch = parts.latch || clears;
  if (parts.latch) {
    table.no_effect("cooldown",
                    "the case stays open after a decision, and nothing is decided until it is closed",
                    "say in `clear` when that is");
  } else {
    table.no_effect("then_clear", "the rule opens no case that could be closed",
                    "write clear = { quiet_for = \"1h\" }");
  }
  if (parts.rule.clear.lasts.us == 0)
    table.no_effect("then_over", "no case of the rule ends by itself", "write clear = { lasts = \"1h\" }");
}

// What is known when no event is at hand: the fields that the key consists of.
NameScope key_scope(const Context& context, const RuleParts& parts) {
  NameScope scope(context);
  scope.lenient = parts.then.lenient;
  for (const expr::Expression& key : parts.rule.key) {
    if (const expr::Symbol* symbol = parts.then.find(key.text())) scope.add(key.text(), *symbol);
  }
  return scope;
}

// What is known when a case closes. Where each event decides, it is the case of one event, whose fields are kept with it.
NameScope case_scope(const Context& context, const RuleParts& parts) {
  return std::holds_alternative<Each>(parts.rule.operation) ? parts.then : key_scope(context, parts);
}

void read_emit(Context& context, const Node& node, RuleParts& parts) {
  const Table table(context, node, kEmitSpec);
  const Node* cls = table.get("class");
  if (!cls) return;
  const auto id = context.find(context.classes, "E011", "class", cls->text, cls->spot);
  if (!id) return;
  Emit emit;
  emit.cls = *id;
  const ClassInfo& info = context.class_info[*id];
  NameScope scope = parts.then;
  if (const Node* fields = table.get("fields")) {
    for (const Entry& entry : fields->entries) {
      const FieldId field = context.find_field(entry.key);
      if (info.broken || info.fields.contains(entry.key) || field == kSeverity || field == kPart) continue;
      std::vector<std::string> names;
      for (const auto& [name, unused] : info.fields) names.push_back(name);
      context.error("E012", entry.spot, fmt::format("class `{}` has no field `{}`", cls->text, entry.key),
                    did_you_mean(entry.key, names));
    }
    // Each value sees the event, not the other fields of the new one.
    for (const Entry& entry : fields->entries) {
      Node single;
      single.entries.push_back(entry);
      NameScope own = parts.then;
      for (Let& let : read_lets(context, single, {own, Guard::required},
                                [&](const std::string& name) -> std::optional<FieldType> {
                                  const auto found = info.fields.find(name);
                                  return found == info.fields.end() ? std::nullopt
                                                                    : std::optional(found->second.first.type);
                                })) {
        emit.fields.push_back(std::move(let));
      }
      if (own.lenient) scope.lenient = true;
    }
  }
  for (const auto& [name, spec] : info.fields) {
    const auto in_key = std::find_if(parts.rule.key.begin(), parts.rule.key.end(),
                                     [&](const expr::Expression& e) { return e.text() == name; });
    const Node* fields = table.get("fields");
    if (fields && fields->find(name)) continue;
    if (in_key != parts.rule.key.end()) {
      emit.fields.push_back({context.find_field(name), *in_key, spec.first.type});
      continue;
    }
    if (!spec.second || name == "part" || parts.broken) continue;
    context.error("E019", cls->spot,
                  fmt::format("emit does not set `{}`, which class `{}` requires", name, cls->text),
                  fmt::format("write fields = {{ {} = \"…\" }}", name));
  }
  parts.rule.emit = std::move(emit);
}

std::vector<expr::Expression> context_key(Context& context, const Table& table, const RuleParts& parts) {
  std::vector<expr::Expression> out;
  if (!table.written("key")) return parts.rule.key;
  for (const Node* node : table.list("key")) {
    if (auto key = context.expression(*node, parts.then, Guard::required)) out.push_back(std::move(*key));
  }
  return out;
}

std::vector<const Node*> one_or_more(const Node& node) {
  std::vector<const Node*> out;
  if (!node.is(Node::Kind::list)) return {&node};
  for (const Node& item : node.items) out.push_back(&item);
  return out;
}

void read_set(Context& context, const Node& node, RuleParts& parts) {
  for (const Node* item : one_or_more(node)) {
    if (!item->is(Node::Kind::table)) {
      context.error("E004", item->spot, fmt::format("`set` must be a table, not {}", described(*item)),
                    "write set = { name = \"draining\", for = \"1h\" }");
      continue;
    }
    Table table(context, *item, kSetSpec);
    SetContext set;
    set.name = table.text("name");
    set.key = context_key(context, table, parts);
    set.lifetime = table.duration("for").value_or(Duration{});
    if (!table.written("for"))
      table.no_effect("at_end", "the context has no end of its own", "write for = \"1h\"");
    if (const Node* steps = table.get("at_end"))
      set.at_end = read_steps(context, *steps, key_scope(context, parts));
    const auto [known, fresh] = context.contexts.try_emplace(set.name, set.key.size(), true);
    if (!fresh && known->second.first != set.key.size()) {
      context.error(
          "E037", table.spot("key"),
          fmt::format("context `{}` is set with another number of key elements elsewhere", set.name),
          "give it the same key everywhere, or another name");
    }
    parts.rule.set.push_back(std::move(set));
  }
}

void read_unset(Context& context, const Node& node, RuleParts& parts) {
  for (const Node* item : one_or_more(node)) {
    UnsetContext unset;
    unset.key = parts.rule.key;
    unset.name = item->text;
    Spot spot = item->spot;
    if (item->is(Node::Kind::table)) {
      const Table table(context, *item, kUnsetSpec);
      unset.name = table.text("name");
      unset.key = context_key(context, table, parts);
      if (const Node* name = table.get("name")) spot = name->spot;
    }
    context.later.push_back([&context, name = unset.name, keys = unset.key.size(), spot] {
      const auto known = context.contexts.find(name);
      std::vector<std::string> names;
      for (const auto& [one, unused] : context.contexts) names.push_back(one);
      if (known == context.contexts.end()) {
        context.error("E037", spot, fmt::format("no rule sets a context `{}`", name),
                      did_you_mean(name, names));
      } else if (known->second.first != keys) {
        context.error("E037", spot,
                      fmt::format("context `{}` is set with another number of key elements", name),
                      "give it the same key");
      }
    });
    parts.rule.unset.push_back(std::move(unset));
  }
}

}  // namespace

void read_response(Context& context, Table& table, RuleParts& parts) {
  read_clear(context, table, parts);
  check_latch(table, parts);
  parts.rule.cooldown = table.duration("cooldown").value_or(Duration{});
  if (const Node* node = table.get("emit")) read_emit(context, *node, parts);
  if (const Node* node = table.get("set")) read_set(context, *node, parts);
  if (const Node* node = table.get("unset")) read_unset(context, *node, parts);
  if (const Node* node = table.get("then")) parts.rule.then = read_steps(context, *node, parts.then);
  if (const Node* node = table.get("then_clear"))
    parts.rule.then_clear = read_steps(context, *node, case_scope(context, parts));
  if (const Node* node = table.get("then_over"))
    parts.rule.then_over = read_steps(context, *node, case_scope(context, parts));
}

namespace {

void add_classes(Sha256& hash, const RuleSet& set, const EventRef& reference) {
  std::vector<std::string> names;
  for (ClassId id : reference.classes.ids()) names.push_back(set.classes[id].name);
  std::sort(names.begin(), names.end());
  hash.add(static_cast<std::int64_t>(names.size()));
  for (const std::string& name : names) hash.add(name);
}

void add_classes(Sha256& hash, const RuleSet& set, const std::vector<EventRef>& references) {
  hash.add(static_cast<std::int64_t>(references.size()));
  for (const EventRef& reference : references) add_classes(hash, set, reference);
}

// The texts of inline patterns are part of what the rule's windows mean.
void add_inline(Sha256& hash, const RuleSet& set, const Rule& rule) {
  for (const EventDef& event : set.events) {
    if (!event.inline_match || event.id != rule.id) continue;
    for (const LinePattern& line : event.lines) hash.add(set.patterns[line.pattern].text);
  }
}

}  // namespace

std::string state_identity(const RuleSet& set, const Rule& rule) {
  Sha256 hash;
  hash.add(rule.id).add(operation_name(rule.operation));
  for (const expr::Expression& key : rule.key) hash.add(key.text());
  add_classes(hash, set, rule.on);
  add_inline(hash, set, rule);
  if (const auto* count = std::get_if<Count>(&rule.operation))
    hash.add(count->tumbling ? "tumbling" : "sliding");
  if (const auto* distinct = std::get_if<Distinct>(&rule.operation)) {
    for (const expr::Expression& of : distinct->of) hash.add(of.text());
  }
  if (const auto* streak = std::get_if<Streak>(&rule.operation)) add_classes(hash, set, streak->broken_by);
  if (const auto* sequence = std::get_if<Sequence>(&rule.operation)) {
    hash.add(sequence->ordered ? "ordered" : "any order");
    add_classes(hash, set, sequence->steps);
  }
  if (const auto* absence = std::get_if<Absence>(&rule.operation)) {
    hash.add(absence->after ? "answer" : "heartbeat");
    if (absence->after) add_classes(hash, set, *absence->after);
    add_classes(hash, set, absence->of);
  }
  if (const auto* group = std::get_if<Group>(&rule.operation)) {
    for (const Group::Member& member : group->members) add_classes(hash, set, member.on);
  }
  if (const auto* level = std::get_if<Level>(&rule.operation)) {
    hash.add(static_cast<std::int64_t>(level->kind)).add(level->of.text());
  }
  return hash.hex();
}

}  // namespace correlator::rules
