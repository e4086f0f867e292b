// SPDX-License-Identifier: Apache-2.0
// What a firing does beside its steps: clear, cooldown, emit; and the identity of a rule's state.
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

// The class of the event and its fields; false: there is no such class.
bool read_emitted(Context& context, const Table& table, RuleParts& parts, Emit& emit) {
  const Node* cls = table.get("class");
  const auto id = context.find(context.classes, "E011", "class", cls->text, cls->spot);
  if (!id) return false;
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
  return true;
}

void read_one_emit(Context& context, const Node& node, RuleParts& parts) {
  Table table(context, node, kEmitSpec);
  Emit emit;
  if (const Node* line = table.get("line")) {
    emit.line = context.text(*line, parts.then, Guard::none);
    for (const char* key : {"class", "fields"}) table.no_effect(key, "the line says by itself what it means", "keep one of the two");
    if (!emit.line) return;
  } else if (table.get("class")) {
    if (!read_emitted(context, table, parts, emit)) return;
  } else {
    if (!table.written("class") && !table.written("line"))
      context.error("E005", node.spot, "`emit` needs `class` or `line`", "write emit = { class = \"…\" }, or line = \"…\" for a line that patterns read");
    return;
  }
  emit.after = table.duration("after").value_or(Duration{});
  if (!table.written("after")) {
    table.no_effect("unless", "the event comes at once", "write after = \"10m\", or `where` for a condition on the rule");
  } else if (const Node* unless = table.get("unless")) {
    NameScope later = parts.then;
    add_step_names(later);
    emit.unless = context.condition(*unless, later, Guard::none);
  }
  parts.rule.emit.push_back(std::move(emit));
}

void read_emit(Context& context, const Node& node, RuleParts& parts) {
  for (const Node* item : one_or_more(node)) {
    if (item->is(Node::Kind::table)) {
      read_one_emit(context, *item, parts);
    } else {
      context.error("E004", item->spot, fmt::format("`emit` must be a table, not {}", described(*item)), "write emit = { class = \"…\" }");
    }
  }
}

}  // namespace

void read_response(Context& context, Table& table, RuleParts& parts) {
  read_clear(context, table, parts);
  check_latch(table, parts);
  parts.rule.cooldown = table.duration("cooldown").value_or(Duration{});
  if (const Node* node = table.get("emit")) read_emit(context, *node, parts);
  read_contexts(context, table, parts);
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
