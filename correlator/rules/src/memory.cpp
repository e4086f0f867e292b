// SPDX-License-Identifier: Apache-2.0
// Every time that docs/designs/semantics.md lets a rule wait or remember, added up rather than compared: too long only means
// that more of a log is read.
#include "rules/memory.h"

#include <algorithm>
#include <string_view>

namespace correlator::rules {
namespace {

constexpr std::uint64_t kMostTimes = 100'000;

bool latches(const Rule& rule) {
  const bool clears = rule.clear.kind != Clear::Kind::never;
  if (std::holds_alternative<Each>(rule.operation) || std::holds_alternative<Sequence>(rule.operation)) return clears;
  if (const auto* count = std::get_if<Count>(&rule.operation)) return !count->rearm_at_once;
  return !std::holds_alternative<Schedule>(rule.operation);
}

// How long the operation itself looks back or waits.
Duration window_of(const Operation& operation) {
  struct Of {
    Duration operator()(const Count& o) const { return o.threshold.within; }
    Duration operator()(const Rate& o) const { return o.raise.within + o.clear.within; }
    Duration operator()(const Distinct& o) const { return o.within; }
    Duration operator()(const Sequence& o) const { return o.within; }
    Duration operator()(const Absence& o) const { return o.within + o.grace; }
    Duration operator()(const Group& o) const { return o.within; }
    Duration operator()(const Level& o) const { return o.within; }
    Duration operator()(const Each&) const { return {}; }
    Duration operator()(const Streak&) const { return {}; }
    Duration operator()(const Schedule&) const { return {}; }
  };
  return std::visit(Of(), operation);
}

// How long after its newest event a case may stay open; nothing if that depends on what comes.
std::optional<Duration> longest_case(const Rule& rule) {
  if (!latches(rule)) return Duration{};
  if (rule.clear.lasts.us > 0) return rule.clear.lasts;
  switch (rule.clear.kind) {
    case Clear::Kind::quiet_for: return rule.clear.quiet_for;
    case Clear::Kind::lasts: return rule.clear.lasts;
    case Clear::Kind::never: break;  // the operation's own
    default: return std::nullopt;
  }
  const auto& operation = rule.operation;
  if (std::holds_alternative<Count>(operation) || std::holds_alternative<Distinct>(operation) || std::holds_alternative<Group>(operation) ||
      std::holds_alternative<Rate>(operation)) {
    return window_of(operation);
  }
  // A silence is over with the next event: whatever was before it leaves nothing but what is run then.
  const auto* absence = std::get_if<Absence>(&operation);
  if (absence != nullptr && !absence->after && rule.then_clear.empty() && rule.then_over.empty()) return Duration{};
  return std::nullopt;
}

class Adder {
 public:
  Adder(const RuleSet& set, Duration disorder, Duration late) : set_(set), disorder_(disorder), late_(late) {
    for (const EventDef& event : set.events) {
      if (event.record) longest_record_ = std::max(longest_record_, event.record->within);
    }
    find_open_calls();
  }

  Memory run() {
    Memory out;
    for (const EventDef& event : set_.events) one_event(event, out);
    for (const Rule& rule : set_.rules) {
      out.rules.push_back(one_rule(rule));
      const RuleMemory& memory = out.rules.back();
      if (memory.influences) out.influencing = out.influencing + memory.span;
      out.longest = std::max(out.longest, memory.span);
      if (std::holds_alternative<Schedule>(rule.operation) && rule.cooldown.us > 0) out.schedule = rule.id;
    }
    return out;
  }

 private:
  void one_event(const EventDef& event, Memory& out) const {
    Duration span{};
    if (event.record) span = span + event.record->within;
    for (const SameError& group : set_.same_errors) {
      if (std::count(group.channels.begin(), group.channels.end(), event.channel) > 0) span = span + group.within + longest_record_;
    }
    if (span.us > 0) span = span + slack();
    out.events.push_back(span);
    out.counters.push_back(event.increase_of.has_value());
    out.decoding = std::max(out.decoding, span);
  }

  Duration slack() const { return disorder_ + disorder_ + disorder_ + disorder_; }

  RuleMemory one_rule(const Rule& rule) {
    RuleMemory out;
    out.influences = !rule.emit.empty() || !rule.set.empty() || !rule.unset.empty() || opened(rule.id) || echoes(rule);
    const std::optional<Duration> open = longest_case(rule);
    out.for_ever = !open || std::holds_alternative<Streak>(rule.operation);
    const auto* absence = std::get_if<Absence>(&rule.operation);
    out.for_ever = out.for_ever || (absence != nullptr && !absence->after && out.influences);
    Duration span = window_of(rule.operation) + open.value_or(Duration{}) + open.value_or(Duration{}) + rule.cooldown + rule.hold;
    for (const Cause& cause : rule.ignore) span = span + cause.before + cause.after;
    for (const Cause& cause : rule.unless) hold_by(rule, cause, span, out);
    for (const Mute& mute : set_.mutes) {
      if (rule.index >= mute.rules.size() || !mute.rules[rule.index]) continue;
      for (const Cause& cause : mute.during) hold_by(rule, cause, span, out);
    }
    for (const SetContext& context : rule.set) {
      out.for_ever = out.for_ever || context.lifetime.us == 0 || context.renewed;
      span = span + context.lifetime + steps(context.at_end);
    }
    Duration emitted{};
    for (const Emit& emit : rule.emit) emitted = std::max(emitted, emit.after);
    span = span + emitted + steps(rule.then) + steps(rule.then_clear) + steps(rule.then_over);
    if (span.us > 0) span = span + late_ + longest_record_ + slack();
    out.span = span;
    return out;
  }

  // A firing that is held waits for the end of its cause, which more of them put off, if its case does not end before.
  static void hold_by(const Rule& rule, const Cause& cause, Duration& span, RuleMemory& out) {
    span = span + cause.before + cause.after;
    if (!latches(rule)) out.for_ever = true;
  }

  static Duration times(Duration each, std::uint64_t n) { return {each.us * static_cast<std::int64_t>(std::min<std::uint64_t>(n, kMostTimes))}; }

  // The longest of what a list of steps puts off, or its echoes mute.
  Duration steps(const std::vector<Step>& steps) const {
    Duration longest{};
    for (const Step& step : steps) {
      Duration last = step.after;
      if (step.every.us > 0) last = last + times(step.every, step.at_most);
      for (const auto& action : {step.action, step.or_else}) {
        if (!action) continue;
        for (const auto& [reference, after] : set_.actions[*action].echoes) {
          last = last + times(set_.actions[*action].timeout, std::uint64_t{set_.actions[*action].retry} + 1) + after;
        }
      }
      longest = std::max(longest, last);
    }
    return longest;
  }

  bool echoes(const Rule& rule) const {
    const auto any = [&](const std::vector<Step>& steps) {
      return std::any_of(steps.begin(), steps.end(), [&](const Step& step) {
        const auto has = [&](const std::optional<std::uint32_t>& action) { return action && !set_.actions[*action].echoes.empty(); };
        return has(step.action) || has(step.or_else);
      });
    };
    return any(rule.then) || any(rule.then_clear) || any(rule.then_over);
  }

  // Which rules any expression asks for: by their names in the files, which is simpler than to visit every expression there is, and at worst
  // finds one too many.
  void find_open_calls() {
    constexpr std::string_view kCall = "open(";
    for (const auto& [name, text] : set_.files) {
      for (auto at = text.find(kCall); at != std::string::npos; at = text.find(kCall, at + 1)) {
        const auto begin = text.find_first_not_of(" \t\\", at + kCall.size());
        const char quote = begin == std::string::npos ? ' ' : text[begin];
        const auto end = quote == '\'' || quote == '"' ? text.find_first_of("'\"\\", begin + 1) : std::string::npos;
        if (end == std::string::npos) {
          any_opened_ = true;
        } else {
          opened_.push_back(text.substr(begin + 1, end - begin - 1));
        }
      }
    }
  }

  bool opened(const std::string& id) const { return any_opened_ || std::find(opened_.begin(), opened_.end(), id) != opened_.end(); }

  const RuleSet& set_;
  Duration disorder_, late_, longest_record_{};
  std::vector<std::string> opened_;
  bool any_opened_ = false;  // by a name that is not written out
};

}  // namespace

bool Memory::for_ever() const {
  return std::any_of(rules.begin(), rules.end(), [](const RuleMemory& rule) { return rule.for_ever; }) ||
         std::find(counters.begin(), counters.end(), true) != counters.end();
}

Memory memory_of(const RuleSet& rules, Duration disorder, Duration late) { return Adder(rules, disorder, late).run(); }

}  // namespace correlator::rules
