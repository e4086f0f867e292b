// SPDX-License-Identifier: Apache-2.0
#include "timeline_run.h"

#include <fmt/format.h>

#include <algorithm>

#include "pipeline/live.h"

namespace correlator::pipeline {

TimelineRun::TimelineRun(const std::shared_ptr<const Matcher>& matcher, const rules::TestSpec& test)
    : matcher_(matcher), test_(test) {}

Status TimelineRun::start() {
  SessionOptions options;
  options.matcher = matcher_;
  options.load_lookups = false;
  auto session = Session::start(matcher_->rules(), std::nullopt, options, [this](const engine::StepOutput& out, const rules::RuleSet&) {
    events_.insert(events_.end(), out.events.begin(), out.events.end());
    decisions_.insert(decisions_.end(), out.decisions.begin(), out.decisions.end());
  });
  if (!session) return session.error();
  session_ = std::move(session).value();
  give_lookups();
  return {};
}

void TimelineRun::give_lookups() {
  for (const rules::Lookup& lookup : matcher_->rules()->lookups) {
    const auto rows = test_.lookups.find(lookup.name);
    if (rows == test_.lookups.end()) continue;
    rules::LookupTable table;
    for (const auto& given : rows->second) {
      std::vector<std::string> row;
      for (const std::string& column : lookup.columns) {
        const auto value = given.find(column);
        row.push_back(value == given.end() ? std::string{} : expr::to_text(value->second));
      }
      table.rows.push_back(std::move(row));
    }
    session_->lookup({lookup.name, std::move(table), now_});
  }
}

std::string TimelineRun::frame_of(const rules::TimelineStep& step) {
  const std::string time = to_rfc3339(step.time);
  if (step.input.empty()) return fmt::format("{} {} {}", time, step.host, step.text);
  const bool kernel = step.text.starts_with("kernel:");
  return fmt::format("{} {} {} {} {}", time, step.host, step.input, kernel ? "kern.warning" : "daemon.info", step.text);
}

void TimelineRun::line(Timestamp time, std::optional<Timestamp> arrival, const std::string& frame) {
  Line line;
  line.frame = frame;
  line.stream = "test";
  line.line_number = ++lines_;
  line.time = time;
  line.arrival = arrival;
  if (arrival && time > *arrival + LiveOptions{}.ahead) {
    line.time = *arrival;
    line.clamped = true;
  }
  now_ = std::max(now_, line.time);
  session_->line(line);
}

// Saves what changed, as a store would, and goes on with an engine that was restored from it.
void TimelineRun::restart() {
  std::vector<engine::StateRow> changes, rows;
  session_->engine().take_changes(changes);
  for (engine::StateRow& row : changes) {
    const auto key = std::pair{row.kind, row.id};
    if (row.erased) {
      rows_.erase(key);
    } else {
      rows_.insert_or_assign(key, std::move(row));
    }
  }
  for (const auto& [key, row] : rows_) rows.push_back(row);
  engine::Engine restored{engine::Options{}};
  if (restored.restore(matcher_->rules(), session_->engine().seq(), rows).ok()) session_->engine() = std::move(restored);
}

void TimelineRun::outcome(const std::string& action, bool success) {
  const auto last = std::find_if(decisions_.rbegin(), decisions_.rend(), [&](const engine::Decision& d) { return d.action == action; });
  if (last == decisions_.rend()) return;
  const engine::OutcomeRecord record{last->id, success ? engine::OutcomeRecord::Result::done : engine::OutcomeRecord::Result::failed, now_};
  session_->outcome(record);
}

void TimelineRun::step(const rules::TimelineStep& step) {
  using Kind = rules::TimelineStep::Kind;
  switch (step.kind) {
    case Kind::line: return line(step.time, step.arrival, frame_of(step));
    case Kind::restart: return restart();
    case Kind::until: now_ = std::max(now_, step.time); return session_->mark(step.time);
    case Kind::ack: {
      engine::CommandRecord command;
      command.verb = engine::CommandRecord::Verb::ack;
      command.rule = step.target;
      command.key = step.key;
      command.author = "test";
      return session_->command(command);
    }
    case Kind::fails: return outcome(step.target, false);
    case Kind::succeeds: return outcome(step.target, true);
    case Kind::probe_ok: return session_->probe({step.target, step.host, engine::ProbeRecord::Result::ok, step.text, now_});
    case Kind::probe_failed: return session_->probe({step.target, step.host, engine::ProbeRecord::Result::failed, step.text, now_});
    case Kind::probe_broken: return session_->probe({step.target, step.host, engine::ProbeRecord::Result::broken, step.text, now_});
  }
}

}  // namespace correlator::pipeline
