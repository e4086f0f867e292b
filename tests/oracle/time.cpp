// SPDX-License-Identifier: Apache-2.0
// Clock and timers. No timer is kept: all that could be due are made from the state, and the first of them runs.
#include <algorithm>

#include "oracle.h"

namespace correlator::oracle {

void Oracle::advance(Time to) {
  clock_ = clock_ ? std::max(*clock_, to) : to;
  run_timers();
}

void Oracle::run_timers() {
  for (;;) {
    const std::vector<Timer> all = timers();
    const Timer* first = nullptr;
    for (const Timer& timer : all) {
      if (timer.deadline + kDisorder <= *clock_ && (!first || timer.order() < first->order())) first = &timer;
    }
    if (!first) return;
    run(*first);
    drain();
  }
}

std::vector<Oracle::Timer> Oracle::timers() const {
  std::vector<Timer> out;
  for (std::size_t i = 0; i < waiting_.size(); ++i) {
    // Events of one time are taken by host and text.
    out.push_back({waiting_[i].due, kHold, waiting_[i].rule, waiting_[i].event.host + '\1' + waiting_[i].event.text, i});
  }
  for (std::size_t i = 0; i < spec_.rules.size(); ++i) {
    const Rule& rule = spec_.rules[i];
    for (const auto& [text, key] : keys_[i]) {
      for (std::size_t w = 0; w < key.waits.size(); ++w) out.push_back({key.waits[w] + rule.within, kAbsence, i, text, w});
      if (rule.op == Op::heartbeat && key.last && !key.open && key.told != key.last) out.push_back({*key.last + rule.within, kAbsence, i, text, 0});
      if (const auto deadline = clear_deadline(rule, key)) out.push_back({*deadline, kClear, i, text, 0});
      for (std::size_t h = 0; h < key.held.size(); ++h) {
        if (const auto until = held_until(rule, key.held[h])) out.push_back({*until, kHeld, i, text, h});
      }
    }
  }
  for (const auto& [host, context] : contexts_) {
    if (context.end) out.push_back({*context.end, kContext, 0, host, 0});
  }
  for (std::size_t i = 0; i < delayed_.size(); ++i) out.push_back({delayed_[i].due, kDelayed, delayed_[i].rule, delayed_[i].key, i});
  return out;
}

// When the case of the key closes by itself, if it does.
std::optional<Time> Oracle::clear_deadline(const Rule& rule, const Key& key) const {
  if (!key.open) return std::nullopt;
  if (rule.op == Op::tumbling) return (*key.bucket + 1) * rule.within;
  const bool rate = rule.op == Op::rate;
  const bool has_pairs = rule.op == Op::count || rule.op == Op::distinct || rule.op == Op::group;
  if (!rate && rule.clears != Clears::quiet && !(has_pairs && rule.clears == Clears::by_default)) return std::nullopt;
  const Time quiet = rate ? rule.clear_within : rule.clears == Clears::quiet ? rule.quiet : rule.within;
  const std::uint64_t below = rate ? rule.clear_n : 1;
  std::optional<Time> best;
  for (const Pair& p : key.heard) {
    const Time x = p.time + quiet;
    std::uint64_t weight = 0;
    for (const Pair& q : key.heard) weight += q.time > x - quiet && q.time < x ? q.weight : 0;
    if (x > key.until && weight < below && (!best || x < *best)) best = x;
  }
  return best;
}

// The first moment from the firing on at which no cause holds.
std::optional<Time> Oracle::held_until(const Rule& rule, const Held& held) const {
  std::vector<Time> ends = {held.from};
  for (const Cause* cause : holding_causes(rule)) {
    for (const Event& u : seen_) {
      if (matches(cause->ref, u) && u.time + cause->after >= held.from) ends.push_back(u.time + cause->after);
    }
  }
  std::sort(ends.begin(), ends.end());
  for (Time end : ends) {
    if (!excused(rule, end, held.event)) return end;
  }
  return std::nullopt;
}

void Oracle::run(const Timer& timer) {
  const Rule& rule = spec_.rules[timer.rule];
  switch (timer.kind) {
    case kHold: {
      const Event event = waiting_[timer.index].event;
      waiting_.erase(waiting_.begin() + static_cast<std::ptrdiff_t>(timer.index));
      take(timer.rule, event);
      break;
    }
    case kAbsence: {
      Key& key = keys_[timer.rule][timer.key];
      if (rule.op == Op::answer) {
        const Time asked = key.waits[timer.index];
        key.waits.erase(key.waits.begin() + static_cast<std::ptrdiff_t>(timer.index));
        if (key.open) break;  // evidence only
        key.asked_at = asked;
      }
      key.told = key.last;
      key.from = key.until = timer.deadline;
      fire(timer.rule, timer.key, timer.deadline, key.sample);
      break;
    }
    case kClear:
      if (rule.op == Op::tumbling) keys_[timer.rule][timer.key].bucket_over = true;
      close(timer.rule, timer.key, timer.deadline, Closing::quiet);
      break;
    case kHeld: {
      Key& key = keys_[timer.rule][timer.key];
      const Held held = key.held[timer.index];
      key.held.erase(key.held.begin() + static_cast<std::ptrdiff_t>(timer.index));
      decide(timer.rule, timer.key, timer.deadline, dropped(rule, timer.deadline, held.event) ? "dropped" : "decided");
      break;
    }
    case kContext:
      contexts_.erase(timer.key);
      break;
    case kDelayed: {
      Delayed& one = delayed_[timer.index];
      const Step& step = rule.then[one.step];
      const Key& key = keys_[timer.rule][timer.key];
      const bool cleared = !key.open || key.case_number != one.case_number;
      if (!(step.unless_cleared && cleared)) {
        say(said_decision("decided", rule.id, timer.key, one.due, one.step + 1, false, step.action));
      }
      if (--one.left == 0) {
        delayed_.erase(delayed_.begin() + static_cast<std::ptrdiff_t>(timer.index));
      } else {
        one.due += step.every;
      }
      break;
    }
  }
}

}  // namespace correlator::oracle
