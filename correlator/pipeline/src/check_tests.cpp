// SPDX-License-Identifier: Apache-2.0
#include "check_tests.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "timeline_run.h"

namespace correlator::pipeline {
namespace {

using engine::Decision;
using rules::Rule;
using rules::TestSpec;

std::string describe(const Decision& decision, Timestamp base) {
  const Duration since = decision.time - base;
  std::string lines;
  if (decision.lines) lines = fmt::format(" with the lines \"{}\"", printable(join(*decision.lines, "\n")));
  return fmt::format("{} {} {}{}{}", since.us >= 0 ? "+" + to_string(since) : to_rfc3339(decision.time),
                     decision.action.empty() ? "(no action)" : decision.action, printable(engine::to_text(decision.key)),
                     lines, decision.fate == Decision::Fate::held ? " held" : "");
}

std::string describe(const TestSpec::Expected& expected) {
  std::string out = fmt::format("{} {}", expected.at, expected.action.empty() ? "(no action)" : expected.action);
  for (const auto& [name, value] : expected.key) out += fmt::format(" {}={}", name, printable(expr::to_text(value)));
  for (const auto& [name, value] : expected.with) out += fmt::format(" with {}={}", name, printable(value));
  if (expected.lines) out += fmt::format(" with the lines \"{}\"", printable(join(*expected.lines, "\n")));
  return out;
}

// "--name value", "--name=value", or the value as an element of its own.
bool has_argument(const std::vector<std::string>& argv, const std::string& name, const std::string& value) {
  for (std::size_t i = 0; i < argv.size(); ++i) {
    if (argv[i] == value || argv[i] == fmt::format("--{}={}", name, value)) return true;
  }
  return false;
}

bool matches(const Decision& decision, const TestSpec::Expected& expected, Timestamp base) {
  const auto at = rules::parse_moment(expected.at, base);
  if (at && decision.time != *at) return false;
  if (decision.action != expected.action) return false;
  if (expected.lines && decision.lines.value_or(std::vector<std::string>()) != *expected.lines) return false;
  for (const auto& [name, value] : expected.key) {
    const auto found = std::find_if(decision.key.begin(), decision.key.end(), [&](const auto& k) { return k.first == name; });
    if (found == decision.key.end() || expr::to_text(found->second) != expr::to_text(value)) return false;
  }
  return std::all_of(expected.with.begin(), expected.with.end(),
                     [&](const auto& with) { return has_argument(decision.argv, with.first, with.second); });
}

// The decisions that were expected and did not come, and those that came and were not expected.
std::optional<Diagnostic> compare(const Rule& rule, const TestSpec& test, const std::vector<Decision>& all, Timestamp base) {
  std::vector<const Decision*> left;
  for (const Decision& decision : all) {
    if (decision.rule == rule.id && decision.fate == Decision::Fate::decided) left.push_back(&decision);
  }
  const std::size_t count = left.size();
  for (const TestSpec::Expected& expected : test.expect) {
    const auto found = std::find_if(left.begin(), left.end(), [&](const Decision* d) { return matches(*d, expected, base); });
    if (found != left.end()) {
      left.erase(found);
      continue;
    }
    Diagnostic d = make_error("E071", fmt::format("rule \"{}\", test \"{}\": expected {}", rule.id, test.name, describe(expected)), "");
    d.place = expected.place.line > 0 ? expected.place : test.place;
    std::vector<std::string> got;
    for (const Decision* decision : left) got.push_back(describe(*decision, base));
    d.hint = got.empty() ? fmt::format("{} came out", count == 0 ? "no decision" : "no further decision") : "came out: " + join(got, "; ");
    return d;
  }
  if (left.empty()) return std::nullopt;
  Diagnostic d = make_error("E071", fmt::format("rule \"{}\", test \"{}\": came out and was not expected: {}", rule.id, test.name,
                                                describe(*left[0], base)),
                            "put it into `expect` if it is right; `why`: " + left[0]->why);
  d.place = test.place;
  return d;
}

void run_test(const std::shared_ptr<const Matcher>& matcher, const Rule& rule, const TestSpec& test, CheckReport& report) {
  ++report.tests;
  const rules::Timeline timeline = rules::parse_timeline(test.log, test.log_place);
  if (has_errors(timeline.diagnostics)) return;  // the loader has said so
  TimelineRun run(matcher, test);
  if (auto status = run.start(); !status) {
    report.diagnostics.push_back(status.error());
    return;
  }
  for (const rules::TimelineStep& step : timeline.steps) run.step(step);
  run.end();
  if (auto problem = compare(rule, test, run.decisions(), timeline.base)) report.diagnostics.push_back(std::move(*problem));
}

// --- boundary timelines ------------------------------------------------------------------------------------------------

// A counting rule whose decisions depend on nothing but the number and the times of its events.
const rules::Count* plain_count(const Rule& rule) {
  const auto* count = std::get_if<rules::Count>(&rule.operation);
  const bool plain = count != nullptr && !count->tumbling && !count->weight && rule.ignore.empty() && rule.unless.empty() &&
                     rule.hold.us == 0 && count->threshold.count > 1;
  return plain ? count : nullptr;
}

struct Seed {
  const TestSpec* test = nullptr;
  rules::TimelineStep line;
};

// The first line of a test of the rule that fires: a line that the rule counts.
std::optional<Seed> find_seed(const Rule& rule) {
  for (const TestSpec& test : rule.tests) {
    if (test.expect.empty()) continue;
    const rules::Timeline timeline = rules::parse_timeline(test.log, test.log_place);
    for (const rules::TimelineStep& step : timeline.steps) {
      if (step.kind == rules::TimelineStep::Kind::line && !step.arrival) return Seed{&test, step};
    }
  }
  return std::nullopt;
}

// How many decisions the rule takes if the seed's line comes at these times.
std::optional<std::size_t> decisions_of(const std::shared_ptr<const Matcher>& matcher, const Rule& rule, const Seed& seed,
                                        const std::vector<Timestamp>& times) {
  TimelineRun run(matcher, *seed.test);
  if (!run.start().ok()) return std::nullopt;
  for (const Timestamp time : times) {
    rules::TimelineStep step = seed.line;
    step.time = time;
    run.step(step);
  }
  run.end();
  const auto mine = [&](const Decision& d) { return d.rule == rule.id && !d.clearing && d.step <= 1 && d.row == 0; };
  return static_cast<std::size_t>(std::count_if(run.decisions().begin(), run.decisions().end(), mine));
}

// The weight that one such line has for the rule.
std::uint64_t weight_of(const std::shared_ptr<const Matcher>& matcher, const Rule& rule, const Seed& seed) {
  TimelineRun run(matcher, *seed.test);
  if (!run.start().ok()) return 0;
  run.step(seed.line);
  run.end();
  for (const engine::Event& event : run.events()) {
    const bool counted = std::any_of(rule.on.begin(), rule.on.end(), [&](const rules::EventRef& on) { return on.matches_class(event.cls); });
    if (counted && !event.stale && !event.implausible && !event.folded) return event.weight;
  }
  return 0;
}

std::vector<Timestamp> spread(Timestamp begin, std::size_t lines, Duration length) {
  std::vector<Timestamp> times;
  const std::int64_t gap = lines > 1 ? std::min<std::int64_t>(length.us / static_cast<std::int64_t>(lines - 1), 10'000'000) : 0;
  for (std::size_t i = 0; i + 1 < lines; ++i) times.push_back(begin + Duration{gap * static_cast<std::int64_t>(i)});
  times.push_back(begin + length);
  return times;
}

void check_boundary(const std::shared_ptr<const Matcher>& matcher, const Rule& rule, const rules::Count& count, CheckReport& report) {
  const auto seed = find_seed(rule);
  if (!seed) return;
  const std::uint64_t weight = weight_of(matcher, rule, *seed);
  if (weight == 0 || weight >= count.threshold.count || count.threshold.count / weight > 1'024) return;
  const auto lines = static_cast<std::size_t>((count.threshold.count + weight - 1) / weight);
  const Duration within = count.threshold.within, second = Duration::seconds(1);
  const Timestamp begin = seed->line.time;
  struct Case {
    const char* what;
    std::vector<Timestamp> times;
    bool fires;
  };
  const Case cases[] = {
      {"one line fewer than the threshold", spread(begin, lines - 1, Duration{}), false},
      {"exactly the threshold at once", spread(begin, lines, Duration{}), true},
      {"the last line a second before the window's end", spread(begin, lines, within - second), true},
      {"the last line exactly at the window's end", spread(begin, lines, within), false},
      {"the last line a second after the window's end", spread(begin, lines, within + second), false},
  };
  for (const Case& c : cases) {
    ++report.boundaries;
    const auto got = decisions_of(matcher, rule, *seed, c.times);
    if (!got || (*got > 0) == c.fires) continue;
    Diagnostic d = make_error(
        "W010", fmt::format("rule \"{}\" {} with {} ({} of weight {}, {} in {})", rule.id, c.fires ? "does not fire" : "fires", c.what,
                            counted(c.times.size(), "line"), weight, count.threshold.count, to_string(within)),
        "something beside the count decides here; say in a [[rule.test]] what is meant");
    d.gravity = Gravity::warning;
    d.place = rule.place;
    report.diagnostics.push_back(std::move(d));
  }
}

}  // namespace

void check_tests(const std::shared_ptr<const Matcher>& matcher, const std::function<bool(const Place&)>& wanted, CheckReport& report) {
  for (const Rule& rule : matcher->rules()->rules) {
    for (const TestSpec& test : rule.tests) {
      if (wanted(test.place)) run_test(matcher, rule, test, report);
    }
  }
}

void check_boundaries(const std::shared_ptr<const Matcher>& matcher, CheckReport& report) {
  for (const Rule& rule : matcher->rules()->rules) {
    if (const rules::Count* count = plain_count(rule)) check_boundary(matcher, rule, *count, report);
  }
}

}  // namespace correlator::pipeline
