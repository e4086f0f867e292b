// SPDX-License-Identifier: Apache-2.0
#include "check.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>

#include "base/json.h"
#include "reference.h"

namespace correlator::sim {
namespace {

void differ(World& world, const std::string& what, const std::vector<std::string>& got, const std::vector<std::string>& wanted) {
  if (got == wanted) return;
  std::size_t at = 0;
  while (at < got.size() && at < wanted.size() && got[at] == wanted[at]) ++at;
  world.wrong.push_back(fmt::format("{}: {} where {} are wanted; number {}\n  got    {}\n  wanted {}", what, got.size(), wanted.size(), at,
                                    at < got.size() ? got[at] : "nothing", at < wanted.size() ? wanted[at] : "nothing"));
}

// The step in front of which the second rules came into force, as the intake has it.
std::size_t reload_position(Machine& machine, store::EngineDb& db) {
  std::map<std::string, std::size_t> steps;
  std::map<Timestamp, std::size_t> marks;
  for (std::size_t i = 0; i < machine.steps.size(); ++i) {
    const Step& step = machine.steps[i];
    if (step.kind == Step::Kind::line) steps[step.id] = i;
    if (step.mark) marks[step.due] = i;
  }
  std::size_t after = 0, position = SIZE_MAX;
  const Status read = db.each_intake(0, [&](store::IntakeRow&& row) {
    if (row.kind == store::IntakeKind::rules && row.frame == second_rules()->hash) position = std::min(position, after);
    if (const auto mark = marks.find(row.time); row.kind == store::IntakeKind::mark && mark != marks.end()) after = std::max(after, mark->second + 1);
    if (const auto step = steps.find(row.line_id); !row.line_id.empty() && step != steps.end()) after = std::max(after, step->second + 1);
    return true;
  });
  if (!read) machine.world.wrong.push_back(read.error().message);
  if (position == SIZE_MAX) machine.world.wrong.push_back(fmt::format("the reload is not recorded; {} reloads, wanted {}, snapshot of {}", machine.result.reloads, second_rules()->hash.substr(0, 8), db.snapshot()->rules_hash.substr(0, 8)));
  return position;
}

bool is_idempotent(const std::string& action) {
  const auto found = second_rules()->find_action(action);
  return found && second_rules()->actions[*found].idempotent;
}

// The programs of one decision, in the order of their starts, against the ledger.
void check_programs(Machine& machine, const store::Job& job, const std::vector<const Program*>& programs, store::LedgerDb& ledger) {
  World& world = machine.world;
  std::map<std::uint32_t, store::Attempt> attempts;
  static_cast<void>(ledger.each_attempt(job.decision, [&](const store::Attempt& attempt) {
    attempts[attempt.number] = attempt;
    return true;
  }));
  for (std::size_t i = 0; i + 1 < programs.size(); ++i) {
    ++machine.result.started_again;
    const Program& first = *programs[i];
    const auto attempt = attempts.find(first.attempt);
    const std::string what = fmt::format("{} {} attempt {}", job.action, job.decision.substr(0, 8), first.attempt);
    if (attempt == attempts.end()) {
      world.wrong.push_back(what + " is not in the ledger");
      continue;
    }
    const bool end_known = attempt->second.ended > Timestamp{} && (attempt->second.exit_code >= 0 || attempt->second.signal != 0 || attempt->second.timed_out);
    const bool failed = end_known && (attempt->second.exit_code != 0 || attempt->second.timed_out);
    if (end_known && !failed) world.wrong.push_back(what + " was done, and was started again");
    if (!end_known && !is_idempotent(job.action)) world.wrong.push_back(what + " may not be run twice, and was started again without its end being known");
    const Program& second = *programs[i + 1];
    if (first.ends > second.started && first.pid_recorded) world.wrong.push_back(what + " still ran when it was started again");
  }
}

}  // namespace

void check_lines(Machine& machine, store::EngineDb& db) {
  std::map<std::string, int> recorded;
  const Status read = db.each_intake(0, [&](store::IntakeRow&& row) {
    if (!row.line_id.empty()) ++recorded[row.line_id];
    return true;
  });
  if (!read) machine.world.wrong.push_back(read.error().message);
  RunResult& result = machine.result;
  for (std::size_t i = 0; i < machine.steps.size(); ++i) {
    const Step& step = machine.steps[i];
    if (step.kind != Step::Kind::line) continue;
    ++result.lines;
    const int times = recorded.contains(step.id) ? recorded[step.id] : 0;
    machine.gone[i] = machine.gone[i] && times == 0;  // it came again
    result.recorded += times > 0 ? 1 : 0;
    result.doubled += times > 1 ? 1 : 0;
    const bool wanted = step.means_something && machine.peer.answered[i] && !machine.gone[i];
    if (wanted && times == 0 && !machine.trims) {
      ++result.lost;
      machine.world.wrong.push_back(fmt::format("line {} was answered and is not recorded", step.id));
    }
    if (times > 1) machine.world.wrong.push_back(fmt::format("line {} is recorded {} times", step.id, times));
  }
}

void check_decisions(Machine& machine, store::EngineDb& db) {
  World& world = machine.world;
  std::vector<std::string> decisions;
  const Status read = db.each_decision({}, [&](std::string_view document) {
    decisions.emplace_back(document);
    return true;
  });
  if (!read) world.wrong.push_back(read.error().message);
  const std::size_t reload_at = machine.reloads ? reload_position(machine, db) : SIZE_MAX;
  const Outcome wanted = undisturbed(machine.steps, reload_at, machine.gone);
  machine.result.decisions = decisions.size();
  differ(world, "decisions", decisions, wanted.decisions);
  auto engine = pipeline::restore_engine(db, {});
  if (engine) {
    differ(world, "windows", windows_of(*engine), wanted.windows);
  } else {
    world.wrong.push_back("restoring: " + engine.error().message);
  }
  const auto recorded = pipeline::replay_recorded(db, {}, {});
  if (!recorded) world.wrong.push_back("replay --recorded: " + recorded.error().message);
  if (recorded && recorded->different > 0) world.wrong.push_back(fmt::format("replay --recorded: {} decisions are different", recorded->different));
}

void check_starts(Machine& machine, std::uint64_t seed) {
  World& world = machine.world;
  auto ledger = store::LedgerDb::open(world.ledger, false);
  if (!ledger) return world.wrong.push_back(ledger.error().message);
  std::map<std::string, std::vector<const Program*>> programs;
  std::vector<Timestamp> pages;
  for (const Program& program : world.programs.all) {
    ++(program.opinion ? machine.result.opinions : machine.result.starts);
    if (program.opinion) continue;
    programs[program.decision].push_back(&program);
    if (program.script == "page") pages.push_back(program.started);
  }
  for (std::size_t i = 3; i < pages.size(); ++i) {
    if (pages[i] - pages[i - 3] < Duration::minutes(5)) world.wrong.push_back("the budget of 3 pages in 5 minutes was exceeded");
  }
  std::set<std::string> wanted;
  auto db = store::EngineDb::open(world.state, {.access = store::Access::read_only});
  if (!db) return world.wrong.push_back(db.error().message);
  static_cast<void>(db->decisions_after(0, [&](store::StoredDecision&& decision) {
    if (decision.action.empty() || decision.fate != "decided") return true;
    const auto job = ledger->find(decision.id);
    if (!job || !*job) {
      world.wrong.push_back(fmt::format("decision {} never came to the ledger", decision.id.substr(0, 8)));
      return true;
    }
    const auto started = programs.find(decision.id);
    if ((*job)->state == store::JobState::skipped && (*job)->received - decision.time > Duration::days(30)) return true;  // a clock of 1970
    const bool runs = decision.action != "doubt" || says_yes(seed, decision.id);
    const bool left_to_a_person = (*job)->state == store::JobState::unknown && !is_idempotent(decision.action) && machine.result.dispatcher_deaths > 0;
    if (runs && started == programs.end() && !left_to_a_person) world.wrong.push_back(fmt::format("{} {} was never started: {}", decision.action, decision.id.substr(0, 8), (*job)->reason));
    if (!runs && started != programs.end()) world.wrong.push_back(fmt::format("{} was started against the second opinion", decision.id.substr(0, 8)));
    if (started == programs.end()) return true;
    const auto document = parse_json(decision.document);
    for (const Program* program : started->second) {
      if (document && program->arguments != document->value("argv", std::vector<std::string>{})) world.wrong.push_back(fmt::format("{} has other arguments than were decided", decision.id.substr(0, 8)));
    }
    check_programs(machine, **job, started->second, *ledger);
    programs.erase(started);
    return true;
  }));
  for (const auto& [decision, list] : programs) world.wrong.push_back(fmt::format("{} was started and is not decided", decision));
}

}  // namespace correlator::sim
