// SPDX-License-Identifier: Apache-2.0
#include "random.h"

#include <algorithm>
#include <map>

namespace correlator::oracle {
namespace {

constexpr Time kStart = 1'767'225'600 * kSecond;  // 2026-01-01T00:00:00Z
const std::vector<Time> kDurations = {kSecond,      2 * kSecond,  5 * kSecond,   7 * kSecond, 10 * kSecond,
                                      30 * kSecond, 60 * kSecond, 600 * kSecond, kHour,       30 * kHour};
constexpr Op kOps[] = {Op::each,   Op::count,     Op::tumbling, Op::rate,  Op::distinct, Op::streak, Op::sequence,
                       Op::answer, Op::heartbeat, Op::group,    Op::above, Op::below,    Op::rises,  Op::schedule};

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
      return {Clears::by_default, Clears::by_default, Clears::quiet, Clears::event, Clears::level, Clears::manual, Clears::lasts};
    case Op::count:
    case Op::distinct:
    case Op::group:
      return {Clears::by_default, Clears::quiet, Clears::quiet, Clears::event, Clears::level, Clears::manual, Clears::lasts, Clears::lasts};
    case Op::answer:
    case Op::above:
    case Op::below:
    case Op::rises:
    case Op::streak:
    case Op::heartbeat:
      return {Clears::by_default, Clears::by_default, Clears::by_default, Clears::quiet, Clears::event, Clears::manual, Clears::lasts};
    case Op::rate:
    case Op::tumbling:
    case Op::schedule:
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

KeyOf random_key(Random& random) {
  if (random.chance(12)) return random.chance(50) ? KeyOf::parts : KeyOf::host_parts;
  return random.chance(50) ? KeyOf::host : random.chance(70) ? KeyOf::host_dimm : KeyOf::dimm;
}

bool knows_host(const Rule& rule) {
  return rule.op != Op::schedule && (rule.key == KeyOf::host || rule.key == KeyOf::host_dimm || rule.key == KeyOf::host_parts);
}

Rule random_schedule(Random& random, Rule rule) {
  if (random.chance(60)) {
    rule.cron.every = random.one_of<std::uint64_t>({1, 2, 5, 7, 30});
  } else {
    rule.cron.minute = random.below(60);
  }
  if (random.chance(30)) rule.cron.hour = static_cast<int>(random.below(24));
  if (random.chance(50)) rule.then.push_back({"n1"});
  return rule;
}

Rule random_rule(Random& random, std::size_t index, Op op, bool synthetic) {
  Rule rule;
  rule.id = "r" + std::to_string(index);
  rule.op = op;
  rule.key = random_key(random);
  if (op == Op::distinct && !rule.distinct_v) rule.key = KeyOf::host;
  if (op == Op::schedule) return random_schedule(random, rule);
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
  const bool may_last = rule.clears == Clears::event || rule.clears == Clears::level;
  if (rule.clears == Clears::lasts || (may_last && random.chance(40))) {
    rule.lasts = duration(random);
    rule.renewed = random.chance(40);
    rule.then_over = random.chance(50);
  }
  if (random.chance(12)) rule.hold = duration(random);
  if (random.chance(12)) rule.ignore.push_back(cause(random, true));
  const bool plain = rule.then.size() < 2;
  if (knows_host(rule) && plain && random.chance(15)) rule.unless.push_back(cause(random, false));
  return rule;
}

// Durations at whose edges something changes.
std::vector<Time> edges(const Spec& spec) {
  std::vector<Time> out = {kSecond, kDisorder};
  for (const Rule& rule : spec.rules) {
    for (Time time : {rule.within, rule.quiet, rule.clear_within, rule.lasts, rule.cooldown, rule.hold, rule.lifetime}) {
      if (time > 0) out.push_back(time);
    }
    for (const Cause& one : rule.ignore) out.push_back(one.after);
    for (const Cause& one : rule.unless) out.push_back(one.after);
    for (const Step& step : rule.then) {
      if (step.after > 0) out.push_back(step.after);
    }
  }
  for (const SameError& one : spec.groups) out.push_back(one.within);
  if (spec.record.used) out.push_back(spec.record.within);
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
                                    "answer", "heartbeat", "group", "above", "below", "rises", "schedule"};
  return kNames[static_cast<std::size_t>(op)];
}

namespace {

RecordSpec random_record(Random& random) {
  RecordSpec out;
  out.used = true;
  out.cls = "ab"[random.below(2)];
  out.by_id = random.chance(70);
  out.within = duration(random);
  if (random.chance(30)) out.max_lines = random.between(1, 5);
  out.needs_start = random.chance(30);
  out.needs_place = random.chance(30);
  out.ready = random.chance(30);
  out.early = random.chance(20);
  out.weigh_by_v = random.chance(20);
  out.also = random.chance(30);
  out.ordered = random.chance(25);
  if (random.chance(60)) out.channel = std::string(1, "xyz"[random.below(3)]);
  return out;
}

void collecting(Random& random, Rule& rule) {
  rule.collects = true;
  if (random.chance(80)) rule.collect_for = duration(random);
  rule.renews = rule.collect_for > 0 && random.chance(40);
  rule.collect_at_end = rule.collect_for > 0 && random.chance(60);
  if (random.chance(40)) rule.keeps = random.between(1, 3);
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
    const bool free = knows_host(rule) && rule.unless.empty();
    if (i == 0 && rules > 1 && free) {
      if (random.chance(30)) {
        rule.emits = 'd';
        if (random.chance(40)) rule.emit_after = duration(random);
        rule.emit_unless_cleared = rule.emit_after > 0 && random.chance(50);
      }
      if (random.chance(30)) {
        rule.sets = true;
        if (random.chance(80)) rule.lifetime = duration(random);
      }
      if (!rule.on.empty() && random.chance(30)) collecting(random, rule);
      rule.set_at_end = rule.collects && rule.lifetime > 0 && random.chance(50);
    } else if (i > 0 && (spec.rules[0].sets || spec.rules[0].collects)) {
      if (!rule.on.empty() && random.chance(60)) rule.where_context = random.chance(50) ? 1 : -1;
      if (free && random.chance(20)) rule.unsets = true;
      if (free && !rule.on.empty() && spec.rules[0].collects && random.chance(40)) collecting(random, rule);
      rule.empties = free && spec.rules[0].collects && random.chance(20);
    }
    if (spec.rules.empty() ? rule.collects : spec.rules[0].collects) {
      for (Step& step : rule.then) step.lines = knows_host(rule) && random.chance(60);
    }
    spec.rules.push_back(std::move(rule));
  }
  Rule& first = spec.rules[0];
  if (knows_host(first) && first.then.size() < 2 && !first.emits && !first.sets && !first.collects && random.chance(8)) {
    spec.mutes.push_back({cause(random, false), random.chance(50), {first.id}});
  }
  if (random.chance(20)) spec.groups.push_back({random.chance(50) ? "ab" : "a", random.chance(50), duration(random)});
  if (!spec.groups.empty() && random.chance(30)) spec.groups.push_back({"abc", random.chance(50), duration(random)});
  if (random.chance(25)) spec.record = random_record(random);
  if (random.chance(10)) spec.stale_v = random.below(4);
  return spec;
}

// The same rules with other thresholds and durations, in another order, one of them gone or with another key.
Spec variant(Random& random, const Spec& from) {
  Spec out = from;
  for (Rule& rule : out.rules) {
    if (random.chance(40)) rule.n = rule.op == Op::each ? 1 : random.between(1, 5);
    if (rule.op == Op::rate) rule.clear_n = std::min(rule.clear_n, rule.n);
    if (rule.op != Op::tumbling && random.chance(30)) rule.within = duration(random);
    if (random.chance(30)) rule.quiet = duration(random);
    if (rule.lasts > 0 && random.chance(30)) rule.lasts = duration(random);
    if (rule.cooldown > 0 && random.chance(30)) rule.cooldown = duration(random);
    if (random.chance(30)) rule.bound = random.between(2, 7);
    for (Member& member : rule.members) {
      if (random.chance(20)) member.count = random.between(1, 3);
    }
  }
  const auto may_go = [&](const Rule& rule) { return rule.ignore.empty() && rule.unless.empty() && !rule.sets && !rule.collects && out.mutes.empty(); };
  const std::size_t at = random.below(out.rules.size());
  if (out.rules.size() > 1 && may_go(out.rules[at]) && random.chance(30)) {
    out.rules.erase(out.rules.begin() + static_cast<std::ptrdiff_t>(at));
  } else if (may_go(out.rules[at]) && (out.rules[at].key == KeyOf::host || out.rules[at].key == KeyOf::host_dimm) && random.chance(20)) {
    if (out.rules[at].op != Op::schedule && out.rules[at].op != Op::distinct) {
      out.rules[at].key = out.rules[at].key == KeyOf::host ? KeyOf::host_dimm : KeyOf::host;
    }
  }
  if (random.chance(30)) std::rotate(out.rules.begin(), out.rules.begin() + 1, out.rules.end());
  return out;
}

// Draws the records of one stream one after the other.
class Drawing {
 public:
  Drawing(Random& random, const World& world) : random_(random), world_(world) {
    for (const Spec& spec : world.specs) {
      const auto more = edges(spec);
      edges_.insert(edges_.end(), more.begin(), more.end());
    }
    dense_ = random.between(10, 90);
    hosts_ = random.between(1, 3);
    dimms_ = random.between(1, 3);
    tops_ = random.one_of<std::uint64_t>({2, 4, 10});
    late_ = random.chance(70);
    lists_ = false;
    for (const Spec& spec : world.specs) {
      for (const Rule& rule : spec.rules) lists_ = lists_ || rule.key == KeyOf::parts || rule.key == KeyOf::host_parts;
    }
    counters_ = random.chance(20);
    repeats_ = random.chance(20);
    commands_ = random.chance(20);
    for (const Rule& rule : world.first().rules) commands_ = commands_ || rule.clears == Clears::manual;
    if (random.chance(8)) restarts_ = random.chance(70) ? 3 : 40;
    silences_ = world.specs.size() == 1 && random.chance(10);
  }

  Input next() {
    clock_ += random_.chance(dense_) ? static_cast<Time>(random_.below(kSecond)) : gap(random_, edges_);
    if (random_.chance(1) && random_.chance(20)) clock_ += kLate - 1 + static_cast<Time>(random_.below(3));
    Input input;
    input.event.time = clock_;
    const std::uint64_t what = random_.below(100);
    if (what < 4) {
      input.kind = Input::Kind::mark;
    } else if (what < 5) {
      input.kind = Input::Kind::noise;
    } else if (what < 7 && (commands_ || silences_)) {
      command(input);
    } else if (restarts_ > 0 && random_.chance(restarts_)) {
      input.kind = Input::Kind::restart;
    } else if (what < 8 && world_.specs.size() > 1 && random_.chance(40)) {
      input.kind = Input::Kind::reload;
      input.spec = spec_ = random_.below(world_.specs.size());
    } else {
      line(input);
    }
    return input;
  }

 private:
  void command(Input& input) {
    input.kind = Input::Kind::reset;
    if (silences_ && (!commands_ || random_.chance(70))) input.kind = random_.chance(70) ? Input::Kind::silence : Input::Kind::release;
    const auto& rules = world_.specs[spec_].rules;
    input.rule = random_.below(rules.size());
    input.lifetime = gap(random_, edges_) + 1;
    if (rules[input.rule].key == KeyOf::host && random_.chance(40)) input.key = "host=h" + std::to_string(random_.between(1, hosts_));
  }

  std::string dimm() { return "p" + std::to_string(random_.between(1, dimms_)); }

  void line(Input& input) {
    Event& event = input.event;
    if (late_ && random_.chance(30)) event.time -= lateness(random_, edges_);
    event.cls = "aaaabbbc"[random_.below(8)];
    event.host = "h" + std::to_string(random_.between(1, hosts_));
    event.dimm = dimm();
    event.weight = random_.chance(70) ? 1 : random_.between(0, 4);
    event.v = random_.below(tops_);
    const RecordSpec& record = world_.specs[spec_].record;
    if (record.used && random_.chance(50)) {
      using Form = Input::Form;
      input.form = random_.one_of<Form>({Form::start, Form::start, Form::place, Form::part, Form::loose, Form::last});
      input.id = std::to_string(random_.between(1, 2));
    } else if (counters_ && random_.chance(30)) {
      input.form = Input::Form::counter;
      event.cls = 'a';
      event.v = totals_[event.host + event.dimm] += random_.below(4);
      if (random_.chance(10)) event.v = totals_[event.host + event.dimm] = random_.below(3);
    } else if (!world_.first().groups.empty() && random_.chance(80)) {
      event.channel = std::string(1, "xyz"[random_.below(3)]);
    }
    const bool part = input.form == Input::Form::part || input.form == Input::Form::loose;
    if (part || (lists_ && input.form == Input::Form::whole && random_.chance(80))) {
      for (std::uint64_t n = random_.between(1, 3); n > 0; --n) event.parts.push_back(dimm());
    }
    event.text = message_text(input);
    if (repeats_ && random_.chance(15)) {
      input.times = random_.between(2, 4);
      input.again = random_.chance(50);
    }
  }

  Random& random_;
  const World& world_;
  std::vector<Time> edges_;
  std::uint64_t dense_ = 0;  // percent of records that come at once
  std::uint64_t hosts_ = 1, dimms_ = 1, tops_ = 2, restarts_ = 0;
  bool late_ = false, lists_ = false, counters_ = false, repeats_ = false, commands_ = false, silences_ = false;
  std::map<std::string, std::uint64_t> totals_;
  std::size_t spec_ = 0;  // in force
  Time clock_ = kStart;
};

}  // namespace

World random_world(Random& random, const std::string& only) {
  World out;
  out.specs.push_back(random_spec(random, only));
  if (random.chance(15)) {
    const std::size_t more = random.between(1, 2);
    for (std::size_t i = 0; i < more; ++i) out.specs.push_back(variant(random, out.specs.front()));
  }
  return out;
}

Stream random_stream(Random& random, const World& world, std::size_t length) {
  Drawing drawing(random, world);
  Stream out;
  while (out.size() < length) out.push_back(drawing.next());
  out.emplace_back().kind = Input::Kind::end;
  return out;
}

}  // namespace correlator::oracle
