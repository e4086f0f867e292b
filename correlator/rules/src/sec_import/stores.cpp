// SPDX-License-Identifier: Apache-2.0
// Actions on contexts and their event stores, as `set`, `collect`, `unset` and `empty`.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "importer.h"

namespace correlator::rules::sec {
namespace {

constexpr int kKept = 10'000;  // texts of a context; SEC keeps all

std::string name_of(const Action& action) { return action.words.empty() ? "%s" : action.words.front(); }

// The line that a list adds first to the context that it creates: one `collect` does both.
const Action* first_added(const ActionListPtr& list, const Action& create) {
  bool behind = false;
  for (const Action& action : list->actions) {
    behind = behind || &action == &create;
    if (behind && (action.verb == Verb::add || action.verb == Verb::fill) && name_of(action) == name_of(create)) return &action;
  }
  return nullptr;
}

std::string lifetime(const Action& create) {
  const auto life = parse_uint(create.words.size() > 1 ? create.words[1] : "0").value_or(0);
  return life > 0 ? fmt::format(", for = \"{}s\"", life + 1) : "";
}

}  // namespace

// ", at_end = [...]" of a context that the action creates.
std::string Importer::at_end_of(Carrying& to, const Action& action, const CarriedText& name, const StepScope& scope) {
  if (action.list == nullptr) return {};
  StepScope at_close{scope.texts, scope.later, false, false};
  at_close.texts.has_time = false;
  at_close.ending = name;
  at_close.ending_name = name_of(action);
  Carrying inner{to.rule, {}, {}, {}, {}, {}, {}};
  steps(inner, "at_end", action.list, at_close);
  to.left_out.insert(to.left_out.end(), inner.left_out.begin(), inner.left_out.end());
  to.differs.insert(to.differs.end(), inner.differs.begin(), inner.differs.end());
  if (!inner.lines.empty() && contexts_.ends_otherwise(action)) {
    differ(to, "another rule creates the context with another list for its end; SEC runs that of the last one, here it is that of the first");
    to.differs.back().place = action.place;
  }
  return inner.lines.empty() || lifetime(action).empty() ? "" : ", " + inner.lines.front();
}

// One `collect` of a text; `opening` is the action that creates its context before.
std::string Importer::collecting(Carrying& to, const Action& action, const Action* opening, const std::string& key, const StepScope& scope) {
  const CarriedText carried = carry_text(action.text.value_or("%s"), scope.texts);
  std::optional<CarriedText> text;
  if (carried.obstacle.empty() && !all_known(carried, scope)) {
    to.left_out.push_back(left_out(action.place, "the action", "a value in its text is that of the first event in SEC, which no longer is at hand", "name what is counted in desc=, and use that"));
  } else {
    text = text_of(to, action, action.text.value_or("%s"), scope);
  }
  const auto several = [](const TextPart& part) { return !part.field && part.text.find('\n') != std::string::npos; };
  if (!text || (action.verb == Verb::fill && std::any_of(text->parts.begin(), text->parts.end(), several))) {
    if (text) to.left_out.push_back(left_out(action.place, "the action", "its text has several lines"));
    changed_ = contexts_.leave_out(action) || changed_;
    return {};
  }
  std::string out = fmt::format("{}, text = {}, at_most = {}", key, toml_text(as_template(*text)), action.verb == Verb::fill ? 1 : kKept);
  if (opening != nullptr) out += lifetime(*opening) + at_end_of(to, *opening, carry_text(name_of(*opening), scope.texts), scope);
  return out + " }";
}

void Importer::contexts(Carrying& to, const ActionListPtr& list, const StepScope& scope) {
  std::vector<std::string> sets, collects, unsets, empties;
  std::map<const Action*, const Action*> openings;  // by the action that adds first
  for (const Action& action : list->actions) {
    const bool adds = action.verb == Verb::add || action.verb == Verb::fill;
    const bool empties_it = action.verb == Verb::empty && action.variable.empty();
    if (action.verb != Verb::create && action.verb != Verb::destroy && !adds && !empties_it) continue;
    const CarriedText name = carry_text(name_of(action), scope.texts);
    if (!contexts_.sayable(action) || !name.obstacle.empty()) {
      const char* why = adds || empties_it ? "its name holds what is not known where the rule decides, or the list does not add, report and forget in this order"
                                           : "its name or its lifetime holds what is not known where the rule decides";
      to.left_out.push_back(left_out(action.place, "the context", name.obstacle.empty() ? why : "its name holds " + name.obstacle));
      continue;
    }
    const std::string key = fmt::format("{{ name = \"sec\", key = [{}]", toml_text(as_expression(name)));
    const bool made = contexts_.created(name_of(action));  // where nothing sets it there is nothing to unset
    if (action.verb == Verb::destroy) {
      if (made) unsets.push_back(key + " }");
    } else if (empties_it) {
      if (contexts_.gets_lines(name_of(action))) empties.push_back(key + " }");
    } else if (adds) {
      const auto opening = openings.find(&action);
      std::string one = collecting(to, action, opening == openings.end() ? nullptr : opening->second, key, scope);
      if (!one.empty()) collects.push_back(std::move(one));
    } else if (const Action* first = first_added(list, action)) {
      openings[first] = &action;
    } else {
      sets.push_back(key + lifetime(action) + at_end_of(to, action, name, scope) + " }");
    }
  }
  for (const auto& [what, all] : {std::pair("set", &sets), {"collect", &collects}, {"unset", &unsets}, {"empty", &empties}}) {
    if (!all->empty()) to.lines.push_back(fmt::format("{:<5} = [{}]", what, join(*all, ", ")));
  }
}

}  // namespace correlator::rules::sec
