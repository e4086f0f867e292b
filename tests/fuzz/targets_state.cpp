// SPDX-License-Identifier: Apache-2.0
// Rows of a state and of the intake, as a damaged or edited database would give them.
#include <array>

#include "base/json.h"
#include "engine/engine.h"
#include "pipeline/line.h"
#include "pipeline/session.h"
#include "records.h"
#include "rules/loader.h"
#include "targets.h"

namespace correlator::fuzz {
namespace {

using engine::StateKind;
using engine::StateRow;

const std::shared_ptr<const rules::RuleSet>& site() {
  static const auto rules = [] {
    return loaded(R"toml(format = 1
[class.a]
key = ["host"]
may = { n = "int", k = "text" }
[class.b]
key = ["host"]
may = { n = "int", k = "text" }
[[event]]
id = "a"
class = "a"
match = 'a(?: n=(?P<n>\d+))?(?: k=(?P<k>\S+))?$'
types = { n = "int" }
channel = "x"
[[event]]
id = "b"
class = "b"
match = 'b(?: n=(?P<n>\d+))?$'
types = { n = "int" }
weight = { increase_of = "n", per = ["host"] }
[same_error.one]
classes = ["a"]
key = ["host", "k"]
channels = ["x"]
within = "5s"
[action.act]
run = "act"
echoes = [{ on = "b", for = "10s" }]
[[rule]]
id = "count"
on = "a"
count = "3 in 1h"
then = [{ do = "act" }, { do = "act", after = "1m", every = "1m", at_most = 3, unless = "cleared" }]
[[rule]]
id = "distinct"
on = "a"
key = ["'all'"]
distinct = "3 k ?? '' in 1h"
[[rule]]
id = "streak"
on = "a"
streak = 9
broken_by = "b"
[[rule]]
id = "sequence"
key = ["host"]
sequence = { within = "1m", steps = ["a", "b", "a"] }
[[rule]]
id = "absence"
key = ["host"]
absence = { after = "a", of = "b", within = "30s" }
[[rule]]
id = "silent"
key = ["host"]
absence = { of = "a", for = "2m" }
[[rule]]
id = "group"
key = ["host"]
group = { within = "1m", of = [{ on = "a", count = 9 }, { on = "b" }] }
[[rule]]
id = "level"
on = "a"
level = { of = "n ?? 0", rises_by = 5, within = "1m" }
[[rule]]
id = "held"
on = "a"
unless = { on = "b", after = "40s" }
[[rule]]
id = "context"
on = "a"
set = { name = "quiet", key = ["host"], for = "1m" }
)toml");
  }();
  return rules;
}

const Timestamp kStart = *parse_rfc3339("2026-01-01T00:00:00Z");

struct Situation {
  std::vector<StateRow> rows;
  std::uint64_t seq = 0;
};

// An engine in the middle of everything, as rows.
const Situation& situation() {
  static const Situation made = [] {
    engine::Engine engine;
    engine::StepOutput out;
    auto matcher = pipeline::Matcher::build(site());
    pipeline::Matcher::Scratch scratch;
    syslog::Parser parser;
    engine.step({1, engine::RulesRecord{site()}}, out);
    const std::array lines = {"a n=1 k=p", "b n=3", "a n=9 k=q", "a k=r", "b n=7", "a n=2 k=p", "a n=20 k=s", "a"};
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string text = "2026-01-01T00:00:0" + std::to_string(i) + "Z h" + std::to_string(i % 2) + " k: " + lines[i];
      syslog::Message message;
      parser.parse(text, message);
      std::vector<std::uint32_t> ids;
      std::vector<engine::PatternMatch> matches;
      matcher->candidate_patterns(message, scratch, ids);
      matcher->match(message, ids, matches);
      engine::LineRecord line;
      line.message = &message;
      line.matches = matches;
      line.time = kStart + Duration::seconds(static_cast<std::int64_t>(i));
      line.stream = "s";
      engine.step({engine.seq() + 1, line}, out);
    }
    Situation s;
    engine.take_changes(s.rows);
    std::erase_if(s.rows, [](const StateRow& row) { return row.erased; });
    s.seq = engine.seq();
    return s;
  }();
  return made;
}

}  // namespace

// "KIND\nOWNER\nBODY" of each row: a mutation may change any of them.
std::vector<std::string> state_rows() {
  std::vector<std::string> out;
  for (const StateRow& row : situation().rows) out.push_back(std::to_string(static_cast<int>(row.kind)) + "\n" + row.owner + "\n" + row.body);
  return out;
}

std::string run_rows(std::string_view bytes) {
  const std::size_t first = bytes.find('\n'), second = first == std::string_view::npos ? first : bytes.find('\n', first + 1);
  if (second == std::string_view::npos) return {};
  const std::string number(bytes.substr(0, first));
  StateRow changed;
  const int kind = std::atoi(number.c_str());
  if (kind < 1 || kind > 10) return {};
  changed.kind = static_cast<StateKind>(kind);
  changed.owner = bytes.substr(first + 1, second - first - 1);
  changed.body = bytes.substr(second + 1);
  // It takes the place of a row of its kind, or stands beside the others.
  std::vector<StateRow> rows = situation().rows;
  bool placed = false;
  for (StateRow& row : rows) {
    if (row.kind != changed.kind || row.owner != changed.owner || placed) continue;
    changed.id = row.id;
    changed.key = row.key;
    row = changed;
    placed = true;
  }
  if (!placed) {
    changed.id = std::uint64_t{1} << 40;
    rows.push_back(changed);
  }
  engine::Engine engine;
  const Status status = engine.restore(site(), situation().seq, rows);
  if (!status.ok()) return status.error().code == "E310" && !status.error().message.empty() ? "" : "refused without a reason: " + status.error().code;
  engine::StepOutput out;
  for (const std::int64_t hours : {0, 1, 48, 24 * 40}) {
    engine.step({engine.seq() + 1, engine::MarkRecord{kStart + Duration::hours(hours)}}, out);
    out.clear();
  }
  std::vector<StateRow> changes;
  engine.take_changes(changes);
  engine.windows([](const engine::WindowView&) {});
  return {};
}

std::vector<std::string> intake_rows() {
  return {"1\n{\"arrival\":5,\"undated\":true,\"times\":3,\"host\":\"h\"}",
          "1\n{\"clamped\":true,\"truncated\":true}",
          "2\n",
          "3\nhash",
          "4\n{\"name\":\"hosts\",\"hash\":\"h\",\"rows\":[[\"h1\",\"r1\"],[\"h2\",\"r2\"]]}",
          "5\n{\"verb\":3,\"rule\":\"count\",\"key\":\"host=h1\",\"lifetime\":60000000,\"author\":\"jo\"}",
          "6\n{\"decision\":\"00ff\",\"result\":2}",
          "7\n{\"probe\":\"p\",\"row\":\"r\",\"result\":1,\"output\":\"x\"}",
          "8\n"};
}

std::string run_intake(std::string_view bytes) {
  const std::size_t first = bytes.find('\n');
  if (first == std::string_view::npos) return {};
  store::IntakeRow row;
  row.seq = 2;
  row.kind = static_cast<store::IntakeKind>(std::atoi(std::string(bytes.substr(0, first)).c_str()) & 15);
  if (row.kind == store::IntakeKind::line) {
    row.frame = "2026-01-01T00:00:00Z h k: a";
    row.extra = bytes.substr(first + 1);
    std::string host;
    const auto line = pipeline::to_line_record(row, host);
    return line.ok() || line.error().code == "E304" ? "" : "refused with " + line.error().code;
  }
  row.frame = bytes.substr(first + 1);
  const auto record = pipeline::to_record(row, [](const std::string&) { return Result<std::shared_ptr<const rules::RuleSet>>(site()); });
  if (!record.ok()) return record.error().code == "E304" ? "" : "refused with " + record.error().code;
  engine::Engine engine;
  engine::StepOutput out;
  engine.step({1, engine::RulesRecord{site()}}, out);
  engine.step(*record, out);
  return {};
}

namespace {
constexpr std::array kTargets = {
    Target{"syslog", run_syslog, lines_of_captures}, Target{"frames", run_frames, small_logs},
    Target{"archive", run_archive, small_logs},      Target{"rules", run_rules, rule_files},
    Target{"expressions", run_expressions, expressions}, Target{"rows", run_rows, state_rows},
    Target{"intake", run_intake, intake_rows}};
}  // namespace

std::span<const Target> targets() { return kTargets; }

const Target* find_target(std::string_view name) {
  for (const Target& target : kTargets) {
    if (name == target.name) return &target;
  }
  return nullptr;
}

}  // namespace correlator::fuzz
