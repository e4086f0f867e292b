// SPDX-License-Identifier: Apache-2.0
// Actions on contexts and their event stores.
#include <algorithm>

#include "core.h"

namespace correlator::engine {

using rules::procedure::Action;
using rules::procedure::Verb;

namespace {

std::string joined(const EventStore& store) {
  std::string out;
  for (const auto& [time, line] : store.lines) out += (&line == &store.lines.front().second ? "" : "\n") + line;
  return out;
}

// What a list keeps that waits for later.
WaitingList later(const rules::procedure::ActionListPtr& list, const Setting& setting) {
  WaitingList out{list, setting};
  if (list == nullptr || !list->asks_cache || setting.scope.cache == nullptr) out.setting.scope.cache = nullptr;
  else out.setting.scope.cache = std::make_shared<MatchCache>(*setting.scope.cache);
  return out;
}

class StoreActions {
 public:
  StoreActions(Procedure::Core& core, const Action& action, const Setting& setting) : core_(core), action_(action), setting_(setting) {}

  void create() {
    const std::string name = core_.word(action_, 0, setting_);
    Second lifetime = 0;
    if (action_.words.size() > 1) {
      const std::string text = core_.word(action_, 1, setting_);
      const auto seconds = whole_number(text);
      if (!seconds) return core_.say(3, "context " + name + " cannot be made: '" + text + "' is no number of seconds");
      lifetime = *seconds;
    }
    auto store = core_.store(name);
    if (store != nullptr && core_.changeable(name) == nullptr) return;
    if (store == nullptr) store = core_.make_store(name);
    store->created = core_.now;
    store->lifetime = lifetime;
    store->lines.clear();
    store->at_end = later(action_.list, setting_);
    core_.schedule(store);
  }

  void end(bool with_list) {
    const std::string name = core_.word(action_, 0, setting_);
    const auto store = core_.changeable(name);
    if (store == nullptr || store->ending) return core_.say(4, "context " + name + " does not exist or is ending already");
    if (with_list) core_.finish(store);
    else core_.drop(store);
  }

  void set() {
    const std::string name = core_.word(action_, 0, setting_), time = core_.word(action_, 1, setting_);
    const auto store = core_.changeable(name);
    if (store == nullptr) return core_.say(4, "context " + name + " does not exist and cannot be set");
    const auto seconds = whole_number(time);
    if (time != "-" && !seconds) return core_.say(3, "context " + name + " cannot be set: '" + time + "' is no number of seconds");
    if (seconds) {
      store->created = core_.now;
      store->lifetime = *seconds;
      core_.schedule(store);
    }
    if (action_.list != nullptr) store->at_end = later(action_.list, setting_);
  }

  void alias() {
    const std::string name = core_.word(action_, 0, setting_), other = core_.word(action_, 1, setting_);
    const auto store = core_.changeable(name);
    if (store == nullptr) return core_.say(4, "context " + name + " does not exist and gets no second name");
    if (core_.store(other) != nullptr) return core_.say(4, "there is a context " + other + " already");
    store->names.push_back(other);
    core_.stores[other] = store;
  }

  void unalias() {
    const std::string name = core_.word(action_, 0, setting_);
    const auto store = core_.changeable(name);
    if (store == nullptr || store->ending) return core_.say(4, "context " + name + " does not exist or is ending already");
    const auto at = std::find(store->names.begin(), store->names.end(), name);
    if (at == store->names.end()) return;  // _THIS
    if (store->names.size() == 1) return core_.drop(store);
    store->names.erase(at);
    core_.stores.erase(name);
  }

  void add() {
    const std::string name = core_.word(action_, 0, setting_);
    const Text text = core_.text_or_description(action_.text, setting_);
    auto store = core_.store(name);
    if (store != nullptr && core_.changeable(name) == nullptr) return;
    if (store == nullptr) store = core_.make_store(name);
    if (action_.verb == Verb::fill) store->lines.clear();
    core_.add_lines(*store, text.value, action_.verb == Verb::prepend);
  }

  void take() {
    const std::string name = core_.word(action_, 0, setting_);
    const auto store = core_.changeable(name);
    if (store == nullptr) return core_.say(4, "context " + name + " does not exist");
    std::string text;
    if (action_.verb == Verb::copy || action_.verb == Verb::empty) {
      text = joined(*store);
      if (action_.verb == Verb::empty) store->lines.clear();
    } else if (!store->lines.empty()) {
      const bool last = action_.verb == Verb::pop;
      text = last ? store->lines.back().second : store->lines.front().second;
      if (last) store->lines.pop_back();
      else store->lines.pop_front();
    }
    if (!action_.variable.empty()) core_.assign(action_.variable, std::move(text), true);
  }

  void trim() {
    std::string time = core_.word(action_, 0, setting_);
    const std::string name = core_.word(action_, 1, setting_);
    const auto store = core_.changeable(name);
    if (store == nullptr) return core_.say(4, "context " + name + " does not exist");
    const char sign = time.empty() ? '\0' : time.front();
    if (sign == '+' || sign == '-') time.erase(0, 1);
    const auto seconds = whole_number(time);
    if (!seconds) return core_.say(3, "context " + name + " cannot be trimmed: '" + time + "' is no time");
    const Second oldest = sign == '-' ? core_.now - *seconds : sign == '+' ? store->created + *seconds : *seconds;
    std::string gone;
    while (!store->lines.empty() && store->lines.front().first < oldest) {
      gone += (gone.empty() ? "" : "\n") + store->lines.front().second;
      store->lines.pop_front();
    }
    if (!action_.variable.empty()) core_.assign(action_.variable, std::move(gone), true);
  }

  void ask() {
    const std::string name = core_.word(action_, 0, setting_);
    const auto store = core_.store(name);
    if (action_.verb == Verb::exists) return core_.assign(action_.variable, store != nullptr ? "1" : "0", false);
    if (store == nullptr) {
      core_.say(4, "context " + name + " does not exist");
      if (action_.verb == Verb::getsize) core_.variables.erase(action_.variable);
      return;
    }
    switch (action_.verb) {
      case Verb::getsize: return core_.assign(action_.variable, std::to_string(store->lines.size()), false);
      case Verb::getltime: return core_.assign(action_.variable, std::to_string(store->lifetime), false);
      case Verb::getctime: return core_.assign(action_.variable, std::to_string(store->created), false);
      default: break;
    }
    std::string names;
    for (const std::string& alias : store->names) names += (names.empty() ? "" : "\n") + alias;
    core_.assign(action_.variable, std::move(names), true);
  }

  void set_lifetime() {
    const std::string name = core_.word(action_, 0, setting_);
    const auto store = core_.changeable(name);
    if (store == nullptr) return core_.say(4, "context " + name + " does not exist");
    const std::string time = action_.words.size() > 1 ? core_.word(action_, 1, setting_) : "0";
    const auto seconds = whole_number(time);
    if (!seconds) return core_.say(3, "context " + name + " gets no lifetime: '" + time + "' is no number of seconds");
    store->lifetime = *seconds;
    if (store->expired(core_.now)) core_.finish(store);
    else core_.schedule(store);
  }

  void set_creation() {
    const std::string time = core_.word(action_, 0, setting_), name = core_.word(action_, 1, setting_);
    const auto store = core_.changeable(name);
    if (store == nullptr) return core_.say(4, "context " + name + " does not exist");
    const auto seconds = whole_number(time);
    if (!seconds || *seconds < store->created || *seconds > core_.now) {
      return core_.say(3, "context " + name + " cannot have been made at '" + time + "'");
    }
    store->created = *seconds;
    core_.schedule(store);
  }

 private:
  Procedure::Core& core_;
  const Action& action_;
  const Setting& setting_;
};

}  // namespace

void Procedure::Core::act_on_store(const Action& action, const Setting& setting) {
  StoreActions act(*this, action, setting);
  switch (action.verb) {
    case Verb::create: return act.create();
    case Verb::destroy: return act.end(false);
    case Verb::obsolete: return act.end(true);
    case Verb::set: return act.set();
    case Verb::alias: return act.alias();
    case Verb::unalias: return act.unalias();
    case Verb::add: case Verb::prepend: case Verb::fill: return act.add();
    case Verb::copy: case Verb::empty: case Verb::pop: case Verb::shift: return act.take();
    case Verb::trim: return act.trim();
    case Verb::setltime: return act.set_lifetime();
    case Verb::setctime: return act.set_creation();
    default: return act.ask();
  }
}

}  // namespace correlator::engine
