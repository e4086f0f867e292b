// SPDX-License-Identifier: Apache-2.0
#include "records.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "pipeline/line.h"

namespace correlator::pipeline {
namespace {

using engine::IntakeRecord;
using store::IntakeKind;
using store::IntakeRow;

template <class... Ts>
struct Overloaded : Ts... {
  using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

void fill(IntakeRow& row, const engine::LookupRecord& lookup) {
  row.kind = IntakeKind::lookup;
  row.time = lookup.loaded;
  row.frame = to_line(Json{{"name", lookup.name}, {"hash", lookup.table.hash}, {"rows", lookup.table.rows}});
}

void fill(IntakeRow& row, const engine::CommandRecord& command) {
  row.kind = IntakeKind::command;
  row.frame = to_line(Json{{"verb", static_cast<int>(command.verb)},
                           {"rule", command.rule},
                           {"key", command.key},
                           {"lifetime", command.lifetime.us},
                           {"author", command.author}});
}

void fill(IntakeRow& row, const engine::OutcomeRecord& outcome) {
  row.kind = IntakeKind::outcome;
  row.time = outcome.time;
  row.frame = to_line(Json{{"decision", outcome.decision}, {"result", static_cast<int>(outcome.result)}});
}

void fill(IntakeRow& row, const engine::ProbeRecord& probe) {
  row.kind = IntakeKind::probe;
  row.time = probe.time;
  row.frame = to_line(Json{{"probe", probe.probe},
                           {"row", probe.row},
                           {"result", static_cast<int>(probe.result)},
                           {"output", probe.output}});
}

// A number that a damaged row may have made no member of its enum becomes the last one.
template <auto last>
decltype(last) member(const Json& json, const char* name) {
  return static_cast<decltype(last)>(std::clamp(json.value(name, 0), 0, static_cast<int>(last)));
}

engine::LookupRecord lookup_of(const IntakeRow& row, const Json& json) {
  engine::LookupRecord lookup;
  lookup.name = json.value("name", "");
  lookup.table.hash = json.value("hash", "");
  lookup.table.rows = json.value("rows", std::vector<std::vector<std::string>>{});
  lookup.loaded = row.time;
  return lookup;
}

engine::CommandRecord command_of(const Json& json) {
  engine::CommandRecord command;
  command.verb = member<engine::CommandRecord::Verb::approve>(json, "verb");
  command.rule = json.value("rule", "");
  command.key = json.value("key", "");
  command.lifetime = Duration{json.value("lifetime", std::int64_t{0})};
  command.author = json.value("author", "");
  return command;
}

engine::OutcomeRecord outcome_of(const IntakeRow& row, const Json& json) {
  return {json.value("decision", ""), member<engine::OutcomeRecord::Result::unknown>(json, "result"), row.time};
}

engine::ProbeRecord probe_of(const IntakeRow& row, const Json& json) {
  return {json.value("probe", ""), json.value("row", ""), member<engine::ProbeRecord::Result::broken>(json, "result"),
          json.value("output", ""), row.time};
}

}  // namespace

IntakeRow to_row(const IntakeRecord& record) {
  IntakeRow row;
  row.seq = record.seq;
  std::visit(Overloaded{[](const engine::LineRecord&) {},
                        [&](const engine::MarkRecord& mark) {
                          row.kind = IntakeKind::mark;
                          row.time = mark.time;
                        },
                        [&](const engine::RulesRecord& rules) {
                          row.kind = IntakeKind::rules;
                          row.frame = rules.rules->hash;
                        },
                        [&](const engine::EndRecord&) { row.kind = IntakeKind::end; },
                        [&](const auto& other) { fill(row, other); }},
             record.what);
  return row;
}

Result<IntakeRecord> to_record(const IntakeRow& row, const RulesByHash& rules) {
  IntakeRecord record;
  record.seq = row.seq;
  if (row.kind == IntakeKind::mark) {
    record.what = engine::MarkRecord{row.time};
    return record;
  }
  if (row.kind == IntakeKind::end) {
    record.what = engine::EndRecord{};
    return record;
  }
  if (row.kind == IntakeKind::rules) {
    auto found = rules(row.frame);
    if (!found) return found.error();
    record.what = engine::RulesRecord{std::move(found).value()};
    return record;
  }
  const auto json = parse_json(row.frame);
  if (!json || !json->is_object()) return damaged_row(row);
  try {
    switch (row.kind) {
      case IntakeKind::lookup: record.what = lookup_of(row, *json); break;
      case IntakeKind::command: record.what = command_of(*json); break;
      case IntakeKind::outcome: record.what = outcome_of(row, *json); break;
      case IntakeKind::probe: record.what = probe_of(row, *json); break;
      default: return damaged_row(row);
    }
  } catch (const Json::exception&) {  // a member of another type
    return damaged_row(row);
  }
  return record;
}

engine::LineRecord line_record(const Line& line, const syslog::Message& message,
                               const std::vector<engine::PatternMatch>& matches) {
  engine::LineRecord record;
  record.message = &message;
  record.matches = matches;
  record.time = line.time;
  record.undated = line.undated;
  record.clamped = line.clamped;
  record.times = line.times;
  record.stream = line.stream;
  record.line_number = line.line_number;
  return record;
}

Diagnostic nothing_recorded() {
  return make_error("E306", "the state directory holds no recorded run", "name the directory given to run or replay with --state");
}

}  // namespace correlator::pipeline
