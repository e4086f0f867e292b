// SPDX-License-Identifier: Apache-2.0
// SEC walks its rules in order, and a rule that matches takes the line from those behind it. What is left for each rule.
#include <fmt/format.h>

#include <algorithm>

#include "importer.h"

namespace correlator::rules::sec {
namespace {

using How = procedure::Continue::How;

How how_of(const ProcedureRule& rule) {
  if (rule.type == RuleType::suppress) return How::stop;
  if (rule.type == RuleType::calendar) return How::next;
  if (rule.type != RuleType::group) return rule.members.front().then.how;
  How out = How::next;
  for (const Member& member : rule.members) {
    if (member.then.how != How::next) out = member.then.how;
  }
  return out;
}

bool is_pair(const ProcedureRule& rule) { return rule.type == RuleType::pair || rule.type == RuleType::pair_window; }

// Whether a GoTo of the rule leads to where `other` still sees the line.
bool lands_before(const ProcedureRule& rule, const ProcedureRule& other) {
  const procedure::Continue& then = rule.members.front().then;
  return then.how == How::jump && other.number >= then.target;
}

}  // namespace

const ProcedureFile& Importer::file_of(const ProcedureRule& rule) const {
  for (const auto& file : program_.files) {
    if (!file->rules.empty() && &rule >= file->rules.data() && &rule < file->rules.data() + file->rules.size()) return *file;
  }
  return *program_.files.front();
}

// A line that a GoTo takes over a rule does not come to it.
LineTest Importer::unless_passed_over(const ProcedureFile& file, const ProcedureRule& rule, Reach& out) const {
  LineTest all;
  std::uint32_t farthest = 0;
  for (const ProcedureRule& other : file.rules) {
    if (&other == &rule) break;
    if (how_of(other) != How::jump) continue;
    if (other.number < farthest || other.type == RuleType::group) out.remarks.push_back(fmt::format("which lines the GoTo in line {} of {} takes away depends on another rule", other.place.line, file.name));
    const std::uint32_t target = other.members.front().then.target;
    farthest = std::max(farthest, target);
    if (target > rule.number) all = both(std::move(all), negated(match_of(other)));
  }
  return all;
}

// Rules of a file in front of `until`, or all of them with those that end matching everywhere.
void Importer::add_earlier(const ProcedureFile& file, const ProcedureRule* until, Reach& out) const {
  for (const ProcedureRule& rule : file.rules) {
    if (&rule == until) return;
    const auto ends = [](const Member& member) { return member.then.how == How::end; };
    const bool everywhere = std::any_of(rule.members.begin(), rule.members.end(), ends);
    if (until == nullptr && !everywhere) continue;
    const std::string name = fmt::format("{} in line {} of {}", procedure::rule_type_name(rule.type), rule.place.line, file.name);
    if (rule.type == RuleType::jump && until != nullptr) {
      for (const auto& other : program_.files) {
        const auto joined = [&](const std::string& set) { return std::find(rule.sets.begin(), rule.sets.end(), set) != rule.sets.end(); };
        if (std::none_of(other->sets.begin(), other->sets.end(), joined)) continue;
        for (const ProcedureRule& inside : other->rules) {
          if (std::any_of(inside.members.begin(), inside.members.end(), ends)) out.remarks.push_back(fmt::format("{} jumps to rules that end matching", name));
        }
      }
    }
    if (is_pair(rule) && rule.members[1].then.how != How::next) {
      out.endings.emplace_back(fmt::format("{} takes the line that ends its operation", name), &rule.members[1].pattern);
    }
    if (how_of(rule) == How::next || (until != nullptr && lands_before(rule, *until))) continue;
    LineTest taken = both(match_of(rule), unless_passed_over(file, rule, out));
    if (!taken.obstacle.empty()) out.remarks.push_back(fmt::format("{} takes lines before it, and {}", name, taken.obstacle));
    if (!taken.obstacle.empty() || taken.never) continue;
    const std::uint32_t last = until == nullptr ? UINT32_MAX : until->number;
    if (contexts_.changed_between(taken.contexts, file, rule.number, last)) out.remarks.push_back(fmt::format("{} takes lines before it by a context that changes with the same line", name));
    out.none.push_back(std::move(taken));
  }
}

// How a line comes to the beginning of a file.
Reach Importer::reach_of_file(const ProcedureFile& file) const {
  std::vector<const ProcedureRule*> jumps;
  bool by_value = false;
  for (const auto& other : program_.files) {
    for (const ProcedureRule& rule : other->rules) {
      if (rule.type != RuleType::jump) continue;
      by_value = by_value || (!rule.constant_sets && !file.sets.empty());
      for (const std::string& set : rule.sets) {
        if (std::find(file.sets.begin(), file.sets.end(), set) != file.sets.end()) jumps.push_back(&rule);
      }
    }
  }
  Reach out;
  if (by_value) out.obstacle = "a Jump chooses its file by a value of the line";
  else if (jumps.size() + static_cast<std::size_t>(file.sees_input) > 1) out.obstacle = "a line can come to its file on several ways, each of which counts";
  else if (jumps.empty() && !file.sees_input) out.obstacle = "no line comes to its file";
  else if (!on_the_way_.insert(&file).second) out.obstacle = "Jump rules go round in a circle";
  if (!out.obstacle.empty()) return out;
  if (jumps.empty()) {
    for (const auto& other : program_.files) {
      if (other.get() == &file) break;
      if (other->sees_input) add_earlier(*other, nullptr, out);
    }
  } else {
    out = reach_of(*jumps.front());
    LineTest jumped = match_of(*jumps.front());
    if (!jumped.obstacle.empty()) out.obstacle = fmt::format("the Jump in line {} of {} cannot be said: {}", jumps.front()->place.line, file_of(*jumps.front()).name, jumped.obstacle);
    if (jumped.never) out.obstacle = "the Jump to its file never matches";
    const ProcedureRule& jump = *jumps.front();
    if (contexts_.changed_between(jumped.contexts, file_of(jump), jump.number, jump.number)) out.remarks.push_back(fmt::format("the Jump in line {} of {} asks for a context that changes with the same line", jump.place.line, file_of(jump).name));
    if (!jumped.always()) out.all.push_back(std::move(jumped));
  }
  on_the_way_.erase(&file);
  return out;
}

Reach Importer::reach_of(const ProcedureRule& rule) const {
  const ProcedureFile& file = file_of(rule);
  Reach out = reach_of_file(file);
  if (out.obstacle.empty()) add_earlier(file, &rule, out);
  if (std::any_of(out.none.begin(), out.none.end(), [](const LineTest& test) { return test.always(); })) out.obstacle = "rules before it take every line";
  return out;
}

}  // namespace correlator::rules::sec
