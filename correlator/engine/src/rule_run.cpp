// SPDX-License-Identifier: Apache-2.0
// One rule at work: its keys, their timers, and when they are forgotten.
#include <algorithm>

#include "core.h"

namespace correlator::engine {

RuleRun::RuleRun(Core& owner, const rules::Rule& of, std::uint32_t at)
    : core(owner), rule(of), index(at), op(make_operation(of)), clear(of.clear), hold(of.hold) {
  latches = op->latches();
  if (clear.kind == rules::Clear::Kind::never && latches) clear = op->default_clear();
  const auto memories = [&](const std::vector<rules::Cause>& causes, std::string_view role) {
    std::vector<CauseMemory> out;
    for (std::size_t i = 0; i < causes.size(); ++i) {
      out.emplace_back(causes[i],
                       rule.id + "/" + std::string(role) + "/" + std::to_string(i) + "/" + causes[i].text);
    }
    return out;
  };
  ignore = memories(of.ignore, "ignore");
  unless = memories(of.unless, "unless");
  for (const rules::Cause& cause : of.ignore) hold = std::max(hold, cause.before);
  aging = core.options;
  aging.late = aging.late + core.longest_record + hold;
}

RuleRun::~RuleRun() = default;

Timestamp RuleRun::clock() const {
  return core.clock.value_or(Timestamp::min());
}
Timestamp RuleRun::clock_goal() const {
  return core.clock_goal;
}
const Options& RuleRun::options() const {
  return aging;
}
EvidenceStore& RuleRun::evidence() {
  return core.evidence;
}
Counters& RuleRun::counters() {
  return core.counters;
}
const rules::RuleSet& RuleRun::rules() const {
  return *core.rules;
}
const Questions& RuleRun::questions() const {
  return core;
}

const rules::LookupTable* RuleRun::table(std::uint32_t lookup) const {
  const auto found = core.lookups.find(core.rules->lookups[lookup].name);
  return found == core.lookups.end() ? nullptr : &found->second.table;
}

void RuleRun::arm(KeyState& key, Timestamp deadline) {
  if (deadline >= Timestamp::max()) return;
  const auto found = armed.find(&key);
  if (found != armed.end()) {
    if (found->second <= deadline) return;
    core.timers.cancel({found->second, op->timer_kind(), index, key.key(), key.id, &key});
  }
  armed[&key] = deadline;
  core.timers.arm({deadline, op->timer_kind(), index, key.key(), key.id, &key});
}

void RuleRun::disarm(KeyState& key) {
  const auto found = armed.find(&key);
  if (found == armed.end()) return;
  core.timers.cancel({found->second, op->timer_kind(), index, key.key(), key.id, &key});
  armed.erase(found);
}

void RuleRun::fire(KeyState& key, Hit hit) {
  KeyState* member = &key;
  if (core.cools_down(*this, std::span(&member, 1), std::span(&member, 1), hit.time)) return;
  auto scene = hit.scene ? hit.scene : std::make_shared<Scene>();
  core.fire(*this, std::span(&member, 1), unpack(key.key()), std::move(hit), scene, std::span(&member, 1));
}

void RuleRun::close(KeyState& key, Timestamp at, Closing how, std::string why) {
  if (key.open != nullptr) core.close_case(*this, *key.open, at, how, why);
}

void RuleRun::forget(KeyState& key) {
  if (key.open != nullptr)
    core.close_case(*this, *key.open, core.now, Closing::answered, "it is not expected any more");
  disarm(key);
  op->dispose(key, core.evidence);
  key.trail.clear(core.evidence);
  if (key.stored) {
    erased.push_back({StateKind::window, key.id, rule.id, {}, {}, true});
  }
  if (key.dirty) {
    dirty.back()->dirty_at = key.dirty_at;
    dirty[key.dirty_at] = dirty.back();
    dirty.pop_back();
  }
  table_of_keys.erase(key);
}

KeyState& RuleRun::key(std::span<const expr::Value> values) {
  return find_or_add(pack(values));
}

std::vector<KeyState*> RuleRun::keys() {
  std::vector<KeyState*> out;
  table_of_keys.each([&](KeyState& key) { out.push_back(&key); });
  std::sort(out.begin(), out.end(), [](const KeyState* a, const KeyState* b) { return a->key() < b->key(); });
  return out;
}

KeyState& RuleRun::find_or_add(std::string_view packed) {
  if (KeyState* found = table_of_keys.find(packed)) return *found;
  while (table_of_keys.size() >= std::max<std::uint32_t>(rule.max_keys, 1)) {
    KeyState* old = table_of_keys.eldest(true);
    if (old->open != nullptr) {
      core.close_case(*this, *old->open, core.now, Closing::start_over,
                      "evicted: the rule has too many keys");
      old = table_of_keys.eldest(true);
      if (old == nullptr || table_of_keys.size() < rule.max_keys) break;
    }
    ++core.counters.evicted;
    forget(*old);
  }
  KeyState& key = table_of_keys.add(packed, core.next_id(), op->state());
  mark(key);
  return key;
}

void RuleRun::mark(KeyState& key) {
  if (key.dirty) return;
  key.dirty = true;
  key.dirty_at = static_cast<std::uint32_t>(dirty.size());
  dirty.push_back(&key);
}

void RuleRun::settle(KeyState& key) {
  if (key.open != nullptr) return;
  if (op->idle(key) && !key.extra) return forget(key);
  const auto horizon = op->horizon(aging);
  if (!horizon) return;
  const Timestamp at = key.newest + *horizon;
  if (forget_armed && *forget_armed <= at) return;
  if (forget_armed) core.timers.cancel({*forget_armed, TimerKind::forget, index, {}, 0, this});
  forget_armed = at;
  core.timers.arm({at, TimerKind::forget, index, {}, 0, this});
}

void RuleRun::drop_idle(Timestamp upto) {
  const auto horizon = op->horizon(aging);
  if (!horizon) return;
  while (KeyState* eldest = table_of_keys.eldest_idle()) {
    if (eldest->newest + *horizon > upto) break;
    forget(*eldest);
  }
  rearm_forget();
}

void RuleRun::rearm_forget() {
  const auto horizon = op->horizon(aging);
  KeyState* eldest = table_of_keys.eldest_idle();
  if (!horizon || eldest == nullptr || forget_armed) return;
  forget_armed = eldest->newest + *horizon;
  core.timers.arm({*forget_armed, TimerKind::forget, index, {}, 0, this});
}

}  // namespace correlator::engine
