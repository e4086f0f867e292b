// SPDX-License-Identifier: Apache-2.0
// The lines of an event: `match`, and the roles of [event.record].
#include <fmt/format.h>

#include <algorithm>

#include "read_event.h"

namespace correlator::rules {
namespace {

void add_line(Context& context, const Node& node, Role role, bool raw, EventParts& parts) {
  const Node* text = &node;
  LinePattern line;
  line.role = role;
  line.raw = raw;
  std::optional<Table> table;
  if (node.is(Node::Kind::table)) {
    table.emplace(context, node, kLineSpec);
    text = table->get("match");
    line.also = table->flag("also", false);
    line.raw = table->flag("raw", raw);
    if (role == Role::whole) table->no_effect("also", "the line is of no record", "take it away");
    if (!text) {
      parts.broken = true;
      return;
    }
  }
  const auto pattern = read_pattern(context, *text);
  if (!pattern) {
    parts.broken = true;
    return;
  }
  line.pattern = pattern->index;
  PatternText& owner = context.set.patterns[pattern->index];
  owner.event = parts.def.index;
  owner.line = static_cast<std::uint32_t>(parts.def.lines.size());
  for (std::size_t group = 1; group < pattern->names.size(); ++group) {
    const std::string& name = pattern->names[group];
    if (name.empty()) continue;
    line.captures.push_back(
        {static_cast<std::uint32_t>(group), context.field(name), FieldType::text, "", false});
    const auto [info, fresh] = parts.captures.try_emplace(name);
    // In a list of patterns one matches: what the others capture is not there.
    const bool always = role == Role::whole && pattern->always[group];
    if (!always || (fresh && !parts.def.lines.empty())) info->second.optional = true;
    if (role == Role::many) info->second.many = true;
    info->second.in_each |= (role == Role::once || role == Role::last) && pattern->always[group];
  }
  // … and what this one lacks is not there either.
  for (auto& [name, info] : parts.captures) {
    const bool has = std::find(pattern->names.begin(), pattern->names.end(), name) != pattern->names.end();
    const FieldId id = context.find_field(name);
    const bool from_program = std::any_of(parts.def.from.captures.begin(), parts.def.from.captures.end(),
                                          [&](const Capture& c) { return c.field == id; });
    if (!has && !from_program) info.optional = true;
  }
  parts.def.lines.push_back(std::move(line));
}

std::vector<FieldId> known_fields(Context& context, const Table& record, std::string_view key,
                                  const EventParts& parts, bool lets) {
  std::vector<FieldId> out;
  for (const Node* node : record.list(key)) {
    const FieldId id = context.find_field(node->text);
    const bool captured = parts.captures.contains(node->text);
    const bool builtin = id == kHost || id == kProgram || id == kPid || id == kCaller;
    const bool computed = lets && parts.let_texts.contains(node->text);
    if (captured || builtin || computed) {
      out.push_back(context.field(node->text));
    } else if (!parts.broken) {
      std::vector<std::string> names{"host", "program", "pid", "caller"};
      for (const auto& [name, unused] : parts.captures) names.push_back(name);
      context.error("E012", node->spot, fmt::format("no line of the record captures `{}`", node->text),
                    did_you_mean(node->text, names));
    }
  }
  return out;
}

}  // namespace

void read_lines(Context& context, Table& table, const Table* record, EventParts& parts) {
  const bool raw = table.flag("raw", false);
  if (record) {
    table.no_effect("match", "the lines of a record stand in [event.record]",
                    "write it as once, many or last");
    for (const auto& [key, role] :
         {std::pair("once", Role::once), std::pair("many", Role::many), std::pair("last", Role::last)}) {
      for (const Node* node : record->list(key)) add_line(context, *node, role, raw, parts);
    }
    if (record->flag("ordered", false)) {
      for (auto& [name, info] : parts.captures) info.optional &= !info.in_each;
    }
    // What keeps records apart is one value for all lines of a record, never a list.
    for (const Node* same : record->list("same")) {
      const auto info = parts.captures.find(same->text);
      if (info != parts.captures.end()) info->second.many = false;
    }
    const bool any = record->written("once") || record->written("many") || record->written("last");
    if (!any)
      context.error("E005", record->node().spot, "the record has no lines",
                    "write once = ['…'], many = ['…'] or last = ['…']");
    if (!any || record->bad()) parts.broken = true;
    return;
  }
  for (const Node* node : table.list("match")) add_line(context, *node, Role::whole, raw, parts);
  const Node* match = table.get("match");
  if (match && match->is(Node::Kind::list) && match->items.empty()) {
    context.error("E030", match->spot, "the list of patterns is empty", "write at least one pattern");
    parts.broken = true;
  } else if (!table.written("match") && !table.written("record")) {
    context.error("E005", table.node().spot, "[[event]] needs `match` or [event.record]",
                  "write match = '…', a pattern for the message text");
    parts.broken = true;
  }
}

void read_record(Context& context, Table& record, EventParts& parts) {
  RecordSpec spec;
  spec.same = record.written("same") ? known_fields(context, record, "same", parts, false)
                                     : std::vector<FieldId>{kHost};
  spec.within = record.duration("within").value_or(Duration{});
  spec.needs = known_fields(context, record, "needs", parts, true);
  spec.ready = known_fields(context, record, "ready", parts, true);
  if (const Node* early = record.get("early"))
    spec.early = context.condition(*early, *parts.scope, Guard::none);
  spec.max_lines = static_cast<std::uint32_t>(record.integer("max_lines", 1, 1'000).value_or(64));
  spec.ordered = record.flag("ordered", false);
  const std::size_t lines = record.list("once").size() + (record.written("last") ? 1 : 0);
  if (spec.ordered && (lines < 2 || !record.written("once")))
    record.no_effect("ordered", "there is but one line that must come", "write two patterns in `once`, or one and `last`");
  parts.def.record = std::move(spec);
}

}  // namespace correlator::rules
