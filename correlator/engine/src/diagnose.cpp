// SPDX-License-Identifier: Apache-2.0
// An event meets the rules that refer to its class (semantics.md, sections 5 and 7).
#include <algorithm>
#include <set>

#include "core.h"
#include "cron.h"

namespace correlator::engine {
namespace {

constexpr std::size_t kMaxWaiters = 100'000;
constexpr std::size_t kMaxElements = 64;  // windows that one list-valued key opens

bool matches(const rules::EventRef& ref, const Event& event, const expr::Bindings& names) {
  return ref.matches_class(event.cls) && (!ref.where || holds(*ref.where, names));
}

// What an event is to a rule before anything is computed from it.
struct Part {
  std::uint32_t parts = 0;
  bool breaks = false, clears = false;
  bool any() const { return parts != 0 || breaks || clears; }
};

Part part_of(const RuleRun& run, const Event& event, const expr::Bindings& names) {
  Part out;
  const auto& refs = run.op->parts();
  for (std::size_t i = 0; i < refs.size(); ++i) {
    const bool match =
        run.op->judges_where() ? refs[i]->matches_class(event.cls) : matches(*refs[i], event, names);
    if (match) out.parts |= 1U << i;
  }
  if (const rules::EventRef* ref = run.op->broken_by()) out.breaks = matches(*ref, event, names);
  if (run.clear.event) out.clears = matches(*run.clear.event, event, names);
  return out;
}

// The packed keys of the windows: one for each element of list-valued key parts.
std::vector<std::string> windows_of(const std::vector<expr::Value>& key) {
  std::vector<std::string> packed;
  if (std::none_of(key.begin(), key.end(), [](const expr::Value& value) { return value.list() != nullptr; })) {
    packed.push_back(pack(key));
    return packed;
  }
  std::vector<std::vector<expr::Value>> out = {{}};
  for (const expr::Value& value : key) {
    const expr::Value::List* list = value.list();
    std::vector<std::vector<expr::Value>> next;
    for (const auto& begun : out) {
      for (std::size_t i = 0; i < (list != nullptr ? list->size() : 1); ++i) {
        if (next.size() == kMaxElements) break;
        next.push_back(begun);
        next.back().push_back(list != nullptr ? (*list)[i] : value);
      }
    }
    out = std::move(next);
  }
  for (const auto& element : out) packed.push_back(pack(element));
  return packed;
}

bool is_none(const expr::Value& value) {
  return value.is_none() || (value.list() != nullptr && value.list()->empty());
}

}  // namespace

void Core::diagnose(const Event& event) {
  if (event.late || event.stale || event.implausible || event.folded || is_echo(event)) return;
  note_causes(event);
  if (event.cls >= rules_of_class.size()) return;
  for (const std::uint32_t index : rules_of_class[event.cls]) {
    const Watched watched(watch, index, true);
    meet(*runs[index], event, false);
    judge_held_of(index, event.time);
  }
}

void Core::note_causes(const Event& event) {
  if (event.cls >= causes_of_class.size()) return;
  for (CauseMemory* memory : causes_of_class[event.cls]) {
    const EventBindings names(*rules, event.fields, *this);
    if (!matches(*memory->cause().event, event, names)) continue;
    counters.evicted += memory->note(event.time, memory->same(event.fields), oldest(), ids_);
  }
}

bool Core::is_echo(const Event& event) const {
  if (echoes.empty() || event.cls >= echoes_of_class.size() || echoes_of_class[event.cls].empty())
    return false;
  const EventBindings names(*rules, event.fields, *this);
  for (const auto& [id, echo] : echoes) {
    if (event.time < echo.begin || echo.end <= event.time) continue;
    const auto action = rules->find_action(echo.action);
    if (!action || echo.echo >= rules->actions[*action].echoes.size()) continue;
    if (echo.host && event.fields.get(rules::kHost) != *echo.host) continue;
    if (matches(rules->actions[*action].echoes[echo.echo].first, event, names)) return true;
  }
  return false;
}

bool Core::judged_by_causes(const std::vector<CauseMemory>& causes, const Fields& fields, Timestamp t,
                            const expr::Bindings& names) const {
  return std::any_of(causes.begin(), causes.end(), [&](const CauseMemory& memory) {
    const rules::Cause& cause = memory.cause();
    if (cause.event) return memory.holds(t, memory.same(fields));
    if (cause.calendar) return covers(rules->calendars[*cause.calendar], t);
    return cause.holds && holds(*cause.holds, names);
  });
}

void Core::meet(RuleRun& run, const Event& event, bool waited) {
  EventBindings names(*rules, event.fields, *this);
  Part part = part_of(run, event, names);
  const bool own_class =
      run.clear.level && std::any_of(run.op->parts().begin(), run.op->parts().end(),
                                     [&](const auto* ref) { return ref->matches_class(event.cls); });
  if (!part.any() && !own_class) return;
  if (run.hold.us > 0 && !waited) return hold_event(run, event);

  Fields lets;
  names.overlay(&lets);
  for (const rules::Let& let : run.rule.lets) lets.set(let.field, let.value.eval(names));
  if (part.parts != 0 && run.rule.where && !holds(*run.rule.where, names)) part.parts = 0;
  const bool level_clears = own_class && holds(*run.clear.level, names);
  if (!part.any() && !level_clears) return;

  std::vector<expr::Value> key;
  key.reserve(run.rule.key.size());
  for (const expr::Expression& element : run.rule.key) key.push_back(element.eval(names));
  if (std::any_of(key.begin(), key.end(), is_none)) {
    ++counters.keyless;
    return;
  }
  std::vector<std::string> windows = windows_of(key);
  if (watch != nullptr) {
    for (const std::string& window : windows) watch->touched(run.index, window, clock.value_or(event.time));
  }

  end_what_is_over(run, windows, event.time);
  // What ends a case comes first, so that an event that ends one and counts begins the next round.
  const auto end_cases = [&](const std::string& why) {
    bool ended = false;
    for (const std::string& window : windows) {
      KeyState* state = run.table_of_keys.find(window);
      if (state == nullptr || state->open == nullptr || event.time < state->open->firing->time) continue;
      close_case(run, *state->open, event.time, Closing::start_over, why);
      ended = true;
    }
    return ended;
  };
  if (part.breaks) {
    if (run.rule.clear.kind == rules::Clear::Kind::never) end_cases("broken by " + class_name(event, *rules));
    for (const std::string& window : windows) {
      KeyState* state = run.table_of_keys.find(window);
      if (state == nullptr) continue;
      run.op->broken(*state, run);
      run.mark(*state);
      run.settle(*state);
    }
  }
  if (part.clears) end_cases("cleared by " + class_name(event, *rules));
  if (level_clears && end_cases("the level is fine again")) part.parts = 0;
  if (part.parts != 0 && judged_by_causes(run.ignore, event.fields, event.time, names)) part.parts = 0;

  if (part.parts != 0) {
    observe(run, {event, names, lets, part.parts}, std::move(key), std::move(windows));
  }
}

// Cases whose time was over before this event.
void Core::end_what_is_over(RuleRun& run, const std::vector<std::string>& windows, Timestamp t) {
  if (run.clear.lasts.us == 0) return;
  for (const std::string& window : windows) {
    KeyState* state = run.table_of_keys.find(window);
    if (state != nullptr && state->open != nullptr) end_if_over(run, *state->open, t);
  }
}

void Core::observe(RuleRun& run, const Occurrence& x, std::vector<expr::Value> key, std::vector<std::string> packed) {
  const Event& event = x.event;
  if (!run.op->keeps_keys() && !run.latches && run.rule.cooldown.us == 0) {
    KeyState none(0, {}, 0, {});
    Seen seen = run.op->observe(none, x, run);
    if (seen.hit) fire(run, {}, std::move(key), std::move(*seen.hit), std::make_shared<Scene>(scene_of(x)), {});
    return;
  }
  std::sort(packed.begin(), packed.end());
  packed.erase(std::unique(packed.begin(), packed.end()), packed.end());
  KeyState* newest = nullptr;
  for (const std::string& bytes : packed) newest = &run.find_or_add(bytes);

  std::optional<Hit> hit;
  std::vector<std::string> reached;
  std::vector<std::uint64_t> ended;
  std::set<std::uint64_t> heard;
  for (const std::string& bytes : packed) {
    KeyState* state = packed.size() == 1 ? newest : run.table_of_keys.find(bytes);
    if (state == nullptr) continue;  // evicted by a later element of the same event
    state->newest = std::max(state->newest, event.time);
    if (event.trust != Trust::none && !state->trusted) {
      state->trusted = true;
      run.table_of_keys.moved(*state);
    }
    Seen seen = run.op->observe(*state, x, run);
    run.mark(*state);
    if (seen.counted && state->open != nullptr && heard.insert(state->open->id).second)
      hear(run, *state->open, event);
    if (seen.ends_case && state->open != nullptr) ended.push_back(state->open->id);
    if (!seen.hit || state->open != nullptr) continue;
    reached.push_back(bytes);
    if (!hit) {
      hit = std::move(seen.hit);
    } else {
      // One event, several windows: one firing, with the lines of all of them.
      hit->first = std::min(hit->first, seen.hit->first);
      hit->last = std::max(hit->last, seen.hit->last);
      hit->have = std::max(hit->have, seen.hit->have);
    }
  }
  for (const std::uint64_t id : ended) {
    const auto open = cases_by_id.find(id);
    if (open == cases_by_id.end()) continue;
    close_case(run, *open->second, event.time, Closing::answered, "it is over: " + class_name(event, *rules));
  }
  if (hit) {
    std::vector<KeyState*> members, hitting;
    for (const std::string& bytes : packed) {
      KeyState* state = run.table_of_keys.find(bytes);
      if (state != nullptr && state->open == nullptr) members.push_back(state);
    }
    for (const std::string& bytes : reached) {
      KeyState* state = run.table_of_keys.find(bytes);
      if (state != nullptr && state->open == nullptr) hitting.push_back(state);
    }
    if (!hitting.empty() && !cools_down(run, members, hitting, hit->time)) {
      auto scene = std::make_shared<Scene>(scene_of(x));
      if (hit->scene) scene->bound = hit->scene->bound;
      fire(run, members, std::move(key), std::move(*hit), scene, hitting);
    }
  }
  for (const std::string& bytes : packed) {
    if (KeyState* state = run.table_of_keys.find(bytes)) run.settle(*state);
  }
}

void Core::hold_event(RuleRun& run, const Event& event) {
  Waiter waiter{next_id(), event};
  for (const LineRef& line : event.lines) evidence.keep(line.seq);
  WaiterOrder order{event.time, expr::to_text(event.fields.get(rules::kHost)),
                    expr::to_text(event.fields.get(rules::kText)), waiter.id};
  run.waiters.emplace(std::move(order), std::move(waiter));
  if (run.waiters.size() > kMaxWaiters) {
    // A storm does not wait: the first is taken early.
    ++counters.evicted;
    if (run.hold_armed) timers.cancel({*run.hold_armed, TimerKind::hold, run.index, {}, 0, &run});
    run.hold_armed.reset();
    const Timestamp before = now;
    release_waiter(run);
    now = before;
    return;
  }
  const Timestamp due = run.waiters.begin()->first.time + run.hold;
  if (run.hold_armed && *run.hold_armed <= due) return;
  if (run.hold_armed) timers.cancel({*run.hold_armed, TimerKind::hold, run.index, {}, 0, &run});
  run.hold_armed = due;
  timers.arm({due, TimerKind::hold, run.index, {}, 0, &run});
}

void Core::release_waiter(RuleRun& run) {
  auto first = run.waiters.begin();
  Waiter waiter = std::move(first->second);
  if (waiter.stored) erased.push_back({StateKind::timer, waiter.id, run.rule.id, {}, {}, true});
  run.waiters.erase(first);
  if (!run.waiters.empty()) {
    run.hold_armed = run.waiters.begin()->first.time + run.hold;
    timers.arm({*run.hold_armed, TimerKind::hold, run.index, {}, 0, &run});
  }
  now = waiter.event.time;
  meet(run, waiter.event, true);
  for (const LineRef& line : waiter.event.lines) evidence.release(line.seq);
}

}  // namespace correlator::engine
