// SPDX-License-Identifier: Apache-2.0
// Firings that a cause holds back: `unless`, mutes, silences of an operator.
#include <algorithm>

#include "core.h"
#include "cron.h"

namespace correlator::engine {
namespace {

constexpr std::size_t kMaxHeld = 100'000;

}  // namespace

Core::Verdict Core::judge(const Firing& firing, Timestamp t) const {
  const rules::Rule& rule = rules->rules[firing.rule];
  EventBindings names(*rules, firing.scene.fields, *this);
  names.bound(firing.scene.bound);
  Verdict out;
  bool known_end = true;
  const auto weigh = [&](const CauseMemory& memory, const std::string& text, bool drop) {
    const rules::Cause& cause = memory.cause();
    std::optional<Timestamp> end;
    if (cause.event) {
      const std::string same = memory.same(firing.scene.fields);
      if (!memory.holds(t, same)) return;
      end = memory.end(t, same);
    } else if (cause.calendar ? !covers(rules->calendars[*cause.calendar], t)
                              : !(cause.holds && holds(*cause.holds, names))) {
      return;
    }
    if (out.fate == Decision::Fate::decided || (drop && out.fate == Decision::Fate::held)) {
      out.fate = drop ? Decision::Fate::dropped : Decision::Fate::held;
      out.reason = text;
    }
    if (drop) return;
    out.holding = true;
    known_end = known_end && end.has_value();
    if (end) out.end = std::max(out.end.value_or(*end), *end);
  };
  for (const CauseMemory& memory : runs[firing.rule]->unless)
    weigh(memory, "unless " + memory.cause().text, false);
  for (std::size_t i = 0; i < mutes.size(); ++i) {
    const rules::Mute& mute = rules->mutes[i];
    if (firing.rule >= mute.rules.size() || !mute.rules[firing.rule]) continue;
    for (const CauseMemory& memory : mutes[i])
      weigh(memory, "muted: " + (mute.text.empty() ? memory.cause().text : mute.text), mute.drop);
  }
  for (const auto& [id, silence] : silences) {
    if (silence.rule != rule.id || t >= silence.until) continue;
    if (!silence.key.empty() && silence.key != to_text(named(rule.key_names, firing.key))) continue;
    if (out.fate == Decision::Fate::decided) {
      out.fate = Decision::Fate::held;
      out.reason = silence.reason;
    }
    out.holding = true;
    if (silence.until == Timestamp::max()) {
      known_end = false;
    } else {
      out.end = std::max(out.end.value_or(silence.until), silence.until);
    }
  }
  if (!known_end) out.end.reset();
  return out;
}

void Core::hold_firing(const FiringRef& firing, const Verdict& verdict) {
  Held item;
  item.id = next_id();
  item.firing = firing;
  item.deadline = verdict.end;
  item.reason = verdict.reason;
  item.order = pack(firing->key);
  if (Case* open = case_of(*firing)) open->held = item.id;
  arm_held(held.emplace(item.id, std::move(item)).first->second);
  if (held.size() <= kMaxHeld) return;
  ++counters.evicted;
  const std::uint64_t oldest = held.begin()->first;
  const FiringRef gone = held.begin()->second.firing;
  end_held(oldest);
  run_steps(gone, StepPlace::List::then, 0, now, Decision::Fate::dropped,
            "evicted: too many firings are held");
}

void Core::arm_held(Held& item) {
  if (item.deadline) {
    timers.arm({*item.deadline, TimerKind::held, item.firing->rule, item.order, item.id, &item});
  } else {
    held_by_condition.insert({item.firing->rule, item.id});
  }
}

void Core::end_held(std::uint64_t id) {
  const auto found = held.find(id);
  Held& item = found->second;
  if (item.deadline)
    timers.cancel({*item.deadline, TimerKind::held, item.firing->rule, item.order, item.id, &item});
  held_by_condition.erase({item.firing->rule, id});
  if (item.stored) erased.push_back({StateKind::engine, id, "held", {}, {}, true});
  held.erase(found);
}

void Core::judge_held(std::uint64_t id, Timestamp t) {
  const auto found = held.find(id);
  if (found == held.end()) return;
  Held& item = found->second;
  // Until the known end of its cause nothing can release it but a change of the rules.
  if (item.deadline && t < *item.deadline) return;
  const Verdict verdict = judge(*item.firing, t);
  // What drops it is asked at the release.
  if (verdict.holding) {
    if (item.deadline)
      timers.cancel({*item.deadline, TimerKind::held, item.firing->rule, item.order, item.id, &item});
    held_by_condition.erase({item.firing->rule, id});
    item.deadline = verdict.end;
    item.reason = verdict.reason;
    item.dirty = true;
    return arm_held(item);
  }
  const FiringRef firing = item.firing;
  end_held(id);
  run_steps(firing, StepPlace::List::then, 0, t, verdict.fate, verdict.reason);
}

void Core::judge_held_of(std::uint32_t rule, Timestamp t) {
  if (held_by_condition.empty()) return;
  std::vector<std::uint64_t> ids;
  for (auto at = held_by_condition.lower_bound({rule, 0}); at != held_by_condition.end() && at->first == rule;
       ++at) {
    ids.push_back(at->second);
  }
  for (const std::uint64_t id : ids) judge_held(id, t);
}

void Core::drop_held_of(const Case& of, Timestamp t) {
  const auto found = held.find(of.held);
  if (found == held.end()) return;
  const FiringRef firing = found->second.firing;
  end_held(of.held);
  run_steps(firing, StepPlace::List::then, 0, t, Decision::Fate::dropped, "the case closed first");
}

}  // namespace correlator::engine
