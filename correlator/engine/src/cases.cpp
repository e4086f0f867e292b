// SPDX-License-Identifier: Apache-2.0
// Cases: what a firing opened stays open, and its key silent, until it is over.
#include <fmt/format.h>

#include <algorithm>

#include "core.h"

namespace correlator::engine {

namespace {

// How many of its events a case remembers, the newest: enough to see when it became quiet.
std::uint64_t heard_of(const RuleRun& run) {
  const auto below = run.op->clear_below();
  return std::max<std::uint64_t>(64, below ? below->count : 0);
}

}  // namespace

Case& Core::open_case_for(RuleRun& run, std::string key, std::vector<KeyState*> members, FiringRef firing,
                          Timestamp from, Timestamp last) {
  auto made = std::make_unique<Case>();
  Case& open = *made;
  open.id = firing->of_case;
  open.rule = run.index;
  open.key = key;
  open.members = std::move(members);
  open.from = from;
  open.fired = last < Timestamp::max() ? std::max(last, firing->time) : firing->time;
  for (const KeyState* member : open.members) run.op->pairs(*member, from, open.heard, heard_of(run));
  if (open.heard.empty()) {  // nothing was counted in pairs
    open.from = firing->time;
    open.heard.keep(open.fired, 1, heard_of(run));
  } else if (std::none_of(open.heard.pairs().begin(), open.heard.pairs().end(),
                          [&](const window::Pair& pair) { return pair.time == firing->time; })) {
    // The event itself was counted, and newer ones pushed it out at once.
    const expr::Value weight = firing->scene.fields.get(rules::kWeight);
    open.heard.keep(firing->time, weight.integer() != nullptr ? *weight.integer() : 1, heard_of(run));
  }
  open.firing = std::move(firing);
  run.cases.emplace(std::move(key), std::move(made));
  cases_by_id[open.id] = &open;
  for (KeyState* member : open.members) {
    member->open = &open;
    run.table_of_keys.moved(*member);
    run.mark(*member);
  }
  arm_case(run, open);
  return open;
}

void Core::hear(RuleRun& run, Case& open, const Event& event) {
  if ((run.clear.kind != rules::Clear::Kind::quiet_for && !run.clear.renewed) || event.time < open.from) return;
  const auto newest = open.heard.newest();
  open.heard.keep(event.time, event.weight, heard_of(run));
  open.dirty = true;
  // A late event can be the p of an earlier deadline; one in order only moves it on.
  if (!newest || *newest <= event.time) return;
  const auto deadline = case_deadline(run, open);
  if (!deadline || !open.armed || *open.armed <= *deadline) return;
  timers.cancel({*open.armed, TimerKind::clear, run.index, open.key, open.id, &open});
  arm_case(run, open);
}

std::optional<Timestamp> Core::case_deadline(RuleRun& run, const Case& open) const {
  if (const auto end = case_end(run, open)) return end;
  if (!open.members.empty()) {
    if (const auto end = run.op->fixed_end(*open.members.front())) return end;
  }
  if (run.clear.kind != rules::Clear::Kind::quiet_for) return std::nullopt;
  const auto below = run.op->clear_below();
  if (below && run.rule.clear.kind == rules::Clear::Kind::never) {
    return open.heard.rate_deadline(open.from, open.fired, below->count, below->within);
  }
  // Quiet is a rate of less than one.
  return open.heard.rate_deadline(open.from, open.fired, 1, run.clear.quiet_for);
}

std::optional<Timestamp> Core::case_end(const RuleRun& run, const Case& open) const {
  if (run.clear.lasts.us == 0) return std::nullopt;
  const Timestamp since = run.clear.renewed ? std::max(open.fired, open.heard.newest().value_or(open.fired)) : open.from;
  return since + run.clear.lasts;
}

// Its end is its end: the event that comes at it or after it is the first of what follows. Whether there was one.
bool Core::end_if_over(RuleRun& run, Case& open, Timestamp t) {
  const auto end = case_end(run, open);
  if (!end || t < *end) return false;
  close_case(run, open, *end, Closing::start_over, "over after " + to_string(run.clear.lasts), StepPlace::List::then_over);
  return true;
}

void Core::arm_case(RuleRun& run, Case& open) {
  const auto deadline = case_deadline(run, open);
  if (!deadline) return;
  open.armed = deadline;
  timers.arm({*deadline, TimerKind::clear, run.index, open.key, open.id, &open});
}

// Events since it was armed may have moved the deadline on.
void Core::on_case_timer(RuleRun& run, Case& open) {
  const auto deadline = case_deadline(run, open);
  if (!deadline) return;
  if (*deadline > now) return arm_case(run, open);
  if (end_if_over(run, open, now)) return;
  std::string why = fmt::format("quiet for {}", to_string(run.clear.quiet_for));
  if (const auto below = run.op->clear_below(); below && run.rule.clear.kind == rules::Clear::Kind::never) {
    why = fmt::format("fewer than {} in {}", below->count, to_string(below->within));
  } else if (!open.members.empty() && run.op->fixed_end(*open.members.front())) {
    why = "the bucket ended";
  }
  close_case(run, open, *deadline, Closing::quiet, why);
}

void Core::close_case(RuleRun& run, Case& open, Timestamp at, Closing how, const std::string& why, StepPlace::List steps) {
  auto at_key = run.cases.lower_bound(open.key);
  while (at_key->second.get() != &open) ++at_key;
  const std::unique_ptr<Case> gone = std::move(at_key->second);
  run.cases.erase(at_key);
  cases_by_id.erase(gone->id);
  if (gone->armed)
    timers.cancel({*gone->armed, TimerKind::clear, run.index, gone->key, gone->id, gone.get()});
  const Key names = named(run.rule.key_names, gone->firing->key);
  if (gone->stored) erased.push_back({StateKind::open_case, gone->id, run.rule.id, to_text(names), {}, true});
  for (KeyState* member : gone->members) {
    member->open = nullptr;
    run.table_of_keys.moved(*member);
    run.mark(*member);
  }
  if (step_out != nullptr) step_out->cases.push_back({CaseChange::Kind::closed, run.rule.id, names, at, why});
  drop_held_of(*gone, at);
  run_steps(gone->firing, steps, 0, at, Decision::Fate::decided, {});
  for (KeyState* member : gone->members) {
    auto hit = run.op->closed(*member, how, at, run);
    run.mark(*member);
    if (!hit || cools_down(run, std::span(&member, 1), std::span(&member, 1), hit->time)) continue;
    // It reached the threshold again with what stayed; nobody but the first firing knows the fields.
    fire(run, std::span(&member, 1), unpack(member->key()), std::move(*hit),
         std::make_shared<Scene>(gone->firing->scene), std::span(&member, 1));
  }
  for (KeyState* member : gone->members) run.settle(*member);
}

}  // namespace correlator::engine
