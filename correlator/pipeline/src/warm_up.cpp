// SPDX-License-Identifier: Apache-2.0
#include "pipeline/warm_up.h"

#include <algorithm>

#include "base/hash.h"

namespace correlator::pipeline {

WarmUp::WarmUp(const rules::RuleSet& rules, const rules::Memory& memory, Timestamp begin, Timestamp from)
    : rules_(rules), memory_(memory), begin_(begin), from_(from), events_sure_(begin + memory.decoding), leaves_sure_(events_sure_ + memory.influencing) {}

// At `from` itself everything must have become sure, or be over.
void WarmUp::arrive(Timestamp clock) {
  clock_ = std::max(clock_, clock);
  if (arrived_ || clock_ < from_) return;
  arrived_ = true;
  if (leaves_sure_ + memory_.longest > from_) return put_in_doubt("what happened shortly before");
  for (const auto& [event, run] : decoding_) {
    if (in_doubt(run, begin_, memory_.events[event])) return put_in_doubt("an error or record of event " + rules_.events[event].id);
  }
  if (influencing_ && in_doubt(*influencing_, events_sure_, memory_.influencing)) return put_in_doubt("a rule that influences others");
  for (const auto& [hash, key] : keys_) check(key);
}

void WarmUp::check(const Key& key) {
  if (in_doubt(key.run, leaves_sure_, memory_.rules[key.rule].span)) put_in_doubt("a window or case of rule " + rules_.rules[key.rule].id);
}

void WarmUp::put_in_doubt(std::string what) {
  if (!doubt_) doubt_ = std::move(what);
}

void WarmUp::meet(Run& run, Timestamp at, Duration span) {
  if (at >= run.last + span) run.first = at;
  run.last = std::max(run.last, at);
}

// What comes out of the decoder until then may not be what the whole log gives.
void WarmUp::doubt_events_until(Timestamp time) {
  events_sure_ = std::max(events_sure_, time);
  leaves_sure_ = std::max(leaves_sure_, events_sure_ + memory_.influencing);
}

void WarmUp::line(std::span<const std::uint32_t> patterns, Timestamp time) {
  arrive(time);
  for (const std::uint32_t pattern : patterns) {
    if (doubt_) return;
    if (pattern < rules_.patterns.size() && rules_.patterns[pattern].event < rules_.events.size()) decoded(rules_.patterns[pattern].event);
  }
}

void WarmUp::decoded(std::uint32_t event) {
  if (memory_.counters[event]) {
    // Its weight is what the counter rose by, and the last value may not be known.
    if (arrived_) return put_in_doubt("a counter of event " + rules_.events[event].id);
    doubt_events_until(clock_ + memory_.decoding);
  }
  const Duration span = memory_.events[event];
  if (span.us == 0 || arrived_) return;
  const auto [found, fresh] = decoding_.try_emplace(event, Run{clock_, clock_});
  if (!fresh) meet(found->second, clock_, span);
  if (found->second.first < begin_ + span) doubt_events_until(clock_ + span);
}

void WarmUp::touched(std::uint32_t rule, std::string_view key, Timestamp clock) {
  const rules::RuleMemory& memory = memory_.rules[rule];
  if (memory.for_ever && (memory.influences || clock >= from_)) {
    return put_in_doubt("rule " + rules_.rules[rule].id + ", which remembers for ever");
  }
  if (doubt_ || clock >= from_ || memory.for_ever) return;
  if (memory.influences) return touched_influencing(clock);
  const std::uint64_t hash = hash64(key, rule);
  const auto [found, fresh] = keys_.try_emplace(hash, Key{rule, {clock, clock}});
  if (!fresh) meet(found->second.run, clock, memory.span);
  // Events that waited come after the clock was seen to arrive.
  if (arrived_) check(found->second);
  if (fresh && keys_.size() > most_keys_) forget_what_is_over(clock);
}

void WarmUp::touched_influencing(Timestamp clock) {
  if (!influencing_) influencing_ = Run{clock, clock};
  meet(*influencing_, clock, memory_.influencing);
  if (influencing_->first < events_sure_ + memory_.influencing) leaves_sure_ = std::max(leaves_sure_, clock + memory_.influencing);
}

void WarmUp::forget_what_is_over(Timestamp clock) {
  std::erase_if(keys_, [&](const auto& entry) { return entry.second.run.last + memory_.rules[entry.second.rule].span <= clock; });
  most_keys_ = std::max(most_keys_, 2 * keys_.size());
}

}  // namespace correlator::pipeline
