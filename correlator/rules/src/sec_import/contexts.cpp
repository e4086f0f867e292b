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

// Actions after which a context may be there that was not, or not any more, or not for as long; or other lines in it.
bool touches(Verb verb) {
  switch (verb) {
    case Verb::empty: case Verb::pop: case Verb::shift: case Verb::trim:
    case Verb::create: case Verb::destroy: case Verb::obsolete: case Verb::set: case Verb::alias: case Verb::unalias: case Verb::add:
    case Verb::prepend: case Verb::fill: case Verb::setltime: case Verb::setctime: return true;
    default: return false;
  }
}

std::string name_of(const Action& action) {
  const std::size_t at = action.verb == Verb::setctime || action.verb == Verb::trim ? 1 : 0;
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

bool changes_lines_only(Verb verb) { return verb == Verb::empty || verb == Verb::pop || verb == Verb::shift || verb == Verb::trim; }
bool adds(Verb verb) { return verb == Verb::add || verb == Verb::fill || verb == Verb::prepend; }

// In a rule's list: first contexts are made and get lines, then these are told, then let go. The TOML rule does it in that order.
int phase(const Action& action) {
  switch (action.verb) {
    case Verb::create: case Verb::add: case Verb::fill: case Verb::prepend: return 1;
    case Verb::report: case Verb::reportexec: return 2;
    case Verb::destroy: case Verb::empty: return 3;
    default: return 0;
  }
}

bool in_order(const procedure::ActionList& list, const Action& of) {
  int last = 0;
  for (const Action& action : list.actions) {
    if (phase(action) == 0 || !may_be_one(name_of(action), name_of(of))) continue;
    if (phase(action) < last) return false;
    last = phase(action);
  }
  return true;
}

// Whether the condition cannot hold unless the context is there, or is not.
bool demands(const procedure::Condition& condition, const std::string& name, bool there) {
  using Kind = procedure::Condition::Kind;
  switch (condition.kind) {
    case Kind::context: return there && condition.text == name;
    case Kind::negation: return !there && condition.parts.front().kind == Kind::context && condition.parts.front().text == name;
    case Kind::all: return std::any_of(condition.parts.begin(), condition.parts.end(), [&](const auto& part) { return demands(part, name, there); });
    default: return false;
  }
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

bool Contexts::known_to_be(bool there, const ProcedureRule& rule, const Action& action) {
  const std::string name = name_of(action);
  if (rule.action != nullptr) {
    for (const Action& before : rule.action->actions) {
      if (&before == &action) break;
      if (name_of(before) == name && (before.verb == Verb::create || adds(before.verb))) return there;
    }
  }
  const procedure::Guard& guard = rule.members.front().guard;
  return guard.condition && demands(*guard.condition, name, there);
}

void Contexts::look_at(const ProcedureRule& rule, const ActionListPtr& list, bool then) {
  if (list == nullptr) return;
  for (const Action& action : list->actions) {
    if (touches(action.verb)) {
      const bool plain = action.verb == Verb::destroy || action.verb == Verb::add || action.verb == Verb::fill || (action.verb == Verb::empty && action.variable.empty()) ||
                         (action.verb == Verb::create && parse_uint(life_of(action)).has_value());
      const bool makes = action.verb == Verb::create || (adds(action.verb) && !known_to_be(true, rule, action));
      touches_.push_back({&rule, &action, name_of(action), then && plain && in_order(*list, action) && name_can_be_said(rule, name_of(action)), makes});
    }
    look_at(rule, action.list, false);
    look_at(rule, action.otherwise, false);
  }
}

bool Contexts::sayable(const Action& action) const {
  if (unsayable_.contains(&action)) return false;
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
    if (changes_lines_only(touch.action->verb)) return false;
    const bool inside = !file.rules.empty() && touch.rule >= file.rules.data() && touch.rule < file.rules.data() + file.rules.size();
    if (inside && (touch.rule->number < first || touch.rule->number >= last)) return false;
    return std::any_of(names.begin(), names.end(), [&](const std::string& name) { return may_be_one(touch.name, name); });
  });
}

bool Contexts::created(const std::string& name) const {
  return std::any_of(touches_.begin(), touches_.end(), [&](const Touch& touch) {
    return touch.makes && may_be_one(touch.name, name) && !left_out_.contains(touch.rule) && !unsayable_.contains(touch.action);
  });
}

bool Contexts::gets_lines(const std::string& name) const {
  return std::any_of(touches_.begin(), touches_.end(), [&](const Touch& touch) {
    return adds(touch.action->verb) && may_be_one(touch.name, name) && sayable(*touch.action) && !left_out_.contains(touch.rule);
  });
}

std::string Contexts::obstacle(const std::string& name) const {
  std::optional<std::string> life;
  const bool has_lines = std::any_of(touches_.begin(), touches_.end(), [&](const Touch& touch) { return adds(touch.action->verb) && may_be_one(touch.name, name); });
  for (const Touch& touch : touches_) {
    if (!may_be_one(touch.name, name) || changes_lines_only(touch.action->verb)) continue;
    const std::string where = fmt::format("line {}", touch.action->place.line);
    if (left_out_.contains(touch.rule)) return fmt::format("context {} depends on the rule at {}, which is left out", name, where);
    if (!sayable(*touch.action)) return fmt::format("context {} depends on an action in {} that cannot be said", name, where);
    if (!touch.makes) continue;
    const std::string one = adds(touch.action->verb) ? "0" : life_of(*touch.action);
    if (life && *life != one) return fmt::format("context {} is created with several lifetimes, and creating it again only makes it longer here", name);
    life = one;
    if (has_lines && touch.action->verb == Verb::create && !known_to_be(false, *touch.rule, *touch.action))
      return fmt::format("context {} may be there when {} creates it, which would empty it", name, where);
  }
  return {};
}

std::string Contexts::store_obstacle(const std::string& name) const {
  for (const Touch& touch : touches_) {
    if (may_be_one(touch.name, name) && changes_lines_only(touch.action->verb) && !(sayable(*touch.action) && !left_out_.contains(touch.rule)))
      return fmt::format("what context {} has depends on an action in line {} that cannot be said", name, touch.action->place.line);
  }
  return obstacle(name);
}

}  // namespace correlator::rules::sec
