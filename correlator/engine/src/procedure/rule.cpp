// SPDX-License-Identifier: Apache-2.0
// A line meets one rule.
#include "core.h"

namespace correlator::engine {

using rules::procedure::Continue;
using rules::procedure::RuleType;

Setting Procedure::Core::setting_of(const std::shared_ptr<FileState>& file, const RuleState& run, const PatternHit& hit, const std::string& description) {
  Setting out;
  out.scope = {hit.bindings, nullptr, cache};
  out.description = match_text(description, out.scope, out.description_from_log);
  out.file = file;
  out.rule = run.rule->number;
  return out;
}

std::optional<Continue> Procedure::Core::meet(const std::shared_ptr<FileState>& file, RuleState& run, Walk& walk) {
  const rules::procedure::ProcedureRule& rule = *run.rule;
  if (rule.type == RuleType::calendar) return std::nullopt;
  if (rule.type == RuleType::group) {
    for (std::uint32_t k = 0; k < rule.members.size(); ++k) {
      const PatternHit hit = member_matches(rule.members[k], run.filters[k]);
      if (!hit) continue;
      ++run.matches;
      group(run, k, setting_of(file, run, hit, rule.description));
      return rule.members[k].then;
    }
    return std::nullopt;
  }
  const rules::procedure::Member& first = rule.members.front();
  const bool pair = rule.type == RuleType::pair || rule.type == RuleType::pair_window;
  const PatternHit hit = member_matches(first, run.filters.front());
  if (!hit) return pair ? end_pairs(file, run) : std::nullopt;
  ++run.matches;
  Setting setting = setting_of(file, run, hit, rule.description);
  switch (rule.type) {
    case RuleType::single: this->run(rule.action, setting); break;
    case RuleType::script: start_script(setting, run); break;
    case RuleType::suppress_repeats: suppress_repeats(run, std::move(setting)); break;
    case RuleType::pair:
    case RuleType::pair_window: begin_pair(run, std::move(setting)); break;
    case RuleType::threshold: count(run, std::move(setting)); break;
    case RuleType::two_thresholds: count_twice(run, std::move(setting)); break;
    case RuleType::suppress: return Continue{};
    case RuleType::jump: walk = jump(run, setting.scope); break;
    case RuleType::group:
    case RuleType::calendar: break;
  }
  return first.then;
}

// A jump counts what it jumps to as well, as the rules there do.
std::optional<Continue> Procedure::Core::meet_measured(const std::shared_ptr<FileState>& file, RuleState& run, Walk& walk) {
  const std::uint64_t before = options.cpu_time();
  auto then = meet(file, run, walk);
  run.cpu += options.cpu_time() - before;
  ++run.met;
  return then;
}

void Procedure::Core::start_script(const Setting& setting, const RuleState& run) {
  Effect& start = effect(Effect::Kind::command);
  start.feeds = true;
  for (const auto& [name, store] : stores) start.text += name + "\n";
  start.number = ++tickets;
  if (run.rule->shell) {
    start.command = script_text(run.rule->script, setting, true);
  } else {
    for (const std::string& word : run.rule->script_words) start.words.push_back(script_text(word, setting, false));
  }
  scripts[start.number] = {{run.rule->action, setting}, run.rule->action2};
}

// Files of sets, one after the other. A set that the line is on its way through already is passed over.
Walk Procedure::Core::jump(RuleState& run, const Scope& scope) {
  for (const std::string& written : run.rule->sets) {
    bool from_log = false;
    const std::string name = run.rule->constant_sets ? written : match_text(written, scope, from_log);
    const auto set = sets.find(name);
    if (set == sets.end()) {
      say(3, "rule " + std::to_string(run.rule->number + 1) + " of " + run.file->file->name + " jumps to set " + name + ", which no file joins");
      continue;
    }
    if (!set_stack.insert(name).second) {
      say(3, "rule " + std::to_string(run.rule->number + 1) + " of " + run.file->file->name + " jumps to set " + name + " in a circle, which is not done");
      continue;
    }
    Walk walked = Walk::on;
    for (const auto& file : set->second) {
      walked = walk(file);
      if (walked == Walk::end) break;
    }
    set_stack.erase(name);
    if (walked == Walk::end) return Walk::end;
  }
  return Walk::on;
}

}  // namespace correlator::engine
