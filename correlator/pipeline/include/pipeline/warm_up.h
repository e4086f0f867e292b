// SPDX-License-Identifier: Apache-2.0
// Proof that a replay which began in the middle of a log decides, from some time on, what a replay of the whole log decides.
//
// What stands in the log before the beginning is not known, so that each key of each rule may have had any state then. A key is
// sure again once no event has met it for the rule's span (rules/memory.h): nothing that was before is left, whatever it was. A
// key that events never leave alone so long, as a case that is held open by one error a day, stays in doubt. What decodes
// events and what influences other rules is watched in the same way, and puts what comes behind it in doubt.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>

#include "engine/engine.h"
#include "rules/memory.h"
#include "rules/model.h"
#include "time/timestamp.h"

namespace correlator::pipeline {

class WarmUp final : public engine::RuleWatch {
 public:
  // Everything that was not read is older than `begin`; decisions from `from` on must be sure. Both must outlive this.
  WarmUp(const rules::RuleSet& rules, const rules::Memory& memory, Timestamp begin, Timestamp from);

  // Before each line that may match these patterns is stepped.
  void line(std::span<const std::uint32_t> patterns, Timestamp time);
  // What is in doubt, in words for people, as soon as that is known.
  const std::optional<std::string>& doubt() const { return doubt_; }
  // No doubt can come up any more.
  bool sure() const { return arrived_ && !doubt_ && !memory_.for_ever(); }

  void begin(std::uint32_t, bool) override {}
  void end(std::uint32_t) override {}
  void begin_decoding() override {}
  void end_decoding() override {}
  void touched(std::uint32_t rule, std::string_view key, Timestamp clock) override;

 private:
  // Events that follow one another without a pause of the span.
  struct Run {
    Timestamp first, last;
  };
  struct Key {
    std::uint32_t rule;
    Run run;
  };
  static void meet(Run& run, Timestamp at, Duration span);
  // Whether the run began so early that what was before it, until `since`, may matter, and may matter at `from` still.
  bool in_doubt(const Run& run, Timestamp since, Duration span) const { return run.first < since + span && run.last + span > from_; }
  void arrive(Timestamp clock);
  void check(const Key& key);
  void decoded(std::uint32_t event);
  void touched_influencing(Timestamp clock);
  void doubt_events_until(Timestamp time);
  void put_in_doubt(std::string what);
  void forget_what_is_over(Timestamp clock);

  const rules::RuleSet& rules_;
  const rules::Memory& memory_;
  const Timestamp begin_, from_;
  Timestamp events_sure_, leaves_sure_;  // from when on what rules see of events, and of other rules, is sure
  Timestamp clock_ = Timestamp::min();
  bool arrived_ = false;
  std::unordered_map<std::uint32_t, Run> decoding_;  // by event
  std::optional<Run> influencing_;                   // of all rules that influence others, as one
  std::unordered_map<std::uint64_t, Key> keys_;      // by hash of rule and key: two that share one are in doubt longer
  std::size_t most_keys_ = 1 << 16;
  std::optional<std::string> doubt_;
};

}  // namespace correlator::pipeline
