// SPDX-License-Identifier: Apache-2.0
// [[event]]: from, lines, types, lets, weight, conditions and samples.
#include "read_event.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"

namespace correlator::rules {
namespace {

struct WrittenType {
  FieldType type = FieldType::text;
  std::string separator;
  bool bdf = false;
};

std::optional<WrittenType> parse_type(std::string_view text) {
  if (text == "bdf") return WrittenType{FieldType::text, "", true};
  if (text.starts_with("list:")) return WrittenType{FieldType::list, std::string(text.substr(5)), false};
  if (const auto type = parse_field_type(text)) return WrittenType{*type, "", false};
  return std::nullopt;
}

// The type that all possible classes agree on.
std::optional<FieldType> declared_type(const Context& context, const EventParts& parts,
                                       const std::string& name) {
  std::optional<FieldType> out;
  for (ClassId id : parts.classes) {
    const auto& fields = context.class_info[id].fields;
    const auto found = fields.find(name);
    if (found == fields.end()) continue;
    if (out && *out != found->second.first.type) return std::nullopt;
    out = found->second.first.type;
  }
  return out;
}

void read_weight(Context& context, const Table& table, EventParts& parts) {
  const Node* weight = table.get("weight");
  if (!weight) return;
  if (weight->is(Node::Kind::table)) {
    const Table increase(context, *weight, kIncreaseSpec);
    if (const Node* of = increase.get("increase_of"))
      parts.def.increase_of = context.expression(*of, *parts.scope, Guard::none);
    for (const Node* per : increase.list("per")) {
      if (auto value = context.expression(*per, *parts.scope, Guard::none))
        parts.def.increase_per.push_back(std::move(*value));
    }
    if (!increase.written("per")) {
      auto host = expr::Expression::compile("host", *parts.scope);
      if (host) parts.def.increase_per.push_back(std::move(host).value());
    }
    return;
  }
  if (!accepts(Shape::expression, *weight)) {
    context.error("E004", weight->spot,
                  fmt::format("`weight` must be an expression, not {}", described(*weight)),
                  "write weight = \"max(1, n ?? 1)\" or { increase_of = \"total\" }");
    return;
  }
  parts.def.weight = context.expression(*weight, *parts.scope, Guard::none);
  if (parts.def.weight && !fits(parts.def.weight->type(), FieldType::integer)) {
    context.error("E104", weight->spot,
                  fmt::format("a weight is an integer, not {}", expr::described(parts.def.weight->type())),
                  "type the capture: types = { n = \"int\" }");
  }
}

void read_expect(Context& context, const Node& node, const EventParts& parts, Sample& sample) {
  for (const Entry& entry : node.entries) {
    expr::Value value = value_of(entry.value);
    if (entry.key == "class" && value.text()) {
      if (context.find(context.classes, "E011", "class", *value.text(), entry.value.spot))
        sample.expect_class = *value.text();
      continue;
    }
    const expr::Symbol* symbol = parts.scope->find(entry.key);
    const bool declared = std::any_of(parts.classes.begin(), parts.classes.end(), [&](ClassId id) {
      return context.class_info[id].fields.contains(entry.key);
    });
    const FieldId builtin = context.find_field(entry.key);
    if (!symbol && !declared && !parts.scope->lenient && !(builtin < kBuiltinFields)) {
      std::vector<std::string> names{"class", "weight"};
      for (const auto& [name, unused] : parts.scope->symbols()) names.push_back(name);
      context.error("E012", entry.spot, fmt::format("the event has no field `{}`", entry.key),
                    did_you_mean(entry.key, names));
      continue;
    }
    // An integer may be written as text, "0x12", where TOML's own integers do not reach.
    if (symbol && symbol->type == expr::Type::integer && value.text()) {
      const auto number =
          value.text()->starts_with("0x") ? parse_hex(*value.text()) : parse_uint(*value.text());
      if (number) value = *number;
    }
    sample.expect.emplace_back(entry.key, std::move(value));
  }
}

void read_samples(Context& context, const Table& table, EventParts& parts) {
  for (const Node* node : table.list("sample")) {
    Table one(context, *node, kSampleSpec);
    Sample sample;
    sample.place = context.sources.place(node->spot);
    sample.reject = one.flag("reject", false);
    if (const Node* line = one.get("line")) sample.lines.push_back(line->text);
    for (const Node* line : one.list("more")) sample.lines.push_back(line->text);
    if (sample.reject) {
      one.no_effect("expect", "the line is to be rejected", "keep one of the two");
    } else if (const Node* expect = one.get("expect")) {
      read_expect(context, *expect, parts, sample);
    } else if (!one.bad()) {
      context.error("E005", node->spot, "the sample does not say what to expect",
                    "write expect = { class = \"…\" } or reject = true");
    }
    parts.def.samples.push_back(std::move(sample));
  }
}

void read_one(Context& context, const Named& named) {
  Table table(context, named.node, kEventSpec);
  EventParts parts;
  parts.broken = table.bad();
  EventDef& def = parts.def;
  def.id = table.text("id");
  def.index = static_cast<std::uint32_t>(context.set.events.size());
  def.place = context.sources.place(named.node.spot);
  def.channel = table.text("channel");
  const Node* record_node = table.get("record");
  std::optional<Table> record;
  if (record_node) record.emplace(context, *record_node, kRecordSpec);

  if (const Node* let = table.get("let")) {
    for (const Entry& entry : let->entries) parts.let_texts[entry.key] = entry.value.text;
  }
  possible_classes(context, table, parts);
  read_from(context, table, parts);
  read_lines(context, table, record ? &*record : nullptr, parts);
  read_types(context, table, parts);
  parts.scope = event_scope(context, parts);
  if (const Node* let = table.get("let")) {
    def.lets = read_lets(
        context, *let, {*parts.scope, Guard::none}, [&](const std::string& name) -> std::optional<FieldType> {
          const Node* types = table.get("types");
          const Node* written = types ? types->get(name) : nullptr;
          const auto type =
              written && written->is(Node::Kind::text) ? parse_type(written->text) : std::nullopt;
          return type ? std::optional(type->type) : declared_type(context, parts, name);
        });
  }
  read_weight(context, table, parts);
  if (const Node* stale = table.get("stale"))
    def.stale = context.condition(*stale, *parts.scope, Guard::none);
  if (const Node* node = table.get("implausible"))
    def.implausible = context.condition(*node, *parts.scope, Guard::none);
  read_class_of(context, table, parts);
  if (record) read_record(context, *record, parts);
  read_samples(context, table, parts);
  check_contract(context, table, parts);
  context.set.events.push_back(std::move(def));
}

}  // namespace

NameScope event_scope(const Context& context, const EventParts& parts) {
  using expr::Type;
  NameScope scope(context);
  scope.field("host", kHost, Type::text, false);
  scope.field("program", kProgram, Type::text, true);
  scope.field("pid", kPid, Type::integer, true);
  scope.field("facility", kFacility, Type::text, true);
  scope.field("level", kLevel, Type::text, true);
  scope.field("text", kText, Type::text, false);
  scope.field("time", kTime, Type::time, false);
  scope.field("caller", kCaller, Type::text, true);
  for (const auto& [name, info] : parts.captures) {
    scope.field(name, context.find_field(name), info.many ? Type::list : type_of(info.type), info.optional);
  }
  scope.lenient = parts.broken;
  return scope;
}

void read_from(Context& context, const Table& table, EventParts& parts) {
  const Node* node = table.get("from");
  if (!node || node->text == "any") return;
  From& from = parts.def.from;
  if (node->text == "kernel") {
    from.kind = From::Kind::kernel;
    return;
  }
  if (node->text.starts_with("input:")) {
    from.kind = From::Kind::input;
    from.name = node->text.substr(6);
    if (from.name.empty())
      context.error("E034", node->spot, "the name of the input is missing", "write from = \"input:libvirt\"");
    return;
  }
  from.kind = From::Kind::program;
  Node program = *node;
  constexpr std::string_view kTrusted = "trusted:";
  if (program.text.starts_with(kTrusted)) {
    from.trusted = true;
    program.text.erase(0, kTrusted.size());
    if (program.text.empty()) {
      context.error("E034", node->spot, "the name of the programme is missing", "write from = \"trusted:virsh-event\"");
      return;
    }
  }
  const auto pattern = read_program_pattern(context, program);
  if (!pattern) {
    parts.broken = true;
    return;
  }
  from.pattern = pattern->index;
  if (program.text.find_first_of("\\^$.|?*+()[]{}%") == std::string::npos) from.name = program.text;
  for (std::size_t group = 1; group < pattern->names.size(); ++group) {
    if (pattern->names[group].empty()) continue;
    from.captures.push_back({static_cast<std::uint32_t>(group), context.field(pattern->names[group]),
                             FieldType::text, "", false});
    parts.captures[pattern->names[group]].optional = !pattern->always[group];
  }
}

void read_types(Context& context, const Table& table, EventParts& parts) {
  const Node* types = table.get("types");
  for (auto& [name, info] : parts.captures) {
    const FieldId id = context.find_field(name);
    const auto declared = declared_type(context, parts, name);
    info.type = declared && !info.many ? *declared : id == kPid ? FieldType::integer : FieldType::text;
  }
  if (types) {
    for (const Entry& entry : types->entries) {
      const auto type = entry.value.is(Node::Kind::text) ? parse_type(entry.value.text) : std::nullopt;
      if (!type) {
        context.error(
            "E020", entry.value.spot,
            entry.value.is(Node::Kind::text) ? fmt::format("there is no type \"{}\"", entry.value.text)
                                             : fmt::format("a type is text, not {}", described(entry.value)),
            "the types are: text, int, hex, bool, duration, time, gauge, bdf, list and list:SEPARATOR");
        continue;
      }
      const auto capture = parts.captures.find(entry.key);
      if (capture == parts.captures.end()) {
        if (parts.let_texts.contains(entry.key) || parts.broken) continue;
        std::vector<std::string> names;
        for (const auto& [name, unused] : parts.captures) names.push_back(name);
        context.error("E012", entry.spot, fmt::format("no pattern captures `{}`", entry.key),
                      did_you_mean(entry.key, names));
        continue;
      }
      capture->second.type = type->type;
      capture->second.separator = type->separator;
      capture->second.bdf = type->bdf;
    }
  }
  const auto set = [&](Capture& capture) {
    const CaptureInfo& info = parts.captures[context.set.fields[capture.field]];
    capture.type = info.type;
    capture.separator = info.separator;
    capture.bdf = info.bdf;
  };
  for (LinePattern& line : parts.def.lines) {
    for (Capture& capture : line.captures) set(capture);
  }
  for (Capture& capture : parts.def.from.captures) set(capture);
}

void read_events(Context& context, const Document& document) {
  for (const Named& one : document.events) {
    if (const Node* channel = one.node.get("channel"); channel && channel->is(Node::Kind::text)) {
      context.channels.emplace(channel->text, 0);
    }
    read_one(context, one);
  }
}

}  // namespace correlator::rules
