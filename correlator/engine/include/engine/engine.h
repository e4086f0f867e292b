// SPDX-License-Identifier: Apache-2.0
// The engine: a pure function over intake records. No I/O, no clock, no database.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "engine/decision.h"
#include "engine/intake.h"
#include "engine/state.h"
#include "time/timestamp.h"

namespace correlator::engine {

struct Options {
  Duration disorder = Duration::seconds(5);  // what timers wait
  Duration late = Duration::hours(24);       // how old a line windows still accept at its own time
};

// Where one window stands, for `windows`, `explain` and the end of a replay.
struct WindowView {
  std::string rule;
  Key key;
  std::string stands;  // in words: "7 of 10 in 24h; 3 more before 2026-01-01T23:59:59Z"
  std::uint64_t have = 0, need = 0;
  Timestamp newest;
  bool open_case = false;
};

// What the engine knows of a lookup.
struct LookupView {
  std::string hash;  // of its content
  Timestamp loaded;
};

// Why an event did or did not move a rule, for `explain`.
struct Explanation {
  std::string rule;
  bool takes_part = false;
  std::string text;
};

// Is told when a rule is at work and when no longer, and the same of making events of lines and records, for whoever wants to
// know what they cost. None of these begins inside another. The engine asks it nothing.
class RuleWatch {
 public:
  virtual ~RuleWatch() = default;
  virtual void begin(std::uint32_t rule, bool event) = 0;  // index into RuleSet::rules; false: a timer
  virtual void end(std::uint32_t rule) = 0;
  virtual void begin_decoding() = 0;
  virtual void end_decoding() = 0;
  // An event that the rule refers to meets one of its keys (packed), whatever comes of it; the engine's clock then.
  virtual void touched(std::uint32_t /*rule*/, std::string_view /*key*/, Timestamp /*clock*/) {}
};

class Engine {
 public:
  explicit Engine(Options options = {});
  ~Engine();
  Engine(Engine&&) noexcept;
  Engine& operator=(Engine&&) noexcept;

  // Steps one record; appends to `out`. The first record must be a RulesRecord. Sequence numbers must rise by 1.
  void step(const IntakeRecord& record, StepOutput& out);

  void watch(RuleWatch* watch);  // nullptr: nobody
  std::uint64_t seq() const;                    // of the last record stepped; 0 before the first
  std::optional<Timestamp> clock() const;       // none before the first line or mark
  const Counters& counters() const;
  std::shared_ptr<const rules::RuleSet> rules() const;

  // The rows that changed since the last call (or since the start), erased ones included; clears the marks.
  // A row is written once per call however often it changed.
  void take_changes(std::vector<StateRow>& out);
  // Restores a state from its rows and the rule set that was in force; replaces everything. E310 if a row does not fit.
  Status restore(std::shared_ptr<const rules::RuleSet> rules, std::uint64_t seq, const std::vector<StateRow>& rows);
  // The same from a store. With `texts`, rows of evidence are not restored but asked for when a decision needs them: those of lines up to
  // `carried` are rows, the others stand in the intake, up to `seq`.
  Status restore(std::shared_ptr<const rules::RuleSet> rules, std::uint64_t seq, StateSource& rows,
                 std::shared_ptr<EvidenceTexts> texts = nullptr, std::uint64_t carried = 0);
  // For a state that begins empty: whoever steps keeps the lines, so that take_changes() has no rows of evidence.
  void keep_lines_in(std::shared_ptr<EvidenceTexts> texts);
  // Lines up to the last record can be read from there now: not all of their texts stay in memory. Called between steps.
  void lines_are_kept();
  // Rows of the evidence that is referred to and stands in the intake alone, in the order of their numbers; stops with the first error.
  // E304, E310.
  Status carry_over(const RowVisitor& write);
  void carried_over();  // they were written: the intake may forget these lines
  // Not ok: a text of evidence could not be read (E304, E310). What came out of step() since the last look must not
  // count: go back to what was stored.
  const Status& failure() const;

  // Looking. None of these changes the state.
  void windows(const std::function<void(const WindowView&)>& visit) const;
  std::uint64_t live_windows() const;
  std::uint64_t open_cases() const;
  std::uint64_t evidence_bytes() const;  // memory that texts of evidence take, about
  std::vector<Explanation> explain(const Event& event) const;
  std::optional<LookupView> lookup(std::string_view name) const;
  // What a reload with these rules would keep and drop, in words; changes nothing.
  std::vector<std::string> plan(const rules::RuleSet& next) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace correlator::engine
