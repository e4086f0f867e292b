// SPDX-License-Identifier: Apache-2.0
// What must come together before a rule fires, each computed from all that is kept.
#include <algorithm>

#include "oracle.h"

namespace correlator::oracle {
namespace {

constexpr std::size_t kTimesPerValue = 8, kValues = 1'024, kChains = 16, kWaits = 64, kLevels = 64;

Time bucket_of(Time time, Time width) {
  const Time k = time / width;
  return time % width < 0 ? k - 1 : k;
}

bool newer(const auto& a, const auto& b) { return std::tie(a.time, a.arrival) > std::tie(b.time, b.arrival); }

}  // namespace

void Oracle::operate(std::size_t index, const std::string& key, const Event& event) {
  Key& state = keys_[index][key];
  ++arrivals_;
  const Op op = spec_.rules[index].op;
  const bool pairs = op == Op::each || op == Op::count || op == Op::rate || op == Op::distinct || op == Op::group || op == Op::tumbling;
  if (!pairs) {
    hear(spec_.rules[index], state, event.time, event.weight);
    if (!state.open) state.from = state.until = event.time;  // should it fire
  }
  switch (op) {
    case Op::each:
    case Op::count:
    case Op::rate:
    case Op::distinct:
    case Op::group:
      windowed(index, key, event);
      break;
    case Op::tumbling:
      tumble(index, key, event);
      break;
    case Op::streak:
      streak(index, key, event);
      break;
    case Op::sequence:
      sequence(index, key, event);
      break;
    case Op::answer:
      answer(index, key, event);
      break;
    case Op::heartbeat:
      heartbeat(index, key, event);
      break;
    case Op::above:
    case Op::below:
    case Op::rises:
      level(index, key, event);
      break;
  }
}

// Whether the pairs, all of one interval, are enough to fire.
bool Oracle::enough(const Rule& rule, const std::vector<Pair>& pairs) const {
  if (rule.op == Op::distinct) {
    std::set<std::string> values;
    for (const Pair& pair : pairs) values.insert(pair.value);
    return values.size() >= rule.n;
  }
  if (rule.op == Op::group) {
    for (std::size_t m = 0; m < rule.members.size(); ++m) {
      std::uint64_t sum = 0;
      for (const Pair& pair : pairs) sum += pair.member == m ? pair.weight : 0;
      if (sum < rule.members[m].count) return false;
    }
    return true;
  }
  std::uint64_t sum = 0;
  for (const Pair& pair : pairs) sum = pair.weight > UINT64_MAX - sum ? UINT64_MAX : sum + pair.weight;
  return sum >= rule.n;
}

std::vector<Oracle::Pair> Oracle::interval(const Rule& rule, const std::vector<Pair>& pairs, Time end) const {
  std::vector<Pair> out;
  for (const Pair& pair : pairs) {
    if (pair.time > end - rule.within && pair.time <= end) out.push_back(pair);
  }
  return out;
}

// The smallest e in [from, to), the time of a pair, such that (e - within, e] is enough.
std::optional<Time> Oracle::smallest_end(const Rule& rule, const std::vector<Pair>& pairs, Time from, Time to) const {
  std::optional<Time> best;
  for (const Pair& pair : pairs) {
    if (pair.time < from || pair.time >= to || (best && *best <= pair.time)) continue;
    if (enough(rule, interval(rule, pairs, pair.time))) best = pair.time;
  }
  return best;
}

std::vector<Oracle::Pair> Oracle::cut(const Rule& rule, std::vector<Pair> pairs) const {
  std::sort(pairs.begin(), pairs.end(), [](const Pair& a, const Pair& b) { return newer(a, b); });
  std::vector<Pair> out;
  for (const Pair& pair : pairs) {
    std::size_t before = 0;  // of the same sort, newer
    for (const Pair& kept : out) {
      if (rule.op == Op::distinct) {
        before += kept.value == pair.value ? 1 : 0;
      } else {
        before += kept.member == pair.member ? 1 : 0;
      }
    }
    const std::uint64_t most = rule.op == Op::distinct ? kTimesPerValue : rule.op == Op::group ? rule.members[pair.member].count : rule.n;
    if (before < most) out.push_back(pair);
  }
  std::set<std::string> values;
  std::erase_if(out, [&](const Pair& pair) {
    if (rule.op != Op::distinct || values.contains(pair.value)) return false;
    if (values.size() == kValues) return true;
    values.insert(pair.value);
    return false;
  });
  return out;
}

void Oracle::windowed(std::size_t index, const std::string& key, const Event& event) {
  const Rule& rule = spec_.rules[index];
  Key& state = keys_[index][key];
  Pair x{event.time, arrivals_, rule.weigh_by_v ? event.v : event.weight, 0, ""};
  if (x.weight == 0) return;
  hear(rule, state, x.time, x.weight);
  if (rule.op == Op::distinct) {
    x.value = rule.distinct_v ? std::to_string(event.v) : event.dimm;
    const bool known = std::any_of(state.pairs.begin(), state.pairs.end(), [&](const Pair& p) { return p.value == x.value && p.time == x.time; });
    if (!known) state.pairs.push_back(x);
  } else if (rule.op == Op::group) {
    for (std::size_t m = 0; m < rule.members.size(); ++m) {
      x.member = m;
      if (matches(rule.members[m].ref, event)) state.pairs.push_back(x);
    }
  } else {
    state.pairs.push_back(x);
  }
  const std::vector<Pair> all = state.pairs;
  state.pairs = cut(rule, all);
  if (state.open) return;
  const auto end = smallest_end(rule, all, event.time, event.time + rule.within);
  if (!end) return;
  state.from = state.until = *end;
  for (const Pair& pair : interval(rule, all, *end)) state.from = std::min(state.from, pair.time);
  if (!latches(rule)) state.pairs.clear();
  fire(index, key, event.time, event);
}

void Oracle::tumble(std::size_t index, const std::string& key, const Event& event) {
  const Rule& rule = spec_.rules[index];
  Key& state = keys_[index][key];
  const std::uint64_t weight = rule.weigh_by_v ? event.v : event.weight;
  if (weight == 0) return;
  const Time bucket = bucket_of(event.time, rule.within);
  if (state.bucket && (bucket < *state.bucket || (bucket == *state.bucket && state.bucket_over))) return;
  if (!state.bucket || bucket > *state.bucket) {
    if (state.open) close(index, key, (*state.bucket + 1) * rule.within, Closing::quiet);
    state.bucket = bucket;
    state.bucket_over = false;
    state.total = 0;
  }
  state.total += weight;
  if (state.total < rule.n || state.open) return;
  if (!latches(rule)) state.total = 0;
  fire(index, key, event.time, event);
}

void Oracle::streak(std::size_t index, const std::string& key, const Event& event) {
  const Rule& rule = spec_.rules[index];
  Key& state = keys_[index][key];
  state.streak += event.weight;
  if (state.streak < rule.n || state.open) return;
  fire(index, key, event.time, event);
}

void Oracle::sequence(std::size_t index, const std::string& key, const Event& event) {
  const Rule& rule = spec_.rules[index];
  Key& state = keys_[index][key];
  if (state.open) return;
  const auto fits = [&](std::size_t step, const Chain& chain) {
    const Ref& ref = rule.steps[step];
    return matches(ref, event) && (!ref.same_v || event.v == chain.first_v);
  };
  bool advanced = false, complete = false;
  for (Chain& chain : state.chains) {
    if (event.time - chain.begin >= rule.within) continue;
    if (rule.ordered ? event.time < chain.last : chain.begin - event.time >= rule.within) continue;
    for (std::size_t step = 0; step < rule.steps.size(); ++step) {
      if (chain.filled.contains(step)) continue;
      if (fits(step, chain)) {
        chain.filled.insert(step);
        chain.last = event.time;
        chain.newest = std::max(chain.newest, event.time);
        advanced = true;
        break;
      }
      if (rule.ordered) break;
    }
    if (chain.filled.size() < rule.steps.size()) continue;
    state.until = complete ? std::max(state.until, chain.newest) : chain.newest;
    complete = true;
  }
  if (complete) {
    state.chains.clear();
    state.from = event.time;
    fire(index, key, event.time, event);
    return;
  }
  if (advanced && !rule.ordered) return;
  for (std::size_t step = 0; step < rule.steps.size(); ++step) {
    if (!matches(rule.steps[step], event) || rule.steps[step].same_v) {
      if (rule.ordered) break;
      continue;
    }
    state.chains.push_back({event.time, event.time, event.time, event.v, {step}});
    if (state.chains.size() > kChains) {
      const auto oldest = std::min_element(state.chains.begin(), state.chains.end(), [](const Chain& a, const Chain& b) { return a.begin < b.begin; });
      state.chains.erase(oldest);
    }
    break;
  }
}

void Oracle::answer(std::size_t index, const std::string& key, const Event& event) {
  const Rule& rule = spec_.rules[index];
  Key& state = keys_[index][key];
  const bool answers = std::any_of(rule.of.begin(), rule.of.end(), [&](const Ref& ref) { return matches(ref, event); });
  const auto satisfied = [&](Time asked, Time at) { return at >= asked && at < asked + rule.within; };
  if (answers) {
    std::erase_if(state.waits, [&](Time asked) { return satisfied(asked, event.time); });
    if (std::find(state.answers.begin(), state.answers.end(), event.time) == state.answers.end()) state.answers.push_back(event.time);
    std::sort(state.answers.rbegin(), state.answers.rend());
    if (state.answers.size() > kTimesPerValue) state.answers.pop_back();
    if (state.open && rule.clears == Clears::by_default && event.time >= state.asked_at) close(index, key, event.time, Closing::own);
  }
  if (!matches(rule.after, event)) return;
  for (Time at : state.answers) {
    if (satisfied(event.time, at)) return;
  }
  if (state.waits.size() < kWaits) state.waits.push_back(event.time);
}

void Oracle::heartbeat(std::size_t index, const std::string& key, const Event& event) {
  Key& state = keys_[index][key];
  if (state.last && event.time <= *state.last) return;
  state.last = event.time;
  if (state.open && spec_.rules[index].clears == Clears::by_default) close(index, key, event.time, Closing::own);
}

void Oracle::level(std::size_t index, const std::string& key, const Event& event) {
  const Rule& rule = spec_.rules[index];
  Key& state = keys_[index][key];
  bool beyond = rule.op == Op::above ? event.v > rule.bound : event.v < rule.bound;
  if (rule.op == Op::rises) {
    state.pairs.push_back({event.time, arrivals_, event.v, 0, ""});
    std::uint64_t low = event.v;
    for (const Pair& pair : state.pairs) {
      if (pair.time > event.time - rule.within && pair.time <= event.time) low = std::min(low, pair.weight);
    }
    beyond = event.v - low >= rule.bound;
    std::sort(state.pairs.begin(), state.pairs.end(), [](const Pair& a, const Pair& b) { return newer(a, b); });
    if (state.pairs.size() > kLevels) state.pairs.pop_back();
  }
  if (!beyond) {
    if (state.open && rule.clears == Clears::by_default) close(index, key, event.time, Closing::own);
    return;
  }
  if (!state.open) fire(index, key, event.time, event);
}

}  // namespace correlator::oracle
