// SPDX-License-Identifier: Apache-2.0
// What comes after a decision: echoes of its action, its outcome, steps that wait.
#include <fmt/format.h>

#include <algorithm>

#include "core.h"

namespace correlator::engine {
namespace {

constexpr std::size_t kMaxPending = 10'000;
constexpr std::size_t kMaxGiven = std::size_t{64} << 20;
constexpr std::size_t kMaxEchoes = 10'000;
constexpr std::size_t kMaxDelayed = 100'000;

}  // namespace

std::size_t bytes_of(const Given& given) {
  std::size_t out = 0;
  for (const std::string& line : given.lines) out += line.size() + 64;
  return out;
}

// What a decided action leaves behind: its echoes, and whether its outcome matters.
void Core::follow(const FiringRef& firing, const StepPlace& place, const Decision& decision,
                  const rules::Step& step, std::uint32_t action, std::vector<expr::Value> locals,
                  bool or_else) {
  const rules::Action& of = rules->actions[action];
  std::optional<expr::Value> host;
  for (const auto& [name, value] : decision.key) {
    if (name == "host") host = value;
  }
  const Duration longest{of.timeout.us * (static_cast<std::int64_t>(of.retry) + 1)};
  for (std::uint32_t i = 0; i < of.echoes.size(); ++i) {
    Echo echo{next_id(), decision.id,   of.name,
              i,         decision.time, decision.time + longest + of.echoes[i].second,
              host};
    echoes.emplace(echo.id, echo);
    first_echo_end = std::min(first_echo_end, echo.end);
    if (echoes.size() > kMaxEchoes) {
      ++counters.evicted;
      if (echoes.begin()->second.stored)
        erased.push_back({StateKind::engine, echoes.begin()->first, "echo", {}, {}, true});
      echoes.erase(echoes.begin());
    }
  }
  // What is over so long can meet no event any more. Some are gathered before all are walked over: a storm of decisions would do so with each.
  const Duration gathered{options.late.us / 16};
  if (clock && first_echo_end <= *clock - options.late - gathered) {
    first_echo_end = Timestamp::max();
    std::erase_if(echoes, [&](const auto& item) {
      if (item.second.end > *clock - options.late) {
        first_echo_end = std::min(first_echo_end, item.second.end);
        return false;
      }
      if (item.second.stored) erased.push_back({StateKind::engine, item.first, "echo", {}, {}, true});
      return true;
    });
  }
  const bool stops = step.stop_on_failure &&
                     std::any_of(delayed.begin(), delayed.end(),
                                 [&](const auto& item) {
                                   return item.second.firing->id == firing->id && item.second.place.list != StepPlace::List::emit;
                                 });
  const rules::Rule& rule = rules->rules[firing->rule];
  const bool later = step.stop_on_failure && place.list == StepPlace::List::then &&
                     std::any_of(rule.then.begin(), rule.then.end(), [&](const rules::Step& other) {
                       return other.number > step.number && other.after.us > 0;
                     });
  if (or_else || (!step.or_else && !stops && !later && of.echoes.empty())) return;
  Pending item{next_id(), decision.id, firing, place, decision.row, std::move(locals), nullptr};
  if (step.or_else && decision.lines) {
    item.given = std::make_shared<const Given>(*decision.lines, decision.trust);
    given_bytes += bytes_of(*item.given);
  }
  pending_of[item.decision] = item.id;
  pending.emplace(item.id, std::move(item));
  while (pending.size() > kMaxPending || given_bytes > kMaxGiven) {
    ++counters.evicted;
    drop_pending(pending.begin()->first);
  }
}

void Core::drop_pending(std::uint64_t id) {
  const auto found = pending.find(id);
  if (found->second.stored) erased.push_back({StateKind::engine, id, "pending", {}, {}, true});
  pending_of.erase(found->second.decision);
  if (found->second.given != nullptr) given_bytes -= bytes_of(*found->second.given);
  pending.erase(found);
}

void Core::outcome(const OutcomeRecord& record) {
  ++counters.outcomes;
  now = record.time;
  for (auto& [id, echo] : echoes) {
    if (echo.decision != record.decision) continue;
    const auto action = rules->find_action(echo.action);
    if (!action || echo.echo >= rules->actions[*action].echoes.size()) continue;
    echo.end = record.time + rules->actions[*action].echoes[echo.echo].second;
    echo.dirty = true;
    first_echo_end = std::min(first_echo_end, echo.end);
  }
  const auto found = pending_of.find(record.decision);
  if (found == pending_of.end()) return;
  const Pending item = pending.at(found->second);
  drop_pending(item.id);
  const bool failed =
      record.result == OutcomeRecord::Result::failed || record.result == OutcomeRecord::Result::timed_out;
  const rules::Step* step = find_step(item.firing->rule, item.place);
  if (!failed || step == nullptr) return;
  if (step->or_else) {
    decide(item.firing, item.place, step, record.time, item.row, item.locals, true, Decision::Fate::decided,
           {}, item.given);
  }
  if (!step->stop_on_failure) return;
  std::vector<std::uint64_t> later;
  for (const auto& [id, other] : delayed) {
    const rules::Step* next = find_step(other.firing->rule, other.place);
    if (other.firing->id == item.firing->id && other.place.list == item.place.list && next != nullptr &&
        next->number > step->number) {
      later.push_back(id);
    }
  }
  for (const std::uint64_t id : later) {
    const Delayed gone = delayed.at(id);
    end_delayed(id);
    decide_step(gone.firing, gone.place, record.time, Decision::Fate::dropped,
                fmt::format("step {} failed", step->number));
  }
}

void Core::delay(const FiringRef& firing, const StepPlace& place, Timestamp deadline) {
  Delayed item;
  item.id = next_id();
  item.firing = firing;
  item.place = place;
  item.deadline = deadline;
  item.order = pack(firing->key);
  arm_delayed(delayed.emplace(item.id, std::move(item)).first->second);
  if (delayed.size() <= kMaxDelayed) return;
  ++counters.evicted;
  end_delayed(delayed.begin()->first);
}

void Core::arm_delayed(Delayed& item) {
  timers.arm({item.deadline, TimerKind::delayed, item.firing->rule, item.order, item.id, &item});
}

void Core::end_delayed(std::uint64_t id) {
  const auto found = delayed.find(id);
  Delayed& item = found->second;
  timers.cancel({item.deadline, TimerKind::delayed, item.firing->rule, item.order, item.id, &item});
  if (item.stored) {
    erased.push_back({StateKind::timer, id, rules->rules[item.firing->rule].id, {}, {}, true});
  }
  delayed.erase(found);
}

void Core::on_delayed_emit(const Delayed& item) {
  const FiringRef firing = item.firing;
  const StepPlace place = item.place;
  const Timestamp time = item.deadline;
  end_delayed(item.id);
  const std::vector<rules::Emit>& all = rules->rules[firing->rule].emit;
  if (place.index >= all.size()) return;  // a reload took it away
  const std::vector<expr::Value> locals = locals_of(*firing);
  EventBindings names(*rules, firing->scene.fields, *this);
  names.bound(firing->scene.bound);
  names.locals(locals);
  const rules::Emit& spec = all[place.index];
  if (spec.unless && holds(*spec.unless, names)) return;
  depth = firing->depth;
  emit(firing, spec, time);
  depth = 0;
}

void Core::on_delayed(Delayed& item) {
  if (item.place.list == StepPlace::List::emit) return on_delayed_emit(item);
  const rules::Step* step = find_step(item.firing->rule, item.place);
  const std::uint64_t id = item.id;
  if (step == nullptr) return end_delayed(id);
  const std::vector<expr::Value> locals = locals_of(*item.firing);
  EventBindings names(*rules, item.firing->scene.fields, *this);
  names.bound(item.firing->scene.bound);
  names.locals(locals);
  if (step->unless && holds(*step->unless, names)) return end_delayed(id);
  const FiringRef firing = item.firing;
  const StepPlace place = item.place;
  const Timestamp time = item.deadline;
  ++item.done;
  item.dirty = true;
  if (step->every.us > 0 && item.done < step->at_most) {
    item.deadline = time + step->every;
    arm_delayed(item);
  } else {
    end_delayed(id);
  }
  decide_step(firing, place, time, Decision::Fate::decided, {});
}

}  // namespace correlator::engine
