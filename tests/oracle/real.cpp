// SPDX-License-Identifier: Apache-2.0
#include "real.h"

#include "oracle.h"
#include "random.h"

namespace correlator::oracle {

std::shared_ptr<const rules::RuleSet> load(const Spec& spec, std::string& errors) {
  auto loaded = rules::load({{"random.toml", to_toml(spec)}});
  for (const Diagnostic& diagnostic : loaded.diagnostics) errors += to_text(diagnostic) + "\n";
  return loaded.rules;
}

Real::Real(std::shared_ptr<const rules::RuleSet> rules, const Spec& spec) : rules_(std::move(rules)) {
  for (const Rule& rule : spec.rules) rule_ids_.push_back(rule.id);
  const auto sink = [this](const engine::StepOutput& output, const rules::RuleSet&) {
    for (const engine::Decision& d : output.decisions) {
      using Fate = engine::Decision::Fate;
      const char* fate = d.fate == Fate::decided ? "decided" : d.fate == Fate::held ? "held" : "dropped";
      out_.push_back(said_decision(fate, d.rule, engine::to_text(d.key), d.time.us, d.step, d.clearing, d.action));
      if (d.fate == Fate::decided && !ids_.insert(d.id).second) unique_ = false;
    }
    for (const engine::CaseChange& change : output.cases) {
      out_.push_back(said_case(change.kind == engine::CaseChange::Kind::opened, change.rule, engine::to_text(change.key), change.time.us));
    }
  };
  auto session = pipeline::Session::start(rules_, std::nullopt, {}, sink);
  if (session) session_ = std::move(session).value();
}

std::vector<std::string> Real::step(const Input& input) {
  out_.clear();
  switch (input.kind) {
    case Input::Kind::mark:
      session_->mark({input.event.time});
      break;
    case Input::Kind::reset: {
      engine::CommandRecord command;
      command.verb = engine::CommandRecord::Verb::reset;
      command.rule = rule_ids_[input.reset_rule];
      session_->command(command);
      break;
    }
    case Input::Kind::line:
    case Input::Kind::noise: {
      const bool noise = input.kind == Input::Kind::noise;
      const std::string frame = noise ? to_rfc3339({input.event.time}) + " h1 prog: nothing" : to_line(input.event);
      pipeline::Line line;
      line.frame = frame;
      line.stream = "random.log";
      line.line_number = ++lines_;
      line.time = {input.event.time};
      if (session_->line(line) == noise) out_.push_back(noise ? "noise matched" : "the line matched no pattern");
      break;
    }
  }
  return out_;
}

bool Real::restart(std::string& error) {
  std::vector<engine::StateRow> changes;
  session_->engine().take_changes(changes);
  for (engine::StateRow& row : changes) {
    const auto at = std::pair(row.kind, row.id);
    if (row.erased) {
      rows_.erase(at);
    } else {
      rows_[at] = std::move(row);
    }
  }
  std::vector<engine::StateRow> rows;
  for (const auto& [at, row] : rows_) rows.push_back(row);
  engine::Engine fresh{engine::Options{}};
  if (const Status status = fresh.restore(rules_, session_->engine().seq(), rows); !status) {
    error = to_text(status.error());
    return false;
  }
  session_->engine() = std::move(fresh);
  return true;
}

}  // namespace correlator::oracle
