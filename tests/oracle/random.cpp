// SPDX-License-Identifier: Apache-2.0
#include "random.h"

#include <algorithm>

namespace correlator::oracle {
namespace {

constexpr Time kStart = 1'767'225'600 * kSecond;  // 2026-01-01T00:00:00Z
const std::vector<Time> kDurations = {kSecond,      2 * kSecond,  5 * kSecond,   7 * kSecond, 10 * kSecond,
                                      30 * kSecond, 60 * kSecond, 600 * kSecond, kHour,       30 * kHour};
constexpr Op kOps[] = {Op::each,   Op::count,     Op::tumbling, Op::rate,  Op::distinct, Op::streak, Op::sequence,
                       Op::answer, Op::heartbeat, Op::group,    Op::above, Op::below,    Op::rises};

Time duration(Random& random) {
  return kDurations[random.below(random.chance(85) ? 7 : kDurations.size())];
}

Ref ref(Random& random, const std::string& classes) {
  Ref out;
  out.classes = classes;
  if (random.chance(20)) out.below = random.between(2, 8);
  return out;
}

Cause cause(Random& random, bool may_look_ahead) {
  Cause out;
  out.ref = ref(random, "c");
  out.after = duration(random);
  if (may_look_ahead && random.chance(40)) out.before = duration(random);
  out.same_host = random.chance(70);
  return out;
}

std::vector<Clears> ways_to_clear(Op op) {
  switch (op) {
    case Op::each:
    case Op::sequence:
      return {Clears::by_default, Clears::by_default, Clears::quiet, Clears::event, Clears::level, Clears::manual};
    case Op::count:
    case Op::distinct:
    case Op::group:
      return {Clears::by_default, Clears::quiet, Clears::quiet, Clears::event, Clears::level, Clears::manual};
    case Op::answer:
    case Op::above:
    case Op::below:
    case Op::rises:
    case Op::streak:
    case Op::heartbeat:
      return {Clears::by_default, Clears::by_default, Clears::by_default, Clears::quiet, Clears::event, Clears::manual};
    case Op::rate:
    case Op::tumbling:
      break;
  }
  return {Clears::by_default};
}

void operation(Random& random, Rule& rule, const std::string& classes) {
  const std::string some = random.chance(50) ? classes : classes.substr(0, 1);
  rule.n = rule.op == Op::each ? 1 : random.between(1, 5);
  rule.within = duration(random);
  switch (rule.op) {
    case Op::sequence: {
      const std::size_t steps = random.between(2, 4);
      for (std::size_t i = 0; i < steps; ++i) {
        const std::string at(1, "abc"[random.below(3)]);
        rule.steps.push_back(ref(random, random.chance(20) ? classes : at));
      }
      rule.ordered = random.chance(60);
      rule.steps.back().same_v = rule.ordered && random.chance(20);
      return;
    }
    case Op::answer:
      rule.after = ref(random, "a");
      rule.of.push_back(ref(random, "b"));
      if (random.chance(30)) rule.of.push_back(ref(random, random.chance(50) ? "c" : "a"));
      return;
    case Op::heartbeat:
      rule.of.push_back(ref(random, some));
      return;
    case Op::group: {
      const std::size_t members = random.between(2, 3);
      for (std::size_t i = 0; i < members; ++i) {
        rule.members.push_back({ref(random, random.chance(20) ? classes : std::string(1, "abc"[i])), random.between(1, 3)});
      }
      return;
    }
    case Op::rate:
      rule.clear_n = random.between(1, rule.n);
      rule.clear_within = duration(random);
      break;
    case Op::distinct:
      rule.n = random.between(1, 4);
      rule.distinct_v = random.chance(50);
      break;
    case Op::streak:
      rule.broken_by = ref(random, random.chance(80) ? "c" : "a");
      break;
    case Op::above:
    case Op::below:
    case Op::rises:
      rule.bound = random.between(2, 7);
      break;
    default:
      break;
  }
  rule.on.push_back(ref(random, some));
  if (random.chance(15)) rule.where_below = random.between(3, 8);
  if (rule.op == Op::count || rule.op == Op::tumbling) {
    rule.weigh_by_v = random.chance(15);
    rule.at_once = random.chance(25);
  }
}

void response(Random& random, Rule& rule, bool latch) {
  if (random.chance(50)) return;
  rule.then.push_back({"n1"});
  if (random.chance(30)) {
    Step step{"n3", duration(random)};
    step.unless_cleared = latch && random.chance(70);
    if (random.chance(40)) {
      step.every = duration(random);
      step.at_most = static_cast<std::uint32_t>(random.between(2, 3));
    }
    rule.then.push_back(step);
  }
}

Rule random_rule(Random& random, std::size_t index, Op op, bool synthetic) {
  Rule rule;
  rule.id = "r" + std::to_string(index);
  rule.op = op;
  rule.key = random.chance(50) ? KeyOf::host : random.chance(70) ? KeyOf::host_dimm : KeyOf::dimm;
  if (op == Op::distinct && !rule.distinct_v) rule.key = KeyOf::host;
  operation(random, rule, "ab");
  if (synthetic && !rule.on.empty()) rule.on = {ref(random, "d")};
  if (!rule.at_once) rule.clears = random.one_of(ways_to_clear(op));
  rule.quiet = duration(random);
  rule.clear_event = ref(random, random.chance(80) ? "c" : "a");
  rule.clear_below = random.between(1, 4);
  const bool no_case = rule.at_once || ((op == Op::each || op == Op::sequence) && rule.clears == Clears::by_default);
  if (no_case && random.chance(40)) rule.cooldown = duration(random);
  response(random, rule, !no_case);
  rule.then_clear = !no_case && random.chance(30);
  if (random.chance(12)) rule.hold = duration(random);
  if (random.chance(12)) rule.ignore.push_back(cause(random, true));
  const bool plain = rule.then.size() < 2;
  if (rule.key != KeyOf::dimm && plain && random.chance(15)) rule.unless.push_back(cause(random, false));
  return rule;
}

// Durations at whose edges something changes.
std::vector<Time> edges(const Spec& spec) {
  std::vector<Time> out = {kSecond, kDisorder};
  for (const Rule& rule : spec.rules) {
    for (Time time : {rule.within, rule.quiet, rule.clear_within, rule.cooldown, rule.hold, rule.lifetime}) {
      if (time > 0) out.push_back(time);
    }
    for (const Cause& one : rule.ignore) out.push_back(one.after);
    for (const Cause& one : rule.unless) out.push_back(one.after);
    for (const Step& step : rule.then) {
      if (step.after > 0) out.push_back(step.after);
    }
  }
  for (const SameError& one : spec.groups) out.push_back(one.within);
  return out;
}

Time gap(Random& random, const std::vector<Time>& at) {
  const Time edge = random.one_of(at);
  switch (random.below(12)) {
    case 0:
    case 1:
      return 0;
    case 2:
      return 1;
    case 3:
      return edge - 1;
    case 4:
      return edge;
    case 5:
      return edge + 1;
    case 6:
      return edge + kSecond;
    case 7:
      return std::max<Time>(0, edge - kSecond);
    case 8:
      return edge + kDisorder;
    default:
      return static_cast<Time>(random.below(static_cast<std::uint64_t>(edge) + 1));
  }
}

// How far behind the clock a line is.
Time lateness(Random& random, const std::vector<Time>& at) {
  const auto some = [&](Time most) { return static_cast<Time>(random.below(static_cast<std::uint64_t>(most) + 1)); };
  switch (random.below(10)) {
    case 0:
      return kDisorder - 1 + some(2);
    case 1:
      return some(60 * kSecond);
    case 2:
      return gap(random, at) + some(1);
    case 3:
      return random.chance(90) ? 0 : kLate - 1 + some(2);
    default:
      return some(kDisorder);
  }
}

}  // namespace

const char* name_of(Op op) {
  constexpr const char* kNames[] = {"each", "count", "tumbling", "rate", "distinct", "streak", "sequence",
                                    "answer", "heartbeat", "group", "above", "below", "rises"};
  return kNames[static_cast<std::size_t>(op)];
}

Spec random_spec(Random& random, const std::string& only) {
  Spec spec;
  const std::size_t rules = only.empty() ? random.between(1, 3) : 1;
  for (std::size_t i = 0; i < rules; ++i) {
    Op op = kOps[random.below(std::size(kOps))];
    for (Op candidate : kOps) {
      if (only == name_of(candidate)) op = candidate;
    }
    const bool fed = i > 0 && spec.rules[0].emits != 0 && random.chance(60);
    Rule rule = random_rule(random, i, op, fed);
    if (i == 0 && rules > 1 && rule.key != KeyOf::dimm && rule.unless.empty()) {
      if (random.chance(30)) rule.emits = 'd';
      if (random.chance(30)) {
        rule.sets = true;
        if (random.chance(80)) rule.lifetime = duration(random);
      }
    } else if (i > 0 && spec.rules[0].sets) {
      if (!rule.on.empty() && random.chance(60)) rule.where_context = random.chance(50) ? 1 : -1;
      if (rule.key != KeyOf::dimm && rule.unless.empty() && random.chance(20)) rule.unsets = true;
    }
    spec.rules.push_back(std::move(rule));
  }
  Rule& first = spec.rules[0];
  if (first.key != KeyOf::dimm && first.then.size() < 2 && !first.emits && !first.sets && random.chance(8)) {
    spec.mutes.push_back({cause(random, false), random.chance(50), {first.id}});
  }
  if (random.chance(20)) spec.groups.push_back({random.chance(50) ? "ab" : "a", random.chance(50), duration(random)});
  if (!spec.groups.empty() && random.chance(30)) spec.groups.push_back({"abc", random.chance(50), duration(random)});
  return spec;
}

Stream random_stream(Random& random, const Spec& spec, std::size_t length) {
  const std::vector<Time> at = edges(spec);
  const std::uint64_t dense = random.between(10, 90);   // percent of records that come at once
  const std::uint64_t hosts = random.between(1, 3), dimms = random.between(1, 3);
  const std::uint64_t tops = random.one_of<std::uint64_t>({2, 4, 10});
  const bool late = random.chance(70);
  std::vector<std::size_t> resettable;
  for (std::size_t i = 0; i < spec.rules.size(); ++i) {
    if (spec.rules[i].clears == Clears::manual || random.chance(10)) resettable.push_back(i);
  }
  Time clock = kStart;
  Stream out;
  while (out.size() < length) {
    Input input;
    clock += random.chance(dense) ? static_cast<Time>(random.below(kSecond)) : gap(random, at);
    if (random.chance(1) && random.chance(20)) clock += kLate - 1 + static_cast<Time>(random.below(3));
    Event& event = input.event;
    event.time = clock;
    const std::uint64_t what = random.below(100);
    if (what < 4) {
      input.kind = Input::Kind::mark;
    } else if (what < 5) {
      input.kind = Input::Kind::noise;
    } else if (what < 8 && !resettable.empty()) {
      input.kind = Input::Kind::reset;
      input.reset_rule = random.one_of(resettable);
    } else {
      if (late && random.chance(30)) event.time -= lateness(random, at);
      event.cls = "aaaabbbc"[random.below(8)];
      event.host = "h" + std::to_string(random.between(1, hosts));
      event.dimm = "p" + std::to_string(random.between(1, dimms));
      event.weight = random.chance(70) ? 1 : random.between(0, 4);
      event.v = random.below(tops);
      if (!spec.groups.empty() && random.chance(80)) event.channel = std::string(1, "xyz"[random.below(3)]);
      event.text = message_text(event);
    }
    out.push_back(std::move(input));
  }
  return out;
}

}  // namespace correlator::oracle
