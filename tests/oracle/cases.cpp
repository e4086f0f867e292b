// SPDX-License-Identifier: Apache-2.0
// Firings, cases, causes.
#include <algorithm>

#include "oracle.h"

namespace correlator::oracle {
namespace {

constexpr std::size_t kCauseTimes = 64, kHeard = 64, kFirstLines = 4, kLines = 16;

bool has_pairs(const Rule& rule) { return rule.op == Op::count || rule.op == Op::rate || rule.op == Op::distinct || rule.op == Op::group; }

}  // namespace

void Oracle::Evidence::add(const Line& line) {
  if (std::find(lines.begin(), lines.end(), line) != lines.end()) return;
  lines.push_back(line);
  std::sort(lines.begin(), lines.end());
  if (lines.size() <= kLines) return;
  lines.erase(lines.begin() + kFirstLines);
  ++gone;
}

void Oracle::Evidence::add(const Event& event) {
  for (std::uint64_t number : event.lines) add(Line{event.time, number});
}

void Oracle::Evidence::drop_before(Time time) {
  std::erase_if(lines, [&](const Line& line) { return line.time < time; });
  if (lines.empty()) gone = 0;
}

Oracle::Evidence Oracle::Evidence::between(Time from, Time to) const {
  Evidence out;
  for (const Line& line : lines) {
    if (from <= line.time && line.time <= to) out.lines.push_back(line);
  }
  out.gone = gone;
  return out;
}

std::size_t Oracle::index_of(const std::string& id) const {
  std::size_t i = 0;
  while (spec_.rules[i].id != id) ++i;
  return i;
}

bool Oracle::latches(const Rule& rule) const {
  if (rule.op == Op::schedule) return false;
  if (rule.op == Op::each || rule.op == Op::sequence) return rule.clears != Clears::by_default;
  return !rule.at_once;
}

// Whether a case of the rule closes by what is heard.
bool Oracle::judged_quiet(const Rule& rule) const {
  return rule.op == Op::rate || rule.clears == Clears::quiet || (has_pairs(rule) && rule.clears == Clears::by_default);
}

// Whether `time` lies in [u - before, u + after) of one of the newest 64 times u of the cause.
bool Oracle::covered(const Cause& cause, Time time, const Event& event) const {
  Time waits = spec_.record.used ? spec_.record.within : 0, longest = 0;
  for (const Rule& rule : spec_.rules) longest = std::max(longest, wait_of(rule));
  waits += longest;
  std::set<Time> times;
  for (const auto& [u, clock] : seen_) {
    if (!matches(cause.ref, u)) continue;
    if (!times.empty() && *times.rbegin() + cause.after <= clock - kLate - waits) times.clear();
    if (!cause.same_host || u.host == event.host) times.insert(u.time);
    if (times.size() > kCauseTimes) times.erase(times.begin());
  }
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

bool Oracle::silences(const Silence& silence, const Firing& firing) const {
  return silence.rule == firing.rule && (silence.key.empty() || silence.key == firing.key);
}

bool Oracle::excused(const Firing& firing, Time time) const {
  const auto causes = holding_causes(spec_.rules[index_of(firing.rule)]);
  return std::any_of(causes.begin(), causes.end(), [&](const Cause* cause) { return covered(*cause, time, firing.event); }) ||
         std::any_of(silences_.begin(), silences_.end(), [&](const Silence& one) { return silences(one, firing) && time < one.until; });
}

bool Oracle::dropped(const Firing& firing, Time time) const {
  return std::any_of(spec_.mutes.begin(), spec_.mutes.end(), [&](const Mute& mute) {
    const bool named = std::find(mute.rules.begin(), mute.rules.end(), firing.rule) != mute.rules.end();
    return named && mute.drop && covered(mute.during, time, firing.event);
  });
}

namespace {

std::vector<std::uint64_t> numbers(const auto& lines) {
  std::vector<std::uint64_t> out;
  for (const auto& line : lines) out.push_back(line.number);
  return out;
}

}  // namespace

void Oracle::decide(const FiringRef& firing, Time time, const char* fate) {
  const Rule& rule = spec_.rules[index_of(firing->rule)];
  const auto lines = numbers(firing->evidence.lines);
  const std::uint64_t total = lines.size() + firing->evidence.gone;
  if (rule.then.empty() && !rule.collects) say(said_decision(fate, rule.id, firing->key, time, 0, false, "", lines, total));
  for (std::size_t i = 0; i < rule.then.size(); ++i) {
    const Step& step = rule.then[i];
    if (step.after == 0) {
      say(said_decision(fate, rule.id, firing->key, time, i + 1, false, step.action, lines, total, given(step, *firing)));
    } else if (std::string(fate) == "decided") {
      delayed_.push_back({firing, i, time + step.after, step.at_most});
    }
  }
}

// `event`: the one at hand, or what is known without one.
void Oracle::fire(std::size_t index, const std::string& key, const std::vector<std::string>& members,
                  const std::vector<std::string>& hitting, const Hit& hit, const Event& event) {
  const Rule& rule = spec_.rules[index];
  Windows& windows = windows_[index];
  const auto starts_over = [&] {
    if (latches(rule)) return;
    for (const std::string& name : hitting) {
      windows[name].pairs.clear();
      windows[name].total = 0;
      windows[name].trail = {};
    }
  };
  if (!latches(rule) && rule.cooldown > 0) {
    const bool cooling = std::any_of(members.begin(), members.end(), [&](const std::string& name) {
      return windows[name].decided_at && hit.time < *windows[name].decided_at + rule.cooldown;
    });
    if (cooling) return starts_over();
    for (const std::string& name : members) windows[name].decided_at = hit.time;
  }
  auto made = std::make_shared<Firing>();
  made->rule = rule.id;
  made->key = key;
  made->of_case = latches(rule) ? ++cases_ever_ : 0;
  made->time = hit.time;
  made->event = event;
  if (hit.evidence) {
    made->evidence = *hit.evidence;
  } else {
    for (const std::string& name : hitting) {
      const Evidence& trail = windows[name].trail;
      const Evidence part = hit.whole_trail ? trail : trail.between(hit.from, hit.until);
      for (const Line& line : part.lines) made->evidence.add(line);
      made->evidence.gone += part.gone;
    }
  }
  const FiringRef firing = made;
  if (firing->of_case != 0) {
    Case& one = cases_[firing->of_case];
    one = {firing->of_case, index, key, members, firing, hit.from, std::max(hit.until, hit.time), hit.asked, {}, {}};
    for (const std::string& name : members) {
      windows[name].open = one.number;
      for (const Pair& pair : windows[name].pairs) {
        if (has_pairs(rule) && pair.time >= one.from) hear(one, pair.time, pair.weight);
      }
    }
    const bool known = std::any_of(one.heard.begin(), one.heard.end(), [&](const Pair& pair) { return pair.time == hit.time; });
    if (has_pairs(rule) && !known) hear(one, hit.time, event.weight);
    if (!has_pairs(rule)) {
      one.from = hit.time;
      hear(one, one.until, 1);
    }
    if (rule.lasts > 0) one.deadline = clear_deadline(one);
    say(said_case(true, rule.id, key, hit.time));
  }
  collect(firing);
  if (dropped(*firing, hit.time)) {
    decide(firing, hit.time, "dropped");
  } else if (excused(*firing, hit.time)) {
    held_.push_back(firing);
    decide(firing, hit.time, "held");
  } else {
    decide(firing, hit.time, "decided");
  }
  effects(firing);
  starts_over();
}

Event Oracle::emitted(const Firing& firing, Time time) const {
  const Rule& rule = spec_.rules[index_of(firing.rule)];
  Event made;
  made.time = time;
  made.cls = rule.emits;
  made.host = firing.event.host;
  made.dimm = rule.key == KeyOf::host_dimm ? firing.event.dimm : "e";
  made.v = 3;
  made.lines = numbers(firing.evidence.lines);
  return made;
}

// What the step gives its action; nothing where the context is over.
std::optional<std::vector<std::string>> Oracle::given(const Step& step, const Firing& firing) const {
  if (!step.lines) return std::nullopt;
  const std::string& host = firing.event.host;
  return in_context(host, now_) ? contexts_.at(host).texts : std::vector<std::string>();
}

void Oracle::end_context(const std::string& host) {
  const Context over = contexts_.at(host);
  contexts_.erase(host);
  if (!over.at_end) return;
  const Firing& firing = *over.firing;
  say(said_decision("decided", firing.rule, firing.key, *over.end, 1, false, "n2", numbers(firing.evidence.lines),
                    firing.evidence.lines.size() + firing.evidence.gone, over.texts));
}

void Oracle::end_context_before(const std::string& host, Time time) {
  const auto at = contexts_.find(host);
  if (at != contexts_.end() && at->second.end && *at->second.end <= time) end_context(host);
}

// Before the firing's steps are decided.
void Oracle::collect(const FiringRef& firing) {
  const Rule& rule = spec_.rules[index_of(firing->rule)];
  if (!rule.collects) return;
  const std::string& host = firing->event.host;
  end_context_before(host, firing->time);
  const bool fresh = !contexts_.contains(host);
  Context& context = contexts_[host];
  const auto end = rule.collect_for > 0 ? std::optional(firing->time + rule.collect_for) : std::nullopt;
  if (fresh) {
    context.end = end;
    context.firing = firing;
    context.at_end = rule.collect_at_end;
  } else if (rule.renews && context.end) {
    context.end = std::max(*context.end, *end);
  }
  context.texts.push_back(rule.id + " " + std::to_string(firing->event.v));
  if (context.texts.size() > rule.keeps) context.texts.erase(context.texts.begin(), context.texts.end() - static_cast<std::ptrdiff_t>(rule.keeps));
}

void Oracle::effects(const FiringRef& firing) {
  const Rule& rule = spec_.rules[index_of(firing->rule)];
  if (rule.emits != 0 && rule.emit_after > 0) {
    delayed_.push_back({firing, kEmit, firing->time + rule.emit_after, 1});
  } else if (rule.emits != 0) {
    queue_.push_back(emitted(*firing, firing->time));
  }
  const std::string& host = firing->event.host;
  if (rule.sets) {
    end_context_before(host, firing->time);
    const bool fresh = !contexts_.contains(host);
    Context& context = contexts_[host];
    context.firing = firing;
    context.at_end = rule.set_at_end;
    if (rule.lifetime == 0) {
      context.end = std::nullopt;
    } else if (fresh || context.end) {
      context.end = std::max(context.end.value_or(firing->time + rule.lifetime), firing->time + rule.lifetime);
    }
  }
  if (rule.unsets || rule.empties) end_context_before(host, firing->time);
  if (rule.unsets) contexts_.erase(host);
  if (rule.empties && contexts_.contains(host)) contexts_[host].texts.clear();
}

// An event while the case is open.
void Oracle::hear(Case& one, Time time, std::uint64_t weight) {
  const Rule& rule = spec_.rules[one.rule];
  if ((!judged_quiet(rule) && !rule.renewed) || time < one.from) return;
  const std::size_t most = std::max<std::size_t>(kHeard, rule.op == Op::rate ? rule.clear_n : 0);
  one.heard.push_back({time, ++arrivals_, weight, 0, ""});
  if (one.heard.size() > most) {
    one.heard.erase(std::min_element(one.heard.begin(), one.heard.end(), [](const Pair& a, const Pair& b) {
      return std::tie(a.time, a.arrival) < std::tie(b.time, b.arrival);
    }));
  }
  one.deadline = clear_deadline(one);
}

// `over`: because of `lasts`.
void Oracle::close(std::uint64_t number, Time time, Closing how, bool over) {
  const Case one = cases_.at(number);
  const Rule& rule = spec_.rules[one.rule];
  cases_.erase(number);
  for (const std::string& name : one.members) windows_[one.rule][name].open = 0;
  say(said_case(false, rule.id, one.key, time));
  for (const FiringRef& firing : std::vector<FiringRef>(held_)) {
    if (firing->of_case == number) decide(firing, time, "dropped");
  }
  std::erase_if(held_, [&](const FiringRef& firing) { return firing->of_case == number; });
  if (over ? rule.then_over : rule.then_clear) {
    const auto lines = numbers(one.firing->evidence.lines);
    say(said_decision("decided", rule.id, one.key, time, 1, true, over ? "n1" : "n2", lines, lines.size() + one.firing->evidence.gone));
  }
  for (const std::string& name : one.members) {
    if (how == Closing::start_over) start_over(one.rule, windows_[one.rule][name]);
    if (how != Closing::start_over) {  // what ran out while the case was open is not told
      std::erase_if(windows_[one.rule][name].waits, [&](const Wait& wait) { return wait.asked + rule.within <= time; });
    }
    if (how == Closing::quiet) afresh(one.rule, name, time, one.firing->event);
  }
}

// An event, a level or a command closed the case: nothing stays of the key.
void Oracle::start_over(std::size_t index, Window& window) {
  window.pairs.clear();
  window.streak = 0;
  window.total = 0;
  window.bucket_over = false;
  window.chains.clear();
  window.waits.clear();
  window.answers.clear();
  window.trail = {};
  if (spec_.rules[index].op == Op::heartbeat) {
    window.last = std::nullopt;
    window.due = *clock_ + spec_.rules[index].within;
    window.told = false;
  }
}

// What is left of the key once its case closed at `time`; it may be enough for the next one.
void Oracle::afresh(std::size_t index, const std::string& key, Time time, const Event& event) {
  const Rule& rule = spec_.rules[index];
  Window& window = windows_[index][key];
  if (rule.op == Op::tumbling && window.bucket && (*window.bucket + 1) * rule.within <= time) {
    window.bucket_over = true;
    window.trail = {};
  }
  if (rule.op == Op::streak) {
    window.streak = 0;
    window.trail = {};
  }
  window.chains.clear();
  std::erase_if(window.pairs, [&](const Pair& pair) { return pair.time < time; });
  if (rule.op != Op::heartbeat) window.trail.drop_before(time);
  if (!has_pairs(rule)) return;
  const auto end = smallest_end(rule, window.pairs, INT64_MIN, INT64_MAX);
  if (end) fire(index, key, {key}, {key}, hit_at(rule, window.pairs, *end, *end), event);
}

void Oracle::command(const Input& input) {
  if (input.rule >= spec_.rules.size() || !clock_) return;
  now_ = *clock_;
  const std::string rule = spec_.rules[input.rule].id;
  const auto aims_at = [&](const std::string& key) { return input.key.empty() || input.key == key; };
  if (input.kind == Input::Kind::silence) silences_.push_back({rule, input.key, *clock_ + input.lifetime});
  if (input.kind == Input::Kind::release) {
    std::vector<Silence> ended;
    std::erase_if(silences_, [&](const Silence& one) {
      if (one.rule != rule || one.key != input.key || *clock_ >= one.until) return false;  // one that ended is over
      ended.push_back(one);
      return true;
    });
    for (const FiringRef& firing : std::vector<FiringRef>(held_)) {
      const bool was = std::any_of(ended.begin(), ended.end(), [&](const Silence& one) { return silences(one, *firing) && *clock_ < one.until; });
      if (!was || excused(*firing, *clock_)) continue;
      std::erase(held_, firing);
      decide(firing, *clock_, dropped(*firing, *clock_) ? "dropped" : "decided");
    }
  }
  if (input.kind == Input::Kind::reset) {
    std::vector<std::uint64_t> open;
    for (const auto& [number, one] : cases_) {
      if (one.rule == input.rule && aims_at(one.key)) open.push_back(number);
    }
    for (std::uint64_t number : open) close(number, *clock_, Closing::start_over);
    for (auto& [name, window] : windows_[input.rule]) {
      if (!aims_at(name)) continue;
      start_over(input.rule, window);
      window.decided_at.reset();
    }
  }
}

}  // namespace correlator::oracle
