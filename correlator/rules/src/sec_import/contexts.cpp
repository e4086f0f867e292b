// SPDX-License-Identifier: Apache-2.0
// Which contexts of SEC live as long as contexts of the TOML rules would.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "importer.h"
#include "rules/variables.h"

namespace correlator::rules::sec {
namespace {

std::string_view before_value(std::string_view name) { return name.substr(0, name.find_first_of("$%")); }

// Whether two names can come out the same.
bool may_be_one(std::string_view a, std::string_view b) {
  const std::string_view begin_a = before_value(a), begin_b = before_value(b);
  const bool constant_a = begin_a.size() == a.size(), constant_b = begin_b.size() == b.size();
  if (constant_a && constant_b) return a == b;
  if (constant_a) return a.starts_with(begin_b);
  if (constant_b) return b.starts_with(begin_a);
  return begin_a.starts_with(begin_b) || begin_b.starts_with(begin_a);
}

// Actions after which a context may be there that was not, or not any more, or not for as long.
bool touches(Verb verb) {
  switch (verb) {
    case Verb::create: case Verb::destroy: case Verb::obsolete: case Verb::set: case Verb::alias: case Verb::unalias: case Verb::add:
    case Verb::prepend: case Verb::fill: case Verb::setltime: case Verb::setctime: return true;
    default: return false;
  }
}

std::string name_of(const Action& action) {
  const std::size_t at = action.verb == Verb::setctime ? 1 : 0;
  return at < action.words.size() ? action.words[at] : "%s";
}

// Whether the name can be said where the rule fires: with values of the line there, and for what counts, with those that the
// description has, because all others are of the first event in SEC.
bool name_can_be_said(const ProcedureRule& rule, const std::string& name) {
  if (name == "%s") return true;
  if (name.find('%') != std::string::npos || name.find("$:{") != std::string::npos || name.find("$+{_in") != std::string::npos) return false;
  const bool counts = rule.type == RuleType::threshold || rule.type == RuleType::two_thresholds || rule.type == RuleType::group;
  for (std::size_t at = name.find('$'); counts && at != std::string::npos; at = name.find('$', at + 1)) {
    const MatchVariable variable = match_variable(std::string_view(name).substr(at + 1));
    if (rule.description.find(name.substr(at, variable.length + 1)) == std::string::npos) return false;
  }
  return true;
}

std::string life_of(const Action& action) { return action.words.size() > 1 ? action.words[1] : "0"; }

}  // namespace

Contexts::Contexts(const procedure::ProcedureProgram& program) {
  for (const auto& file : program.files) {
    for (const ProcedureRule& rule : file->rules) {
      const bool fires = rule.type != RuleType::pair_window && rule.type != RuleType::script && rule.type != RuleType::calendar;
      look_at(rule, rule.action, fires);
      for (const auto& list : {rule.action2, rule.init, rule.slide, rule.end}) look_at(rule, list, false);
      for (const Member& member : rule.members) look_at(rule, member.count, false);
    }
  }
}

void Contexts::look_at(const ProcedureRule& rule, const ActionListPtr& list, bool then) {
  if (list == nullptr) return;
  for (const Action& action : list->actions) {
    if (touches(action.verb)) {
      const bool plain = action.verb == Verb::destroy || (action.verb == Verb::create && parse_uint(life_of(action)).has_value());
      touches_.push_back({&rule, &action, name_of(action), then && plain && name_can_be_said(rule, name_of(action))});
    }
    look_at(rule, action.list, false);
    look_at(rule, action.otherwise, false);
  }
}

bool Contexts::sayable(const Action& action) const {
  const auto at = std::find_if(touches_.begin(), touches_.end(), [&](const Touch& touch) { return touch.action == &action; });
  return at != touches_.end() && at->sayable;
}

bool Contexts::ends_otherwise(const Action& action) const {
  const auto list = [](const Action& one) { return one.list == nullptr ? std::string() : one.list->text; };
  return std::any_of(touches_.begin(), touches_.end(), [&](const Touch& touch) {
    return touch.action->verb == Verb::create && may_be_one(touch.name, name_of(action)) && list(*touch.action) != list(action);
  });
}

bool Contexts::changed_between(const std::set<std::string>& names, const ProcedureFile& file, std::uint32_t first, std::uint32_t last) const {
  return std::any_of(touches_.begin(), touches_.end(), [&](const Touch& touch) {
    const bool inside = !file.rules.empty() && touch.rule >= file.rules.data() && touch.rule < file.rules.data() + file.rules.size();
    if (inside && (touch.rule->number < first || touch.rule->number >= last)) return false;
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return may_be_one(touch.name, name); });
  });
}

bool Contexts::created(const std::string& name) const {
  return std::any_of(touches_.begin(), touches_.end(), [&](const Touch& touch) {
    return touch.action->verb == Verb::create && may_be_one(touch.name, name) && !left_out_.contains(touch.rule);
  });
}

std::string Contexts::obstacle(const std::string& name) const {
  std::optional<std::string> life;
  for (const Touch& touch : touches_) {
    if (!may_be_one(touch.name, name)) continue;
    const std::string where = fmt::format("line {}", touch.action->place.line);
    if (left_out_.contains(touch.rule)) return fmt::format("context {} depends on the rule at {}, which is left out", name, where);
    if (!touch.sayable) return fmt::format("context {} depends on an action in {} that cannot be said", name, where);
    if (touch.action->verb != Verb::create) continue;
    if (life && *life != life_of(*touch.action)) return fmt::format("context {} is created with several lifetimes, and creating it again only makes it longer here", name);
    life = life_of(*touch.action);
  }
  return {};
}

}  // namespace correlator::rules::sec
