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
      std::vector<std::string> open;
      for (const auto& [text, key] : keys) {
        if (key.open) open.push_back(text);
      }
      for (const std::string& text : open) {
        if (clock_) close(input.reset_rule, text, *clock_);
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

// Whether the rule counts the event (`on` and `where`).
bool Oracle::takes_part(const Rule& rule, const Event& event) const {
  const auto any = [&](const std::vector<Ref>& refs) {
    return std::any_of(refs.begin(), refs.end(), [&](const Ref& ref) { return matches(ref, event); });
  };
  bool on = any(rule.on) || any(rule.steps) || any(rule.of);
  if (rule.op == Op::answer) on = on || matches(rule.after, event);
  for (const Member& member : rule.members) on = on || matches(member.ref, event);
  if (!on) return false;
  if (rule.where_below != kAny && event.v >= rule.where_below) return false;
  if (rule.where_context != 0) return in_context(event.host, event.time) == (rule.where_context > 0);
  return true;
}

void Oracle::meet(std::size_t index, const Event& event) {
  const Rule& rule = spec_.rules[index];
  const bool closes = rule.clears == Clears::event && matches(rule.clear_event, event);
  const bool breaks = rule.op == Op::streak && matches(rule.broken_by, event);
  if (!takes_part(rule, event) && !closes && !breaks) return;
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
  for (const Cause& cause : rule.ignore) {
    if (covered(cause, event.time, event)) return;
  }
  const std::string key = key_text(rule, event);
  const bool known = keys_[index].contains(key);
  if (!known) keys_[index][key].sample = event;
  if (rule.clears == Clears::event && matches(rule.clear_event, event) && keys_[index][key].open) {
    close(index, key, event.time);
  }
  if (rule.op == Op::streak && matches(rule.broken_by, event)) {
    streak(index, key, event);
    return;
  }
  if (takes_part(rule, event)) {
    if (rule.clears == Clears::level && event.v < rule.clear_below && keys_[index][key].open) {
      close(index, key, event.time);
    } else {
      operate(index, key, event);
    }
  }
}

}  // namespace correlator::oracle
