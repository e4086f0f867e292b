// SPDX-License-Identifier: Apache-2.0
// The step of a record, and which rules an event meets.
#include "oracle.h"

#include <algorithm>

#include "time/timestamp.h"

namespace correlator::oracle {
namespace {

std::string listed(const auto& items) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out += ',';
    if constexpr (std::is_same_v<std::decay_t<decltype(item)>, std::string>) {
      out += item;
    } else {
      out += std::to_string(item);
    }
  }
  return out;
}

}  // namespace

std::string said_decision(const char* fate, const std::string& rule, const std::string& key, Time time, std::size_t step,
                          bool clearing, const std::string& action, const std::vector<std::uint64_t>& lines, std::uint64_t total,
                          const std::optional<std::vector<std::string>>& given) {
  std::string told;
  if (given) told = " given";
  for (const std::string& one : given.value_or(std::vector<std::string>())) told += " <" + one + ">";
  return std::string(fate) + " " + rule + " [" + key + "] " + to_rfc3339({time}) + " step " + std::to_string(step) +
         (clearing ? " clearing" : "") + (action.empty() ? "" : " " + action) + " on lines " + listed(lines) + " of " +
         std::to_string(total) + told;
}

std::string said_case(bool opened, const std::string& rule, const std::string& key, Time time) {
  return std::string(opened ? "opened " : "closed ") + rule + " [" + key + "] " + to_rfc3339({time});
}

std::string said_event(const Event& event, Fate fate) {
  constexpr const char* kFates[] = {"", " late", " stale", " folded"};
  return "event " + std::string(1, event.cls) + " " + event.host + " " + to_rfc3339({event.time}) + " dimm=" + event.dimm +
         " ds=" + listed(event.parts) + " v=" + std::to_string(event.v) + " x" + std::to_string(event.weight) + " lines " +
         listed(event.lines) + kFates[static_cast<int>(fate)];
}

bool matches(const Ref& ref, const Event& event) {
  return ref.classes.find(event.cls) != std::string::npos && (ref.below == kAny || event.v < ref.below);
}

// How long events of the rule wait in its hold buffer.
Time wait_of(const Rule& rule) {
  Time out = rule.hold;
  for (const Cause& cause : rule.ignore) out = std::max(out, cause.before);
  return out;
}

Oracle::Oracle(const World& world)
    : world_(world), spec_(world.first()), windows_(spec_.rules.size()), groups_(spec_.groups.size()) {}

std::vector<std::string> Oracle::step(const Input& input) {
  out_.clear();
  switch (input.kind) {
    case Input::Kind::noise:  // matches no pattern: it never enters the intake
      ++number_;
      break;
    case Input::Kind::mark:
      advance(input.event.time);
      now_ = *clock_;
      break;
    case Input::Kind::line:
      ++number_;
      advance(input.event.time);
      now_ = input.event.time;
      line(input);
      break;
    case Input::Kind::end: {
      // In the order of begin, event, values of `same`.
      std::vector<std::tuple<Time, std::string, std::string, std::uint64_t>> open;
      for (const auto& [number, record] : records_) open.emplace_back(record.begin, record.host, record.id, number);
      std::sort(open.begin(), open.end());
      for (const auto& one : open) complete(std::get<3>(one));
      drain();
      break;
    }
    case Input::Kind::restart:  // changes nothing
      break;
    case Input::Kind::reload:
      reload(world_.specs[input.spec]);
      break;
    default:
      command(input);
      break;
  }
  drain();
  return out_;
}

bool Oracle::may_be_cause(const Event& event) const {
  const auto any = [&](const std::vector<Cause>& causes) {
    return std::any_of(causes.begin(), causes.end(), [&](const Cause& cause) { return matches(cause.ref, event); });
  };
  return std::any_of(spec_.rules.begin(), spec_.rules.end(), [&](const Rule& rule) { return any(rule.ignore) || any(rule.unless); }) ||
         std::any_of(spec_.mutes.begin(), spec_.mutes.end(), [&](const Mute& mute) { return matches(mute.during.ref, event); });
}

void Oracle::drain() {
  while (!queue_.empty()) {
    const Event event = queue_.front();
    queue_.erase(queue_.begin());
    say(said_event(event, Fate::met));
    const Time before = now_;
    now_ = event.time;
    if (may_be_cause(event)) seen_.emplace_back(event, *clock_);
    for (std::size_t i = 0; i < spec_.rules.size(); ++i) meet(i, event);
    now_ = before;
  }
}

// The texts of the windows that the event takes part in; none: it has no key.
std::vector<std::string> Oracle::window_keys(const Rule& rule, const Event& event) const {
  std::set<std::string> out;
  switch (rule.key) {
    case KeyOf::host:
      return {"host=" + event.host};
    case KeyOf::dimm:
      return {"dimm=" + event.dimm};
    case KeyOf::host_dimm:
      return {"host=" + event.host + " dimm=" + event.dimm};
    case KeyOf::parts:
      for (const std::string& part : event.parts) out.insert("ds=" + part);
      break;
    case KeyOf::host_parts:
      for (const std::string& part : event.parts) out.insert("host=" + event.host + " ds=" + part);
      break;
  }
  return {out.begin(), out.end()};
}

std::string Oracle::case_key(const Rule& rule, const Event& event) const {
  if (rule.key == KeyOf::parts) return "ds=" + listed(event.parts);
  if (rule.key == KeyOf::host_parts) return "host=" + event.host + " ds=" + listed(event.parts);
  return window_keys(rule, event).front();
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
  if (wait_of(rule) > 0) {
    waiting_.push_back({index, event});
  } else {
    take(index, event);
  }
}

void Oracle::take(std::size_t index, const Event& event) {
  const Rule& rule = spec_.rules[index];
  const std::vector<std::string> keys = window_keys(rule, event);
  if (keys.empty()) return;
  Windows& windows = windows_[index];
  const auto open_cases = [&] {  // that the event's windows belong to, if it may close them
    std::set<std::uint64_t> out;
    for (const std::string& key : keys) {
      const auto at = windows.find(key);
      if (at == windows.end() || at->second.open == 0) continue;
      if (event.time >= cases_.at(at->second.open).firing->time) out.insert(at->second.open);
    }
    return out;
  };
  const auto close_all = [&] {
    const auto open = open_cases();
    for (std::uint64_t number : open) close(number, event.time, Closing::start_over);
    return !open.empty();
  };
  // Cases whose end is behind the event.
  const bool matters = takes_part(rule, event) || (rule.clears == Clears::event && matches(rule.clear_event, event)) ||
                       (rule.op == Op::streak && matches(rule.broken_by, event)) ||
                       (rule.clears == Clears::level && of_own_class(rule, event) && event.v < rule.clear_below);
  std::set<std::uint64_t> over;
  for (const std::string& key : keys) {
    const auto at = windows.find(key);
    if (!matters || rule.lasts == 0 || at == windows.end() || at->second.open == 0) continue;
    if (event.time >= *cases_.at(at->second.open).deadline) over.insert(at->second.open);
  }
  for (std::uint64_t number : over) close(number, *cases_.at(number).deadline, Closing::start_over, true);
  // What ends a case comes first, and no `ignore` stops it.
  if (rule.op == Op::streak && matches(rule.broken_by, event)) {
    if (rule.clears == Clears::by_default) close_all();
    for (const std::string& key : keys) {
      const auto at = windows.find(key);
      if (at == windows.end()) continue;
      at->second.streak = 0;
      at->second.trail = {};
    }
  }
  if (rule.clears == Clears::event && matches(rule.clear_event, event)) close_all();
  const bool fine = rule.clears == Clears::level && of_own_class(rule, event) && event.v < rule.clear_below;
  if (fine && close_all()) return;
  if (!takes_part(rule, event)) return;
  for (const Cause& cause : rule.ignore) {
    if (covered(cause, event.time, event)) return;
  }

  ++arrivals_;
  std::optional<Hit> joint;
  std::vector<std::string> hitting;
  std::set<std::uint64_t> ended, told;
  for (const std::string& key : keys) {
    const auto [at, fresh] = windows.try_emplace(key);
    if (fresh) {
      at->second.named.host = rule.key == KeyOf::dimm || rule.key == KeyOf::parts ? "" : event.host;
      at->second.named.dimm = rule.key == KeyOf::dimm || rule.key == KeyOf::host_dimm ? event.dimm : "";
    }
    bool counted = true, ends = false;
    at->second.newest = std::max(at->second.newest, event.time);
    forget_old(rule, at->second);
    const auto hit = operate(index, key, event, counted, ends);
    Window& window = at->second;
    if (counted && window.open != 0 && told.insert(window.open).second) hear(cases_.at(window.open), event.time, event.weight);
    if (ends && window.open != 0) ended.insert(window.open);
    if (!hit || window.open != 0) continue;
    hitting.push_back(key);
    if (!joint) {
      joint = hit;
    } else {
      joint->from = std::min(joint->from, hit->from);
      joint->until = std::max(joint->until, hit->until);
    }
  }
  for (std::uint64_t number : ended) {
    if (is_open(number)) close(number, event.time, Closing::own);
  }
  std::vector<std::string> members;
  for (const std::string& key : keys) {
    if (windows[key].open == 0) members.push_back(key);
  }
  if (joint) fire(index, case_key(rule, event), members, hitting, *joint, event);
  for (const std::string& key : keys) trim_trail(rule, windows[key]);
}

}  // namespace correlator::oracle
