// SPDX-License-Identifier: Apache-2.0
// Lines that rules make: those that are carried over, and who misses the others.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "importer.h"
#include "pattern/regex.h"

namespace correlator::rules::sec {
namespace {

bool makes_lines(Verb verb) { return verb == Verb::event || verb == Verb::tevent || verb == Verb::cevent; }

// Whether a line with this text, as it is written in the rule, may match. What a value will be is not known.
bool may_read(const Member& member, const std::string& text) {
  const LinePattern& pattern = member.pattern;
  const bool constant = text.find_first_of("$%") == std::string::npos;
  if (pattern.type == LinePattern::Type::truth) return pattern.truth != pattern.negated;
  if (pattern.type == LinePattern::Type::substring && constant) return (text.find(pattern.text) != std::string::npos) != pattern.negated;
  const bool plain = pattern.type == LinePattern::Type::regexp && pattern.regexp && pattern.regexp->scannable() != nullptr;
  return !plain || !constant || pattern.regexp->scannable()->matches(text) != pattern.negated;
}

}  // namespace

// `then`: where such an action can be said.
void Importer::find_makers(const ProcedureRule& rule, const ActionListPtr& list, bool then) {
  if (list == nullptr) return;
  for (const Action& action : list->actions) {
    if (makes_lines(action.verb)) {
      makers_.emplace_back(&rule, &action);
      if (!then) contexts_.leave_out(action);
    }
    find_makers(rule, action.list, false);
    find_makers(rule, action.otherwise, false);
  }
}

// What the rule would have read of lines that nobody makes any more.
void Importer::say_lost_lines(Carrying& to) const {
  for (const auto& [rule, action] : makers_) {
    if (!contexts_.left_out(*rule, *action)) continue;
    const bool reads = std::any_of(to.rule.members.begin(), to.rule.members.end(), [&, text = action->text.value_or("%s")](const Member& member) { return may_read(member, text); });
    if (reads) differ(to, fmt::format("the line that line {} of {} makes, and that it may read, does not come: that is left out", action->place.line, action->place.file));
  }
}

// Lines that the list makes, as `emit`.
void Importer::made_lines(Carrying& to, const ActionListPtr& list, const StepScope& scope) {
  std::vector<std::string> all;
  for (const Action& action : list->actions) {
    if (action.verb != Verb::event) continue;
    const auto text = text_of(to, action, action.text.value_or("%s"), scope);
    if (!text) {
      changed_ = contexts_.leave_out(action) || changed_;
      continue;
    }
    if (action.number > 0) {
      differ(to, "the line that comes later is read behind those of the five seconds after it");
      to.differs.back().place = action.place;
    }
    all.push_back(fmt::format("{{ line = {}{} }}", toml_text(as_template(*text)), action.number > 0 ? fmt::format(", after = \"{}s\"", action.number) : ""));
  }
  if (!all.empty()) to.lines.push_back(fmt::format("emit  = [{}]", join(all, ", ")));
}

}  // namespace correlator::rules::sec
