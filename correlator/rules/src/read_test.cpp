// SPDX-License-Identifier: Apache-2.0
// [[rule.test]]
#include <fmt/format.h>

#include "readers.h"
#include "rules/timeline.h"

namespace correlator::rules {
namespace {

void read_rows(Context& context, const Node& node, TestSpec& test) {
  for (const Entry& entry : node.entries) {
    const auto lookup = context.find(context.lookups, "E015", "lookup", entry.key, entry.spot);
    if (!lookup) continue;
    if (!accepts(Shape::tables, entry.value)) {
      context.error(
          "E004", entry.value.spot,
          fmt::format("the rows of a lookup must be a list of tables, not {}", described(entry.value)),
          "write [{ host = \"a\" }]");
      continue;
    }
    auto& rows = test.lookups[entry.key];
    const auto& columns = context.set.lookups[*lookup].columns;
    for (const Node& row : entry.value.items) {
      std::map<std::string, expr::Value> values;
      for (const Entry& column : row.entries) {
        bool known = columns.empty();
        for (const std::string& one : columns) known |= one == column.key;
        if (!known)
          context.error("E012", column.spot,
                        fmt::format("lookup `{}` has no column `{}`", entry.key, column.key),
                        did_you_mean(column.key, columns));
        values[column.key] = value_of(column.value);
      }
      rows.push_back(std::move(values));
    }
  }
}

void read_expected(Context& context, const Node& node, TestSpec& test) {
  const Table table(context, node, kExpectSpec);
  TestSpec::Expected expected;
  expected.place = context.sources.place(node.spot);
  expected.at = table.text("at");
  if (const Node* at = table.get("at"); at && !parse_moment(at->text, {})) {
    context.error("E022", at->spot, fmt::format("\"{}\" is not a moment", at->text),
                  "write \"+23h59m\" from the first line, or \"2026-01-01T00:00:00Z\"");
  }
  if (const Node* action = table.get("action")) {
    if (context.find(context.actions, "E014", "action", action->text, action->spot))
      expected.action = action->text;
  }
  if (const Node* key = table.get("key")) {
    for (const Entry& entry : key->entries) expected.key.emplace_back(entry.key, value_of(entry.value));
  }
  if (const Node* with = table.get("with")) {
    for (const Entry& entry : with->entries)
      expected.with.emplace_back(entry.key, expr::to_text(value_of(entry.value)));
  }
  if (table.written("lines")) {
    expected.lines.emplace();
    for (const Node* line : table.list("lines")) expected.lines->push_back(line->text);
  }
  test.expect.push_back(std::move(expected));
}

void read_log(Context& context, const Node& node, TestSpec& test) {
  test.log = node.text;
  test.log_place = context.sources.place(context.sources.inside(node, 1, 1));
  Timeline timeline = parse_timeline(node.text, test.log_place);
  for (const Diagnostic& d : timeline.diagnostics) {
    const Spot spot{node.spot.file, d.place.line, d.place.column, d.caret_length};
    context.error(d.code, spot, d.message, d.hint);
  }
  for (const TimelineStep& step : timeline.steps) {
    const Spot spot{node.spot.file, step.place.line, step.place.column, 1};
    if (step.kind == TimelineStep::Kind::ack) {
      context.find(context.rules, "E013", "rule", step.target, spot);
    } else if (step.kind == TimelineStep::Kind::fails || step.kind == TimelineStep::Kind::succeeds) {
      context.find(context.actions, "E014", "action", step.target, spot);
    }
  }
}

}  // namespace

std::vector<TestSpec> read_tests(Context& context, const Table& rule) {
  std::vector<TestSpec> out;
  for (const Node* node : rule.list("test")) {
    const Table table(context, *node, kTestSpec);
    TestSpec test;
    test.place = context.sources.place(node->spot);
    test.name = table.text("name");
    if (const Node* log = table.get("log")) read_log(context, *log, test);
    if (const Node* rows = table.get("lookup")) read_rows(context, *rows, test);
    for (const Node* expected : table.list("expect")) read_expected(context, *expected, test);
    out.push_back(std::move(test));
  }
  return out;
}

}  // namespace correlator::rules
