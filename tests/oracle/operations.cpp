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

// How old an event can be when it comes to the rule.
Time Oracle::oldest_age(const Rule& rule) const { return kLate + wait_of(rule) + (spec_.record.used ? spec_.record.within : 0); }

// What is too old for any event that may still come. It shows only where a reload makes a span longer, and in the evidence.
void Oracle::forget_old(const Rule& rule, Window& window) {
  const Time old = *clock_ - rule.within - oldest_age(rule);
  const bool levels = rule.op == Op::rises;
  if (levels || window.open == 0) std::erase_if(window.pairs, [&](const Pair& pair) { return pair.time <= old; });
  if (window.open == 0) std::erase_if(window.chains, [&](const Chain& chain) { return chain.begin <= old; });
  std::erase_if(window.answers, [&](Time at) { return at <= old - kDisorder; });
}

// Whether the whole window is.
bool Oracle::forgotten(const Rule& rule, const Window& window) const {
  if (window.open != 0 || rule.op == Op::streak || rule.op == Op::heartbeat || rule.op == Op::schedule || !clock_) return false;
  const Time spans[] = {rule.op == Op::above || rule.op == Op::below || rule.op == Op::each ? 0
                        : rule.op == Op::answer                                            ? rule.within + kDisorder
                                                                                           : rule.within,
                        rule.cooldown};
  return *clock_ >= window.newest + std::max(spans[0], spans[1]) + oldest_age(rule) + kDisorder;
}

// `counted`: it took part. `ends`: it closes the case in the operation's own way.
std::optional<Oracle::Hit> Oracle::operate(std::size_t index, const std::string& key, const Event& event, bool& counted, bool& ends) {
  const Rule& rule = spec_.rules[index];
  Window& window = windows_[index][key];
  switch (rule.op) {
    case Op::each: {
      if (window.open != 0) return std::nullopt;
      Evidence own;
      own.add(event);
      return Hit{event.time, event.time, event.time, own, false, 0};
    }
    case Op::count:
    case Op::rate:
    case Op::distinct:
    case Op::group:
      return windowed(rule, window, event, counted);
    case Op::tumbling:
      return tumble(index, key, event, counted);
    case Op::streak:
      return streak(rule, window, event);
    case Op::sequence:
      return sequence(rule, window, event);
    case Op::answer:
      answer(rule, window, event, ends);
      break;
    case Op::heartbeat:
      heartbeat(rule, window, event, ends);
      break;
    case Op::above:
    case Op::below:
    case Op::rises:
      return level(rule, window, event, ends);
    case Op::schedule:
      break;
  }
  return std::nullopt;
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

Oracle::Hit Oracle::hit_at(const Rule& rule, const std::vector<Pair>& pairs, Time end, Time time) const {
  Hit hit{time, end, end, std::nullopt, false, 0};
  for (const Pair& pair : interval(rule, pairs, end)) hit.from = std::min(hit.from, pair.time);
  return hit;
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

std::optional<Oracle::Hit> Oracle::windowed(const Rule& rule, Window& window, const Event& event, bool& counted) {
  Pair x{event.time, arrivals_, rule.weigh_by_v ? event.v : event.weight, 0, ""};
  if (x.weight == 0) {
    counted = false;
    return std::nullopt;
  }
  if (rule.op == Op::distinct) {
    x.value = rule.distinct_v ? std::to_string(event.v) : event.dimm;
    const bool known = std::any_of(window.pairs.begin(), window.pairs.end(), [&](const Pair& p) { return p.value == x.value && p.time == x.time; });
    if (!known) window.pairs.push_back(x);
  } else if (rule.op == Op::group) {
    for (std::size_t m = 0; m < rule.members.size(); ++m) {
      x.member = m;
      if (matches(rule.members[m].ref, event)) window.pairs.push_back(x);
    }
  } else {
    window.pairs.push_back(x);
  }
  const bool by_age = rule.op == Op::distinct || rule.op == Op::group;
  if (by_age && window.open == 0) window.trail.drop_before(*clock_ - oldest_age(rule) - rule.within + 1);
  window.trail.add(event);
  const std::vector<Pair> all = window.pairs;
  window.pairs = cut(rule, all);
  if (window.open != 0) return std::nullopt;
  const auto end = smallest_end(rule, all, event.time, event.time + rule.within);
  return end ? std::optional(hit_at(rule, all, *end, event.time)) : std::nullopt;
}

// What is no evidence any more, once a firing has taken its own.
void Oracle::trim_trail(const Rule& rule, Window& window) {
  if ((rule.op != Op::count && rule.op != Op::rate) || window.pairs.empty()) return;
  Time earliest = window.pairs.front().time;
  for (const Pair& pair : window.pairs) earliest = std::min(earliest, pair.time);
  window.trail.drop_before(earliest);
}

std::optional<Oracle::Hit> Oracle::tumble(std::size_t index, const std::string& key, const Event& event, bool& counted) {
  const Rule& rule = spec_.rules[index];
  Window& window = windows_[index][key];
  const std::uint64_t weight = rule.weigh_by_v ? event.v : event.weight;
  counted = false;  // nothing looks at what was heard
  if (weight == 0) return std::nullopt;
  const Time bucket = bucket_of(event.time, rule.within);
  if (window.bucket && (bucket < *window.bucket || (bucket == *window.bucket && window.bucket_over))) return std::nullopt;
  if (!window.bucket || bucket > *window.bucket) {
    if (window.open != 0) close(window.open, (*window.bucket + 1) * rule.within, Closing::quiet);
    window.bucket = bucket;
    window.bucket_over = false;
    window.total = 0;
    window.trail = {};
  }
  window.trail.add(event);
  window.total += weight;
  if (window.total < rule.n || window.open != 0) return std::nullopt;
  return Hit{event.time, event.time, event.time, std::nullopt, true, 0};
}

std::optional<Oracle::Hit> Oracle::streak(const Rule& rule, Window& window, const Event& event) {
  window.streak += event.weight;
  window.trail.add(event);
  if (window.streak < rule.n || window.open != 0) return std::nullopt;
  return Hit{event.time, event.time, event.time, std::nullopt, true, 0};
}

std::optional<Oracle::Hit> Oracle::sequence(const Rule& rule, Window& window, const Event& event) {
  if (window.open != 0) return std::nullopt;
  const auto fits = [&](std::size_t step, const Chain& chain) {
    const Ref& ref = rule.steps[step];
    return matches(ref, event) && (!ref.same_v || event.v == chain.first_v);
  };
  bool advanced = false;
  std::optional<Hit> hit;
  for (Chain& chain : window.chains) {
    if (event.time - chain.begin >= rule.within) continue;
    if (rule.ordered ? event.time < chain.last : chain.begin - event.time >= rule.within) continue;
    for (std::size_t step = 0; step < rule.steps.size(); ++step) {
      if (chain.filled.contains(step)) continue;
      if (fits(step, chain)) {
        chain.filled.insert(step);
        chain.last = event.time;
        chain.newest = std::max(chain.newest, event.time);
        chain.evidence.add(event);
        advanced = true;
        break;
      }
      if (rule.ordered) break;
    }
    // Of several the one that came to be first.
    if (chain.filled.size() == rule.steps.size() && !hit) hit = Hit{event.time, event.time, chain.newest, chain.evidence, false, 0};
  }
  if (hit) {
    window.chains.clear();
    return hit;
  }
  if (advanced && !rule.ordered) return std::nullopt;
  for (std::size_t step = 0; step < rule.steps.size(); ++step) {
    if (!matches(rule.steps[step], event) || rule.steps[step].same_v) {
      if (rule.ordered) break;
      continue;
    }
    Chain chain{event.time, event.time, event.time, event.v, {step}, {}};
    chain.evidence.add(event);
    window.chains.push_back(chain);
    if (window.chains.size() > kChains) {
      const auto oldest = std::min_element(window.chains.begin(), window.chains.end(), [](const Chain& a, const Chain& b) { return a.begin < b.begin; });
      window.chains.erase(oldest);
    }
    break;
  }
  return std::nullopt;
}

void Oracle::answer(const Rule& rule, Window& window, const Event& event, bool& ends) {
  const bool answers = std::any_of(rule.of.begin(), rule.of.end(), [&](const Ref& ref) { return matches(ref, event); });
  const auto satisfied = [&](Time asked, Time at) { return at >= asked && at < asked + rule.within; };
  if (answers) {
    std::erase_if(window.waits, [&](const Wait& wait) { return satisfied(wait.asked, event.time); });
    if (std::find(window.answers.begin(), window.answers.end(), event.time) == window.answers.end()) window.answers.push_back(event.time);
    std::sort(window.answers.rbegin(), window.answers.rend());
    if (window.answers.size() > kTimesPerValue) window.answers.pop_back();
    ends = window.open != 0 && rule.clears == Clears::by_default && event.time >= cases_.at(window.open).asked;
  }
  if (!matches(rule.after, event)) return;
  for (Time at : window.answers) {
    if (satisfied(event.time, at)) return;
  }
  if (window.waits.size() < kWaits) window.waits.push_back({event.time, event});
}

void Oracle::heartbeat(const Rule& rule, Window& window, const Event& event, bool& ends) {
  if (window.last && event.time <= *window.last) return;
  window.last = event.time;
  window.told = false;
  window.trail = {};
  window.trail.add(event);
  ends = window.open != 0 && rule.clears == Clears::by_default;
}

std::optional<Oracle::Hit> Oracle::level(const Rule& rule, Window& window, const Event& event, bool& ends) {
  bool beyond = rule.op == Op::above ? event.v > rule.bound : event.v < rule.bound;
  if (rule.op == Op::rises) {
    window.pairs.push_back({event.time, arrivals_, event.v, 0, ""});
    std::uint64_t low = event.v;
    for (const Pair& pair : window.pairs) {
      if (pair.time > event.time - rule.within && pair.time <= event.time) low = std::min(low, pair.weight);
    }
    beyond = event.v - low >= rule.bound;
    std::sort(window.pairs.begin(), window.pairs.end(), [](const Pair& a, const Pair& b) { return newer(a, b); });
    if (window.pairs.size() > kLevels) window.pairs.pop_back();
  }
  window.trail.drop_before(*clock_ - oldest_age(rule) - (rule.op == Op::rises ? rule.within : 0) + 1);
  window.trail.add(event);
  if (!beyond) {
    ends = window.open != 0 && rule.clears == Clears::by_default;
    return std::nullopt;
  }
  if (window.open != 0) return std::nullopt;
  return Hit{event.time, rule.op == Op::rises ? event.time - rule.within + 1 : event.time, event.time, std::nullopt, false, 0};
}

}  // namespace correlator::oracle
