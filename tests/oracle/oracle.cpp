// SPDX-License-Identifier: Apache-2.0
// The step of a record: clock, same-error groups, and which rules an event meets.
#include "oracle.h"

#include <algorithm>

#include "time/timestamp.h"

namespace correlator::oracle {

std::string said_decision(const char* fate, const std::string& rule, const std::string& key, Time time, std::size_t step,
                          bool clearing, const std::string& action) {
  return std::string(fate) + " " + rule + " [" + key + "] " + to_rfc3339({time}) + " step " + std::to_string(step) +
         (clearing ? " clearing" : "") + (action.empty() ? "" : " " + action);
}

std::string said_case(bool opened, const std::string& rule, const std::string& key, Time time) {
  return std::string(opened ? "opened " : "closed ") + rule + " [" + key + "] " + to_rfc3339({time});
}

bool matches(const Ref& ref, const Event& event) {
  return ref.classes.find(event.cls) != std::string::npos && (ref.below == kAny || event.v < ref.below);
}

Oracle::Oracle(Spec spec) : spec_(std::move(spec)), keys_(spec_.rules.size()), groups_(spec_.groups.size()) {}

std::vector<std::string> Oracle::step(const Input& input) {
  out_.clear();
  switch (input.kind) {
    case Input::Kind::noise:  // matches no pattern: it never enters the intake
      break;
    case Input::Kind::mark:
      advance(input.event.time);
      break;
    case Input::Kind::line:
      advance(input.event.time);
      decode(input.event);
      break;
    case Input::Kind::reset: {
      auto& keys = keys_[input.reset_rule];
      for (auto& [text, key] : keys) {
        if (key.open) close(input.reset_rule, text, *clock_, Closing::start_over);
        start_over(input.reset_rule, key);
      }
      drain();
      break;
    }
  }
  return out_;
}

void Oracle::decode(Event event) {
  if (event.time <= *clock_ - kLate || event.weight == 0) return;
  for (std::size_t i = 0; i < spec_.groups.size(); ++i) {
    if (!merge(spec_.groups[i], i, event)) return;
  }
  diagnose(event);
}

// Returns whether the event goes on, with the weight that is left.
bool Oracle::merge(const SameError& spec, std::size_t index, Event& event) {
  if (event.channel.empty() || spec.classes.find(event.cls) == std::string::npos) return true;
  const std::string key = spec.by_dimm ? event.host + "/" + event.dimm : event.host;
  auto& groups = groups_[index];
  auto at = groups.find(key);
  if (at != groups.end()) {
    const Group& group = at->second;
    const bool over = *clock_ >= group.last + spec.within + kDisorder;
    const bool meets = event.time - group.last < spec.within && group.first - event.time < spec.within;
    if (over || !meets) {
      groups.erase(at);
      at = groups.end();
    }
  }
  if (at == groups.end()) at = groups.emplace(key, Group{event.time, event.time, {}, 0}).first;
  Group& group = at->second;
  group.first = std::min(group.first, event.time);
  group.last = std::max(group.last, event.time);
  group.sums[event.channel] += event.weight;
  const std::uint64_t best = group.sums.begin()->second;  // x before y before z
  if (best <= group.counted) return false;
  event.weight = best - group.counted;
  group.counted = best;
  return true;
}

void Oracle::diagnose(const Event& event) {
  queue_.push_back(event);
  drain();
}

void Oracle::drain() {
  while (!queue_.empty()) {
    const Event event = queue_.front();
    queue_.erase(queue_.begin());
    seen_.push_back(event);
    for (std::size_t i = 0; i < spec_.rules.size(); ++i) meet(i, event);
  }
}

std::string Oracle::key_text(const Rule& rule, const Event& event) const {
  switch (rule.key) {
    case KeyOf::host:
      return "host=" + event.host;
    case KeyOf::dimm:
      return "dimm=" + event.dimm;
    case KeyOf::host_dimm:
      break;
  }
  return "host=" + event.host + " dimm=" + event.dimm;
}

bool Oracle::in_context(const std::string& host, Time time) const {
  const auto at = contexts_.find(host);
  return at != contexts_.end() && (!at->second.end || time < *at->second.end);
}

std::vector<Ref> Oracle::references(const Rule& rule) const {
  std::vector<Ref> out = rule.on;
  out.insert(out.end(), rule.steps.begin(), rule.steps.end());
  out.insert(out.end(), rule.of.begin(), rule.of.end());
  if (rule.op == Op::answer) out.push_back(rule.after);
  for (const Member& member : rule.members) out.push_back(member.ref);
  return out;
}

bool Oracle::refers_to(const Rule& rule, const Event& event) const {
  if (rule.op == Op::sequence) return of_own_class(rule, event);  // what a step asks for is judged with the chain
  const auto refs = references(rule);
  return std::any_of(refs.begin(), refs.end(), [&](const Ref& ref) { return matches(ref, event); });
}

bool Oracle::of_own_class(const Rule& rule, const Event& event) const {
  const auto refs = references(rule);
  return std::any_of(refs.begin(), refs.end(), [&](const Ref& ref) { return ref.classes.find(event.cls) != std::string::npos; });
}

// Whether the rule counts the event (`on` and `where`).
bool Oracle::takes_part(const Rule& rule, const Event& event) const {
  if (!refers_to(rule, event)) return false;
  if (rule.where_below != kAny && event.v >= rule.where_below) return false;
  if (rule.where_context != 0) return in_context(event.host, event.time) == (rule.where_context > 0);
  return true;
}

void Oracle::meet(std::size_t index, const Event& event) {
  const Rule& rule = spec_.rules[index];
  const bool closes = rule.clears == Clears::event && matches(rule.clear_event, event);
  const bool breaks = rule.op == Op::streak && matches(rule.broken_by, event);
  const bool levels = rule.clears == Clears::level && of_own_class(rule, event);
  if (!refers_to(rule, event) && !closes && !breaks && !levels) return;
  Time before = 0;
  for (const Cause& cause : rule.ignore) before = std::max(before, cause.before);
  const Time wait = std::max(rule.hold, before);
  if (wait > 0) {
    waiting_.push_back({index, event, event.time + wait});
    return;
  }
  take(index, event);
}

void Oracle::take(std::size_t index, const Event& event) {
  const Rule& rule = spec_.rules[index];
  const std::string key = key_text(rule, event);
  const bool known = keys_[index].contains(key);
  if (!known) keys_[index][key].sample = event;
  Key& state = keys_[index][key];
  // What ends a case comes first, and no `ignore` stops it.
  if (rule.op == Op::streak && matches(rule.broken_by, event)) {
    state.streak = 0;
    if (state.open && rule.clears == Clears::by_default) close(index, key, event.time, Closing::start_over);
    if (rule.clears != Clears::event || !matches(rule.clear_event, event)) return;
  }
  const bool may_close = state.open && event.time >= state.fired_at;
  if (may_close && rule.clears == Clears::event && matches(rule.clear_event, event)) {
    close(index, key, event.time, Closing::start_over);
  }
  if (rule.op == Op::streak && matches(rule.broken_by, event)) return;
  if (state.open && rule.clears == Clears::level && of_own_class(rule, event) && event.v < rule.clear_below) {
    if (may_close) close(index, key, event.time, Closing::start_over);
    return;
  }
  if (!takes_part(rule, event)) return;
  for (const Cause& cause : rule.ignore) {
    if (covered(cause, event.time, event)) return;
  }
  operate(index, key, event);
}

}  // namespace correlator::oracle
