// SPDX-License-Identifier: Apache-2.0
// The operation of a rule: what must come together before it fires.
#include <fmt/format.h>

#include <algorithm>

#include "readers.h"

namespace correlator::rules {

void read_conditions(Context& context, Table& table, RuleParts& parts);  // read_rule.cpp

namespace {

constexpr std::uint64_t kMostSliding = 1'024;

void check_sliding(Context& context, const Node& node, std::uint64_t count, bool can_tumble) {
  if (count <= kMostSliding) return;
  context.error(
      "E010", node.spot, fmt::format("a sliding window keeps at most {} events, not {}", kMostSliding, count),
      can_tumble ? fmt::format("write count = {{ threshold = \"{} in …\", window = \"tumbling\" }}", count)
                 : "take a smaller number in a shorter time");
}

void wrong(Context& context, const Node& node, std::string_view key, std::string_view form) {
  context.error("E004", node.spot, fmt::format("`{}` cannot be {}", key, described(node)),
                fmt::format("write {}", form));
}

void read_count(Context& context, const Node& node, RuleParts& parts) {
  Count count;
  const Node* phrase = &node;
  if (node.is(Node::Kind::table)) {
    const Table table(context, node, kCountSpec);
    phrase = table.get("threshold");
    if (const Node* weight = table.get("weight")) {
      count.weight = context.expression(*weight, parts.scope, Guard::required);
      if (count.weight && !fits(count.weight->type(), FieldType::integer)) {
        context.error("E104", weight->spot,
                      fmt::format("a weight is an integer, not {}", expr::described(count.weight->type())),
                      "take a field of type int");
      }
    }
    if (const Node* window = table.get("window"); window && context.one_of(*window, {"sliding", "tumbling"}))
      count.tumbling = window->text == "tumbling";
    if (const Node* rearm = table.get("rearm"); rearm && context.one_of(*rearm, {"on-clear", "at-once"}))
      count.rearm_at_once = rearm->text == "at-once";
  } else if (!node.is(Node::Kind::text)) {
    wrong(context, node, "count", "count = \"10 in 24h\"");
    return;
  }
  parts.latch = !count.rearm_at_once;
  if (!phrase) return;
  const auto threshold = context.threshold(*phrase);
  if (!threshold) return;
  if (!count.tumbling) check_sliding(context, *phrase, threshold->count, true);
  count.threshold = *threshold;
  parts.rule.operation = std::move(count);
}

void read_rate(Context& context, const Node& node, RuleParts& parts) {
  const Table table(context, node, kRateSpec);
  parts.latch = true;
  if (table.bad()) return;
  const auto raise = context.threshold(*table.get("raise")), clear = context.threshold(*table.get("clear"));
  if (!raise || !clear) return;
  check_sliding(context, *table.get("raise"), raise->count, false);
  if (clear->count > raise->count) {
    context.error(
        "E010", table.get("clear")->spot,
        fmt::format("it would clear at {} and raise at {}: it would flap", clear->count, raise->count),
        fmt::format("write at most \"{} in …\"", raise->count));
  }
  parts.rule.operation = Rate{*raise, *clear};
}

void read_distinct(Context& context, const Node& node, RuleParts& parts) {
  parts.latch = true;
  const auto phrase = context.phrase(node, true);
  if (!phrase) return;
  check_sliding(context, node, phrase->count, false);
  Node of = node;
  const auto at = node.text.find(phrase->what);
  of.text = phrase->what;
  auto compiled = expr::Expression::compile(phrase->what, parts.scope);
  if (!compiled) {
    Diagnostic d = std::move(compiled).error();
    if (at != std::string::npos) d.place.column += static_cast<std::uint32_t>(at);
    if (!parts.scope.tainted) context.error_inside(node, std::move(d));
    return;
  }
  if (const auto& names = compiled->unguarded_names(); !names.empty()) {
    context.error("E018", node.spot,
                  fmt::format("`{}` may be missing, and nothing says what happens then", names.front()),
                  fmt::format("write \"{} {} ?? '' in …\"", phrase->count, names.front()));
  }
  Distinct distinct;
  distinct.count = phrase->count;
  distinct.within = phrase->within;
  distinct.of.push_back(std::move(compiled).value());
  parts.rule.operation = std::move(distinct);
}

void read_streak(Context& context, Table& table, RuleParts& parts) {
  parts.latch = true;
  Streak streak;
  streak.count = table.integer("streak", 1, UINT32_MAX).value_or(1);
  if (const Node* broken = table.get("broken_by")) {
    if (broken->is(Node::Kind::table))
      Table(context, *broken, kReferenceSpec).no_effect("as", "no later step could use the name");
    if (auto reference = read_reference(context, *broken)) streak.broken_by = std::move(*reference);
  } else if (!table.written("broken_by")) {
    context.error("E005", table.spot("streak"), "`streak` needs `broken_by`",
                  "write which event ends the row: broken_by = \"probe.ok\"");
  }
  parts.rule.operation = std::move(streak);
}

// A reference of a sequence or an absence: earlier steps are visible by their `as`.
std::optional<EventRef> read_step_reference(Context& context, const Node& node, const NameScope& earlier) {
  if (node.is(Node::Kind::table)) Table(context, node, kReferenceSpec);
  return read_reference(context, node, {&earlier, Guard::required});
}

void add_to(std::vector<ClassId>& classes, const EventRef& reference) {
  for (ClassId id : reference.classes.ids()) {
    if (std::find(classes.begin(), classes.end(), id) == classes.end()) classes.push_back(id);
  }
}

// Adds the names of the steps to `bound`, which the response may use.
void read_sequence(Context& context, const Node& node, RuleParts& parts, NameScope& bound) {
  const Table table(context, node, kSequenceSpec);
  Sequence sequence;
  sequence.within = table.duration("within").value_or(Duration{});
  sequence.ordered = table.flag("ordered", true);
  const auto steps = table.list("steps");
  if (table.get("steps") && (steps.size() < 2 || steps.size() > 16)) {
    context.error("E010", table.get("steps")->spot,
                  fmt::format("a sequence has 2 to 16 steps, not {}", steps.size()),
                  "write steps = [\"net.down\", \"guest.crashed\"]");
  }
  std::vector<std::string> names;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    const Node* as = steps[i]->is(Node::Kind::table) ? steps[i]->get("as") : nullptr;
    if (as && std::find(names.begin(), names.end(), as->text) != names.end()) {
      context.error("E006", as->spot, fmt::format("two steps are called `{}`", as->text),
                    "give each a name of its own");
    }
    auto reference = read_step_reference(context, *steps[i], bound);
    if (!reference) {
      parts.broken = true;
      continue;
    }
    if (!reference->as.empty()) {
      names.push_back(reference->as);
      add_bound(context, bound, *reference, static_cast<std::uint32_t>(i));
    }
    add_to(parts.classes, *reference);
    sequence.steps.push_back(std::move(*reference));
  }
  parts.rule.operation = std::move(sequence);
}

void read_expected(Context& context, const Node& node, Absence& absence) {
  const auto dot = node.text.find('.');
  const auto lookup = context.find(context.lookups, "E015", "lookup", node.text.substr(0, dot), node.spot);
  if (!lookup) return;
  absence.expected_lookup = lookup;
  const auto& columns = context.set.lookups[*lookup].columns;
  const std::string column = dot == std::string::npos ? "" : node.text.substr(dot + 1);
  const auto found = std::find(columns.begin(), columns.end(), column);
  if (found != columns.end()) {
    absence.expected_column = static_cast<std::uint32_t>(found - columns.begin());
  } else if (!columns.empty()) {
    context.error("E012", node.spot,
                  column.empty()
                      ? "the column is missing"
                      : fmt::format("lookup `{}` has no column `{}`", node.text.substr(0, dot), column),
                  column.empty() ? fmt::format("write \"{}.{}\"", node.text, columns.front())
                                 : did_you_mean(column, columns));
  }
}

void read_absence(Context& context, const Node& node, RuleParts& parts) {
  Table table(context, node, kAbsenceSpec);
  parts.latch = true;
  Absence absence;
  NameScope earlier(context);
  const bool answer = table.written("after");
  if (const Node* after = table.get("after")) {
    absence.after = read_step_reference(context, *after, earlier);
    if (absence.after && !absence.after->as.empty()) add_bound(context, earlier, *absence.after, 0);
    if (absence.after) add_to(parts.classes, *absence.after);
  }
  for (const Node* of : table.list("of")) {
    if (auto reference = read_step_reference(context, *of, earlier)) {
      add_to(parts.classes, *reference);
      absence.of.push_back(std::move(*reference));
    }
  }
  const std::string_view key = answer ? "within" : "for";
  if (!table.written(key)) {
    context.error("E005", node.spot, fmt::format("absence needs `{}`", key),
                  answer ? "write how long the answer may take: within = \"2m\""
                         : "write how long the silence may last: for = \"3m\"");
  }
  if (answer) {
    table.no_effect("for", "with `after`, `within` says how long", "write within");
    table.no_effect("expected", "with `after`, only the question makes something expected", "take it away");
  } else {
    table.no_effect("within", "without `after` there is no question", "write for = \"3m\", or after = EVENT");
  }
  if (!table.written("expected"))
    table.no_effect("grace", "without `expected` nothing is waited for at the start",
                    "write expected = \"hosts.host\"");
  absence.within = table.duration(key).value_or(Duration{});
  absence.grace = table.duration("grace", true).value_or(Duration{});
  if (const Node* expected = table.get("expected")) read_expected(context, *expected, absence);
  parts.rule.operation = std::move(absence);
}

void read_group(Context& context, const Node& node, RuleParts& parts) {
  const Table table(context, node, kGroupSpec);
  parts.latch = true;
  Group group;
  group.within = table.duration("within").value_or(Duration{});
  if (const Node* of = table.get("of"); of && of->items.size() < 2) {
    context.error("E010", of->spot, "a group has at least two members",
                  "for one event write count = \"10 in 24h\"");
  }
  for (const Node* item : table.list("of")) {
    const Table one(context, *item, kMemberSpec);
    Group::Member member;
    member.count = one.integer("count", 1, kMostSliding).value_or(1);
    if (auto reference = read_reference(context, *item)) {
      add_to(parts.classes, *reference);
      member.on = std::move(*reference);
      group.members.push_back(std::move(member));
    }
  }
  parts.rule.operation = std::move(group);
}

void read_level(Context& context, const Node& node, RuleParts& parts) {
  Table table(context, node, kLevelSpec);
  parts.latch = true;
  std::optional<expr::Expression> of;
  if (const Node* value = table.get("of")) {
    of = context.expression(*value, parts.scope, Guard::none);
    if (of && !fits(of->type(), FieldType::integer)) {
      context.error("E104", value->spot,
                    fmt::format("a level is an integer, not {}", expr::described(of->type())),
                    "take a field of type int, hex or gauge");
    }
  }
  std::string_view kind;
  for (std::string_view one : {"above", "below", "rises_by"}) {
    if (!table.written(one)) continue;
    if (!kind.empty())
      table.no_effect(one, fmt::format("there is `{}` already", kind), "write a rule for each");
    if (kind.empty()) kind = one;
  }
  if (kind.empty())
    context.error("E005", node.spot, "level needs a bound",
                  "write above = 10, below = 10 or rises_by = 10 with within = \"1h\"");
  if (kind == "rises_by") {
    if (!table.written("within"))
      context.error("E005", table.spot("rises_by"), "`rises_by` needs `within`", "write within = \"1h\"");
  } else {
    table.no_effect("within", "only `rises_by` looks back", "take it away");
  }
  const auto bound = kind.empty() ? std::nullopt : table.integer(kind, 0, INT64_MAX);
  if (!of || !bound) return;
  const auto which = kind == "above"   ? Level::Kind::above
                     : kind == "below" ? Level::Kind::below
                                       : Level::Kind::rises_by;
  parts.rule.operation = Level{std::move(*of), which, *bound, table.duration("within").value_or(Duration{})};
}

void read_schedule(Context& context, const Node& node, RuleParts& parts) {
  const Node* cron = &node;
  Zone zone = context.zone;
  if (node.is(Node::Kind::table)) {
    const Table table(context, node, kScheduleSpec);
    cron = table.get("cron");
    if (const Node* name = table.get("zone")) {
      if (const auto found = context.zone_of(*name)) zone = *found;
    }
  } else if (!node.is(Node::Kind::text)) {
    wrong(context, node, "schedule", "schedule = \"0 6 * * mon Europe/Berlin\"");
    return;
  }
  if (!cron) return;
  if (const auto parsed = context.cron(*cron, zone)) parts.rule.operation = Schedule{*parsed};
}

}  // namespace

void read_operation(Context& context, Table& table, RuleParts& parts) {
  NameScope bound(context);
  if (const Node* node = table.get("sequence")) read_sequence(context, *node, parts, bound);
  if (const Node* node = table.get("absence")) read_absence(context, *node, parts);
  if (const Node* node = table.get("group")) read_group(context, *node, parts);
  if (const Node* node = table.get("schedule")) read_schedule(context, *node, parts);
  read_conditions(context, table, parts);
  if (const Node* node = table.get("count")) read_count(context, *node, parts);
  if (const Node* node = table.get("rate")) read_rate(context, *node, parts);
  if (const Node* node = table.get("distinct")) read_distinct(context, *node, parts);
  if (table.written("streak")) {
    read_streak(context, table, parts);
  } else {
    table.no_effect("broken_by", "there is no `streak`", "write streak = 3");
  }
  if (const Node* node = table.get("level")) read_level(context, *node, parts);
  for (const auto& [name, symbol] : bound.symbols()) parts.then.add(name, symbol);
  // These fire without an event at hand: what is known then is the key.
  if (table.written("absence") || table.written("schedule")) {
    NameScope rest(context);
    rest.lenient = parts.then.lenient;
    for (const expr::Expression& key : parts.rule.key) {
      if (const expr::Symbol* symbol = parts.then.find(key.text())) rest.add(key.text(), *symbol);
    }
    parts.then = rest;
  }
}

}  // namespace correlator::rules
