// SPDX-License-Identifier: Apache-2.0
// Clock and timers. No timer is kept: all that could be due are made from the state, and the first of them runs.
#include <algorithm>

#include "oracle.h"

namespace correlator::oracle {
namespace {

constexpr std::size_t kMinutesAtOnce = 1'000;

}  // namespace

void Oracle::advance(Time to) {
  if (!clock_) clock_ = to;
  goal_ = std::max(*clock_, to);
  for (std::size_t i = 0; i < spec_.rules.size(); ++i) {
    if (spec_.rules[i].op == Op::schedule && windows_[i].empty()) windows_[i][""].minute = goal_;
  }
  for (;;) {
    const std::vector<Timer> due = due_timers(goal_ - kDisorder);
    if (due.empty()) break;
    const Timer first = *std::min_element(due.begin(), due.end(), [](const Timer& a, const Timer& b) { return a.order() < b.order(); });
    clock_ = std::max(*clock_, first.deadline + kDisorder);
    run(first);
    drain();
  }
  clock_ = goal_;
}

std::vector<Oracle::Timer> Oracle::due_timers(Time until) const {
  std::vector<Timer> out;
  const auto add = [&](Time deadline, Kind kind, std::size_t rule, const std::string& key, std::uint64_t index) {
    if (deadline <= until) out.push_back({deadline, kind, rule, key, index});
  };
  for (const auto& [number, record] : records_) add(record.begin + spec_.record.within, kRecord, 0, record.host + '\1' + record.id, number);
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    const Waiting& one = waiting_[i];
    // Events of one time are taken by host and text.
    add(one.event.time + wait_of(spec_.rules[one.rule]), kHold, one.rule, one.event.host + '\1' + one.event.text, i);
  }
  for (std::size_t i = 0; i < spec_.rules.size(); ++i) {
    const Rule& rule = spec_.rules[i];
    for (const auto& [name, window] : windows_[i]) {
      for (std::size_t w = 0; w < window.waits.size(); ++w) add(window.waits[w].asked + rule.within, kAbsence, i, name, w);
      if (const auto silent = heartbeat_deadline(rule, window)) add(*silent, kAbsence, i, name, 0);
      if (rule.op != Op::schedule) continue;
      const auto due = minutes(rule.cron, *window.minute, until);
      if (!due.empty()) add(due[due.size() > kMinutesAtOnce ? due.size() - kMinutesAtOnce : 0], kSchedule, i, name, 0);
    }
  }
  for (const auto& [number, one] : cases_) {
    if (spec_.rules[one.rule].op == Op::tumbling) {
      add((*windows_[one.rule].at(one.members.front()).bucket + 1) * spec_.rules[one.rule].within, kClear, one.rule, one.key, number);
    } else if (one.deadline) {
      add(*one.deadline, kClear, one.rule, one.key, number);
    }
  }
  for (const auto& [host, context] : contexts_) {
    if (context.end) add(*context.end, kContext, 0, host, 0);
  }
  for (std::size_t i = 0; i < delayed_.size(); ++i) add(delayed_[i].due, kDelayed, index_of(delayed_[i].firing->rule), delayed_[i].firing->key, i);
  for (std::size_t i = 0; i < held_.size(); ++i) {
    if (const auto end = held_until(*held_[i])) add(*end, kHeld, index_of(held_[i]->rule), held_[i]->key, i);
  }
  return out;
}

// When a heartbeat's silence fires, unless it did.
std::optional<Time> Oracle::heartbeat_deadline(const Rule& rule, const Window& window) const {
  if (rule.op != Op::heartbeat || window.open != 0 || window.told) return std::nullopt;
  return window.last ? std::optional(*window.last + rule.within) : window.due;
}

// When the case closes because it became quiet: the smallest x = p + Q > e with less than it takes in (p, x). Or its end,
// where it has one.
std::optional<Time> Oracle::clear_deadline(const Case& one) const {
  const Rule& rule = spec_.rules[one.rule];
  if (rule.lasts > 0) {
    Time since = rule.renewed ? one.until : one.from;
    for (const Pair& pair : one.heard) since = rule.renewed ? std::max(since, pair.time) : since;
    return since + rule.lasts;
  }
  const bool rate = rule.op == Op::rate;
  const Time quiet = rate ? rule.clear_within : rule.clears == Clears::quiet ? rule.quiet : rule.within;
  const std::uint64_t below = rate ? rule.clear_n : 1;
  std::optional<Time> best;
  for (const Pair& p : one.heard) {
    const Time x = p.time + quiet;
    if (x <= one.until || (best && *best <= x)) continue;
    std::uint64_t weight = 0;
    for (const Pair& q : one.heard) weight += q.time > x - quiet && q.time < x ? q.weight : 0;
    if (weight < below) best = x;
  }
  return best;
}

// The first moment from the firing on at which nothing holds it.
std::optional<Time> Oracle::held_until(const Firing& firing) const {
  std::vector<Time> ends = {firing.time};
  for (const Cause* cause : holding_causes(spec_.rules[index_of(firing.rule)])) {
    for (const auto& [u, clock] : seen_) {
      if (matches(cause->ref, u) && u.time + cause->after >= firing.time) ends.push_back(u.time + cause->after);
    }
  }
  for (const Silence& one : silences_) {
    if (silences(one, firing) && one.until >= firing.time) ends.push_back(one.until);
  }
  std::sort(ends.begin(), ends.end());
  for (Time end : ends) {
    if (!excused(firing, end)) return end;
  }
  return std::nullopt;
}

// The minutes of the expression in (after, to].
std::vector<Time> Oracle::minutes(const Cron& cron, Time after, Time to) const {
  std::vector<Time> out;
  for (Time at = (after / kMinute + 1) * kMinute; at <= to; at += kMinute) {
    const auto minute = static_cast<std::uint64_t>(at / kMinute % 60);
    const auto hour = static_cast<int>(at / kHour % 24);
    const bool named = cron.every > 0 ? minute % cron.every == 0 : minute == cron.minute;
    if (named && (cron.hour < 0 || cron.hour == hour)) out.push_back(at);
  }
  return out;
}

void Oracle::run_absence(const Timer& timer) {
  const Rule& rule = spec_.rules[timer.rule];
  Window& window = windows_[timer.rule][timer.key];
  Hit hit{timer.deadline, timer.deadline, timer.deadline, std::nullopt, true, 0};
  Event event = window.named;
  if (rule.op == Op::answer) {
    const Wait wait = window.waits[timer.index];
    window.waits.erase(window.waits.begin() + static_cast<std::ptrdiff_t>(timer.index));
    if (window.open != 0) return;
    hit.asked = wait.asked;
    hit.evidence.emplace();
    hit.evidence->add(wait.event);
    event = wait.event;
  }
  window.told = true;
  fire(timer.rule, timer.key, {timer.key}, {timer.key}, hit, event);
  // An answer that was too late can have come before the timer: it closes the case as it would have after it.
  if (rule.op != Op::answer || rule.clears != Clears::by_default) return;
  std::optional<Time> late;
  for (Time at : window.answers) {
    if (at >= hit.asked && (!late || at < *late)) late = at;
  }
  if (late) close(window.open, *late, Closing::own);
}

void Oracle::run(const Timer& timer) {
  now_ = timer.deadline;
  switch (timer.kind) {
    case kRecord:
      complete(timer.index);
      break;
    case kHold: {
      const Event event = waiting_[timer.index].event;
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(timer.index));
      now_ = event.time;
      take(timer.rule, event);
      break;
    }
    case kAbsence:
      run_absence(timer);
      break;
    case kClear:
      if (spec_.rules[timer.rule].lasts > 0) close(timer.index, timer.deadline, Closing::start_over, true);
      else close(timer.index, timer.deadline, Closing::quiet);
      break;
    case kContext:
      end_context(timer.key);
      break;
    case kSchedule: {
      windows_[timer.rule][timer.key].minute = timer.deadline;
      fire(timer.rule, "", {}, {}, {timer.deadline, timer.deadline, timer.deadline, Evidence{}, false, 0}, {});
      break;
    }
    case kDelayed: {
      Delayed& one = delayed_[timer.index];
      const Rule& rule = spec_.rules[timer.rule];
      const bool cleared = one.firing->of_case != 0 && !is_open(one.firing->of_case);
      if (one.step == kEmit) {
        if (!(rule.emit_unless_cleared && cleared)) queue_.push_back(emitted(*one.firing, one.due));
        delayed_.erase(delayed_.begin() + static_cast<std::ptrdiff_t>(timer.index));
        break;
      }
      const Step& step = rule.then[one.step];
      if (!(step.unless_cleared && cleared)) {
        std::vector<std::uint64_t> lines;
        for (const Line& line : one.firing->evidence.lines) lines.push_back(line.number);
        say(said_decision("decided", rule.id, one.firing->key, one.due, one.step + 1, false, step.action, lines,
                          lines.size() + one.firing->evidence.gone, given(step, *one.firing)));
      }
      if (--one.left == 0) {
        delayed_.erase(delayed_.begin() + static_cast<std::ptrdiff_t>(timer.index));
      } else {
        one.due += step.every;
      }
      break;
    }
    case kHeld: {
      const FiringRef firing = held_[timer.index];
      held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(timer.index));
      decide(firing, timer.deadline, dropped(*firing, timer.deadline) ? "dropped" : "decided");
      break;
    }
  }
}

}  // namespace correlator::oracle
