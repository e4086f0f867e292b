// SPDX-License-Identifier: Apache-2.0
// Firings, cases, causes.
#include <algorithm>

#include "oracle.h"

namespace correlator::oracle {
namespace {

constexpr std::size_t kCauseTimes = 64;
constexpr std::size_t kHeard = 64;

}  // namespace

bool Oracle::latches(const Rule& rule) const {
  if (rule.op == Op::each || rule.op == Op::sequence) return rule.clears != Clears::by_default;
  return !rule.at_once;
}

// Whether `time` lies in [u - before, u + after) of one of the newest 64 times u of the cause.
bool Oracle::covered(const Cause& cause, Time time, const Event& event) const {
  std::vector<Time> times;
  for (const Event& u : seen_) {
    if (matches(cause.ref, u) && (!cause.same_host || u.host == event.host)) times.push_back(u.time);
  }
  std::sort(times.rbegin(), times.rend());
  if (times.size() > kCauseTimes) times.resize(kCauseTimes);
  return std::any_of(times.begin(), times.end(), [&](Time u) { return u - cause.before <= time && time < u + cause.after; });
}

std::vector<const Cause*> Oracle::holding_causes(const Rule& rule) const {
  std::vector<const Cause*> out;
  for (const Cause& cause : rule.unless) out.push_back(&cause);
  for (const Mute& mute : spec_.mutes) {
    const bool named = std::find(mute.rules.begin(), mute.rules.end(), rule.id) != mute.rules.end();
    if (named && !mute.drop) out.push_back(&mute.during);
  }
  return out;
}

bool Oracle::excused(const Rule& rule, Time time, const Event& event) const {
  const auto causes = holding_causes(rule);
  return std::any_of(causes.begin(), causes.end(), [&](const Cause* cause) { return covered(*cause, time, event); });
}

bool Oracle::dropped(const Rule& rule, Time time, const Event& event) const {
  return std::any_of(spec_.mutes.begin(), spec_.mutes.end(), [&](const Mute& mute) {
    const bool named = std::find(mute.rules.begin(), mute.rules.end(), rule.id) != mute.rules.end();
    return named && mute.drop && covered(mute.during, time, event);
  });
}

void Oracle::decide(std::size_t index, const std::string& key, Time time, const char* fate) {
  const Rule& rule = spec_.rules[index];
  if (rule.then.empty()) say(said_decision(fate, rule.id, key, time, 0, false, ""));
  for (std::size_t i = 0; i < rule.then.size(); ++i) {
    const Step& step = rule.then[i];
    std::uint32_t left = step.at_most;
    Time due = time + step.after;
    if (step.after == 0) {
      say(said_decision(fate, rule.id, key, time, i + 1, false, step.action));
      due += step.every;
      --left;
    }
    if (left > 0) delayed_.push_back({index, key, keys_[index][key].case_number, i, due, left});
  }
}

// `event`: the one at hand, or, for timers, one of the same key.
void Oracle::fire(std::size_t index, const std::string& key, Time time, const Event& event) {
  const Rule& rule = spec_.rules[index];
  Key& state = keys_[index][key];
  if (latches(rule)) {
    state.open = true;
    state.case_number = ++cases_;
    state.fired_at = time;
    state.heard.clear();
    for (const Pair& pair : state.pairs) {
      if (rule.op != Op::rises && pair.time >= state.from) hear(rule, state, pair.time, pair.weight);
    }
    if (state.heard.empty()) hear(rule, state, state.until, 1);
    say(said_case(true, rule.id, key, time));
  } else if (rule.cooldown > 0) {
    if (state.decided_at && time < *state.decided_at + rule.cooldown) return;
    state.decided_at = time;
  }
  if (dropped(rule, time, event)) {
    decide(index, key, time, "dropped");
  } else if (excused(rule, time, event)) {
    state.held.push_back({time, event});
    decide(index, key, time, "held");
  } else {
    decide(index, key, time, "decided");
  }
  if (rule.emits != 0) {
    Event made;
    made.time = time;
    made.cls = rule.emits;
    made.host = event.host;
    made.dimm = rule.key == KeyOf::host ? "e" : event.dimm;
    made.v = 3;
    queue_.push_back(made);
  }
  if (rule.sets) {
    const bool fresh = !contexts_.contains(event.host);
    Context& context = contexts_[event.host];
    if (rule.lifetime == 0) {
      context.end = std::nullopt;
    } else if (fresh || context.end) {
      context.end = std::max(context.end.value_or(time + rule.lifetime), time + rule.lifetime);
    }
  }
  if (rule.unsets) contexts_.erase(event.host);
}

// An event while the case is open.
void Oracle::hear(const Rule& rule, Key& state, Time time, std::uint64_t weight) {
  if (!state.open || time < state.from) return;
  const std::size_t most = std::max<std::size_t>(kHeard, rule.op == Op::rate ? rule.clear_n : 0);
  const auto deadline = clear_deadline(rule, state);
  if (state.heard.size() >= most && deadline && time >= *deadline) return;
  state.heard.push_back({time, ++arrivals_, weight, 0, ""});
  if (state.heard.size() <= most) return;
  const auto oldest = std::min_element(state.heard.begin(), state.heard.end(), [](const Pair& a, const Pair& b) {
    return std::tie(a.time, a.arrival) < std::tie(b.time, b.arrival);
  });
  state.heard.erase(oldest);
}

void Oracle::close(std::size_t index, const std::string& key, Time time, Closing how) {
  const Rule& rule = spec_.rules[index];
  Key& state = keys_[index][key];
  state.open = false;
  state.heard.clear();
  say(said_case(false, rule.id, key, time));
  for (std::size_t i = 0; i < state.held.size(); ++i) decide(index, key, time, "dropped");
  state.held.clear();
  if (rule.then_clear) say(said_decision("decided", rule.id, key, time, 1, true, "n2"));
  if (how == Closing::start_over) start_over(index, state);
  if (how == Closing::quiet) afresh(index, key, time);
}

// An event, a level or a command closed the case: nothing stays of the key.
void Oracle::start_over(std::size_t, Key& state) {
  state.pairs.clear();
  state.streak = 0;
  state.total = 0;
  state.bucket_over = false;
  state.chains.clear();
  state.waits.clear();
  state.answers.clear();
}

// What is left of the key once its case closed at `time`; it may be enough for the next one.
void Oracle::afresh(std::size_t index, const std::string& key, Time time) {
  const Rule& rule = spec_.rules[index];
  Key& state = keys_[index][key];
  state.streak = 0;
  std::erase_if(state.pairs, [&](const Pair& pair) { return pair.time < time; });
  if (rule.op == Op::rises) return;
  const auto end = smallest_end(rule, state.pairs, INT64_MIN, INT64_MAX);
  if (!end) return;
  state.from = state.until = *end;
  for (const Pair& pair : interval(rule, state.pairs, *end)) state.from = std::min(state.from, pair.time);
  fire(index, key, *end, state.sample);
}

}  // namespace correlator::oracle
