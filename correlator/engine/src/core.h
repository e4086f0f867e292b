// SPDX-License-Identifier: Apache-2.0
// Core: the whole state of the engine and what may be done to it. Its functions stand in the file of their
// subject: engine.cpp (the step), diagnose.cpp (an event meets the rules), firing.cpp (decisions), cases.cpp,
// held.cpp, contexts.cpp, commands.cpp (what is no line), rows.cpp (state in and out), view.cpp (looking).
#pragma once

#include <cassert>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "causes.h"
#include "decoder.h"
#include "engine/engine.h"
#include "key_table.h"
#include "key_text.h"
#include "operations/operation.h"
#include "timers.h"

namespace correlator::engine {

class Core;
struct RuleRun;

// A firing: what its steps, at once or later, are evaluated with. Never changes.
struct Firing {
  std::uint64_t id = 0;
  std::uint32_t rule = 0;
  std::uint64_t of_case = 0;  // 0: the rule does not latch
  std::vector<expr::Value> key;
  Timestamp time;
  Scene scene;
  std::uint64_t have = 0;
  std::string why;
  Evidence evidence;
  std::uint32_t depth = 0;  // how many made events and lines it goes back to, one behind the other
};
using FiringRef = std::shared_ptr<const Firing>;

// Which list of a rule a step stands in.
struct StepPlace {
  enum class List : std::uint8_t { then, then_clear, at_end, then_over, emit } list = List::then;  // emit: no step, but one of Rule::emit
  std::uint32_t set = 0;    // at_end: index into Rule::set
  std::uint32_t index = 0;  // in the list
};

// An open case. It latches its members: the windows that the firing event met.
struct Case {
  std::uint64_t id = 0;
  std::uint32_t rule = 0;
  std::string key;  // packed; whole lists
  std::vector<KeyState*> members;
  FiringRef firing;
  Timestamp from;               // the earliest pair that was counted in the firing
  Timestamp fired;              // the end of the interval that fired, or the decision's time if that is later
  window::SlidingWindow heard;  // what was counted in the firing and since, the newest
  std::optional<Timestamp> armed;  // deadline of its timer
  bool acked = false;
  std::uint64_t held = 0;  // id of its Held, if its firing is held back
  bool dirty = true, stored = false;
};

// A step that is decided later, perhaps again and again; or an event that is emitted later.
struct Delayed {
  std::uint64_t id = 0;
  FiringRef firing;
  StepPlace place;
  Timestamp deadline;
  std::uint32_t done = 0;  // how often it was decided
  bool dirty = true, stored = false;
  std::string order;  // packed key, for the timer
};

// A firing that a cause holds back.
struct Held {
  std::uint64_t id = 0;
  FiringRef firing;
  std::optional<Timestamp> deadline;  // when the cause ends, if that is known
  std::string reason;
  bool dirty = true, stored = false;
  std::string order;
};

// What a decision gave its script beside the arguments, and how far that is vouched for.
struct Given {
  std::vector<std::string> lines;
  Trust trust = Trust::vouched;
};

std::size_t bytes_of(const Given& given);

// A decision whose outcome still matters.
struct Pending {
  std::uint64_t id = 0;
  std::string decision;
  FiringRef firing;
  StepPlace place;
  std::uint32_t row = 0;
  std::vector<expr::Value> locals;
  std::shared_ptr<const Given> given;  // for `or_else`, if its step has `lines`
  bool dirty = true, stored = false;
};

// A text that a context collected. Ids rise.
struct Collected {
  std::uint64_t id = 0;
  std::string text;
};

struct Context {
  std::uint64_t id = 0;
  std::string name;
  std::string key;  // packed
  Timestamp end;    // Timestamp::max(): for ever
  FiringRef firing;
  std::uint32_t set = 0;  // index into Rule::set of the firing's rule
  std::deque<Collected> texts;      // the newest, in the order in which they came
  std::size_t bytes = 0;            // of these, see cost_of()
  std::size_t fresh = 0;            // of these, at the end: not taken as changes yet
  std::uint64_t let_go = 0;         // texts for which there was no room
  Trust trust = Trust::vouched;     // the lowest of what was added
  bool dirty = true, stored = false;
};

// What an action causes by itself, while it runs and a while after.
struct Echo {
  std::uint64_t id = 0;
  std::string decision, action;
  std::uint32_t echo = 0;  // index into Action::echoes
  Timestamp begin, end;
  std::optional<expr::Value> host;
  bool dirty = true, stored = false;
};

// An operator's silence or hold.
struct Silence {
  std::uint64_t id = 0;
  std::string rule, key;  // key empty: every key
  std::string reason;
  Timestamp until;
  bool dirty = true, stored = false;
};

// An event that waits in the hold buffer of a rule.
struct Waiter {
  std::uint64_t id = 0;
  Event event;
  bool dirty = true, stored = false;
};
struct WaiterOrder {
  Timestamp time;
  std::string host, text;
  std::uint64_t id = 0;
  auto operator<=>(const WaiterOrder&) const = default;
};

struct LookupState {
  std::uint64_t id = 0;
  rules::LookupTable table;
  Timestamp loaded;
  mutable std::unique_ptr<LookupIndex> index;  // made when first asked for
  mutable bool stale_told = false;
  mutable bool dirty = true;
  bool stored = false;
};

// One rule at work. As a Desk it serves the rule's operation.
struct RuleRun final : Desk {
  RuleRun(Core& owner, const rules::Rule& of, std::uint32_t at);
  ~RuleRun() override;

  Timestamp clock() const override;
  Timestamp clock_goal() const override;
  const Options& options() const override;
  EvidenceStore& evidence() override;
  Counters& counters() override;
  const rules::RuleSet& rules() const override;
  const Questions& questions() const override;
  const rules::LookupTable* table(std::uint32_t lookup) const override;
  void arm(KeyState& key, Timestamp deadline) override;
  void fire(KeyState& key, Hit hit) override;
  void close(KeyState& key, Timestamp at, Closing how, std::string why) override;
  void forget(KeyState& key) override;
  KeyState& key(std::span<const expr::Value> values) override;
  std::vector<KeyState*> keys() override;

  KeyState& find_or_add(std::string_view packed);
  void mark(KeyState& key);
  void disarm(KeyState& key);
  // After an event or a closing: forgets a key with nothing in it, sees to it that others are forgotten in
  // time.
  void settle(KeyState& key);
  void rearm_forget();
  void drop_idle(Timestamp upto);

  Core& core;
  const rules::Rule& rule;
  std::uint32_t index;
  std::unique_ptr<Operation> op;
  rules::Clear clear;  // the rule's, or the operation's default
  bool latches = true;
  Duration hold{};  // with `ignore … before` at least that
  // The engine's, with `late` longer by `hold` and by the longest record: how old an event can be that comes here.
  Options aging;
  KeyTable table_of_keys;
  // By whole key; of one list several, each for other elements of it.
  std::multimap<std::string, std::unique_ptr<Case>, std::less<>> cases;
  std::vector<CauseMemory> ignore, unless;
  std::map<WaiterOrder, Waiter> waiters;
  std::optional<Timestamp> in_force;
  std::unordered_map<const KeyState*, Timestamp> armed;  // timers of keys
  std::optional<Timestamp> forget_armed, hold_armed;
  std::vector<KeyState*> dirty;
  std::vector<StateRow> erased;
};

// A rule at work, for as long as this lives.
class Watched {
 public:
  Watched(RuleWatch* watch, std::uint32_t rule, bool event) : watch_(watch), rule_(rule) {
    if (watch_ != nullptr) watch_->begin(rule_, event);
  }
  ~Watched() {
    if (watch_ != nullptr) watch_->end(rule_);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;

 private:
  RuleWatch* watch_;
  std::uint32_t rule_;
};

// Lines and records becoming events, for as long as this lives.
class Decoding {
 public:
  explicit Decoding(RuleWatch* watch) : watch_(watch) {
    if (watch_ != nullptr) watch_->begin_decoding();
  }
  ~Decoding() {
    if (watch_ != nullptr) watch_->end_decoding();
  }
  Decoding(const Decoding&) = delete;
  Decoding& operator=(const Decoding&) = delete;

 private:
  RuleWatch* watch_;
};

class Core final : public Questions {
 public:
  explicit Core(Options given);
  ~Core() override;

  // engine.cpp
  void step(const IntakeRecord& record, StepOutput& to);
  void install(std::shared_ptr<const rules::RuleSet> next);  // rows.cpp: what the new rules keep
  void restart_rules(std::shared_ptr<const rules::RuleSet> next);
  void line(const LineRecord& record);
  void mark(const MarkRecord& record);
  void advance(Timestamp t);
  void fire_timers();
  void fire_timer(const Timer& timer);
  void take(std::vector<Event>& events);  // diagnoses them and what they cause
  void drain();
  struct Queued {
    Event event;
    std::uint32_t depth = 0;
  };
  void handle(Queued next);
  void settle();                          // the same, and then the lines that rules made
  void rule_came_into_force(RuleRun& run, Timestamp since);

  // diagnose.cpp
  void diagnose(const Event& event);
  void meet(RuleRun& run, const Event& event, bool waited);
  void end_what_is_over(RuleRun& run, const std::vector<std::string>& windows, Timestamp t);
  void observe(RuleRun& run, const Occurrence& x, std::vector<expr::Value> key, std::vector<std::string> windows);
  void note_causes(const Event& event);
  bool is_echo(const Event& event) const;
  bool judged_by_causes(const std::vector<CauseMemory>& causes, const Fields& fields, Timestamp t,
                        const expr::Bindings& names) const;
  void hold_event(RuleRun& run, const Event& event);
  void release_waiter(RuleRun& run);

  // firing.cpp
  // A hit at `t` that is too soon after the last decision of one of these keys: that is all that becomes of it. Else t is the last one.
  bool cools_down(RuleRun& run, std::span<KeyState* const> members, std::span<KeyState* const> hitting, Timestamp t);
  void fire(RuleRun& run, std::span<KeyState* const> members, std::vector<expr::Value> case_key, Hit hit,
            std::shared_ptr<Scene> scene, std::span<KeyState* const> hitting);
  void run_steps(const FiringRef& firing, StepPlace::List list, std::uint32_t set, Timestamp time,
                 Decision::Fate fate, const std::string& reason);
  void decide_step(const FiringRef& firing, const StepPlace& place, Timestamp time, Decision::Fate fate,
                   const std::string& reason);
  void decide(const FiringRef& firing, const StepPlace& place, const rules::Step* step, Timestamp time,
              std::uint32_t row, std::vector<expr::Value> locals, bool or_else, Decision::Fate fate,
              const std::string& reason, std::shared_ptr<const Given> given = nullptr);
  const rules::Step* find_step(std::uint32_t rule, const StepPlace& place) const;
  std::string decision_id(const Firing& firing, const Key& key, std::uint32_t step, std::uint32_t row,
                          Timestamp time);
  std::vector<expr::Value> locals_of(const Firing& firing) const;
  void effects(RuleRun& run, const FiringRef& firing);
  void emit(const FiringRef& firing, const rules::Emit& spec, Timestamp time);
  void on_delayed_emit(const Delayed& item);
  FiringRef make_firing(Firing firing);
  Case* case_of(const Firing& firing) const;
  void delay(const FiringRef& firing, const StepPlace& place, Timestamp deadline);
  void arm_delayed(Delayed& item);
  void end_delayed(std::uint64_t id);
  void on_delayed(Delayed& item);
  void follow(const FiringRef& firing, const StepPlace& place, const Decision& decision,
              const rules::Step& step, std::uint32_t action, std::vector<expr::Value> locals, bool or_else);
  void drop_pending(std::uint64_t id);
  void outcome(const OutcomeRecord& record);

  // cases.cpp
  Case& open_case_for(RuleRun& run, std::string key, std::vector<KeyState*> members, FiringRef firing,
                      Timestamp from, Timestamp last);
  void close_case(RuleRun& run, Case& open, Timestamp at, Closing how, const std::string& why,
                  StepPlace::List steps = StepPlace::List::then_clear);
  std::optional<Timestamp> case_end(const RuleRun& run, const Case& open) const;
  bool end_if_over(RuleRun& run, Case& open, Timestamp t);
  void hear(RuleRun& run, Case& open, const Event& event);
  std::optional<Timestamp> case_deadline(RuleRun& run, const Case& open) const;
  void arm_case(RuleRun& run, Case& open);
  void on_case_timer(RuleRun& run, Case& open);

  // held.cpp
  struct Verdict {
    Decision::Fate fate = Decision::Fate::decided;
    std::string reason;
    bool holding = false;          // something holds it, whether or not something else drops it
    std::optional<Timestamp> end;  // of what holds it, if all of that has one
  };
  Verdict judge(const Firing& firing, Timestamp t) const;
  void hold_firing(const FiringRef& firing, const Verdict& verdict);
  void arm_held(Held& item);
  void end_held(std::uint64_t id);
  void judge_held(std::uint64_t id, Timestamp t);
  void judge_held_of(std::uint32_t rule, Timestamp t);
  void drop_held_of(const Case& of, Timestamp t);

  // contexts.cpp
  void set_contexts(RuleRun& run, const FiringRef& firing, bool collecting);
  Context& open_context(const FiringRef& firing, std::uint32_t set, std::string key);
  void unset_contexts(RuleRun& run, const FiringRef& firing);
  void on_context_end(Context& context);
  void end_context_before(const std::pair<std::string, std::string>& name, Timestamp t);
  void end_context(std::map<std::pair<std::string, std::string>, Context>::iterator at);
  void arm_context(Context& context);

  // collected.cpp
  void collect(Context& context, const rules::SetContext& spec, std::string_view text, Trust trust);
  void let_go(Context& context, std::size_t keep);
  void restore_texts(std::vector<std::pair<std::uint64_t, Collected>> texts);  // id of the context, text

  // commands.cpp
  void command(const CommandRecord& record);
  void lookup_changed(const LookupRecord& record);
  void probe(const ProbeRecord& record);
  Event synthetic(rules::ClassId cls, Timestamp time, Fields fields, Trust trust,
                  const Evidence& evidence) const;
  bool deliver(Event event);  // false: it lacks a required field

  // Questions
  bool open_case(std::string_view rule, std::span<const expr::Value> key) const override;
  bool context(std::string_view name, std::span<const expr::Value> key) const override;
  expr::Value collected(std::string_view name, std::span<const expr::Value> key) const override;
  std::uint64_t collected_count(std::string_view name, std::span<const expr::Value> key) const override;
  const std::deque<Collected>* texts_of(std::string_view name, std::span<const expr::Value> key) const;
  const rules::LookupTable* lookup(std::uint32_t index) const override;
  const LookupIndex* lookup_index(std::uint32_t index) const override;

  // rows.cpp
  void take_changes(std::vector<StateRow>& out);
  void all_rows(std::vector<StateRow>& out);
  Status restore_rows(StateSource& rows, bool with_evidence);  // false: texts are there or read when needed
  void dispose();
  void forget_orphans();
  std::vector<CauseMemory*> all_causes();
  void who_refers_to_what();

  // Nothing that comes to a rule from now on is as old as that.
  Timestamp oldest() const { return *clock - options.late - longest_record - longest_hold; }
  std::uint64_t next_id() { return ids_++; }

  Options options;
  std::shared_ptr<const rules::RuleSet> rules;
  std::uint64_t seq = 0;
  std::optional<Timestamp> clock;
  Timestamp clock_goal;  // while timers fire: where the clock is going
  Counters counters;
  EvidenceStore evidence;
  std::unique_ptr<Decoder> decoder;
  TimerQueue timers;
  Timestamp now;  // of the event or timer at hand
  StepOutput* step_out = nullptr;
  RuleWatch* watch = nullptr;

  std::vector<std::unique_ptr<RuleRun>> runs;
  Duration longest_record{}, longest_hold{};  // how long events wait to be complete, to be taken
  std::vector<std::vector<CauseMemory>> mutes;  // by mute, by cause
  std::vector<std::vector<std::uint32_t>> rules_of_class;
  std::vector<std::vector<CauseMemory*>> causes_of_class;
  std::vector<std::vector<std::pair<std::uint32_t, std::uint32_t>>> echoes_of_class;  // action, echo

  std::map<std::uint64_t, Case*> cases_by_id;
  std::map<std::uint64_t, Delayed> delayed;
  std::map<std::uint64_t, Held> held;
  std::set<std::pair<std::uint32_t, std::uint64_t>> held_by_condition;  // (rule, id) without a known end
  std::map<std::uint64_t, Pending> pending;
  std::unordered_map<std::string, std::uint64_t> pending_of;  // decision id
  std::map<std::pair<std::string, std::string>, Context> contexts;
  std::map<std::uint64_t, Context*> collected_by;  // by id of the text, over all contexts
  std::size_t collected_bytes = 0;
  std::size_t given_bytes = 0;                     // of what `pending` keeps
  const Context* ending = nullptr;                 // while its `at_end` is decided: gone, its texts still there
  mutable Trust told = Trust::vouched;             // the lowest of what the decision at hand was told from contexts
  std::map<std::uint64_t, Echo> echoes;
  Timestamp first_echo_end = Timestamp::min();  // none of them ends before
  std::map<std::uint64_t, Silence> silences;
  std::map<std::string, LookupState> lookups;

  // Decisions that were alike to the last line of evidence: how often.
  struct Alike {
    std::uint64_t id = 0;
    std::uint32_t count = 0;
    bool dirty = true, stored = false;
  };
  std::map<std::pair<Timestamp, std::string>, Alike> alike;

  std::vector<Event> decoded;  // of the line or record at hand; its room is used again
  mutable std::deque<Queued> queue;
  mutable std::vector<std::string> stale_lookups;  // asked for, to be told
  std::uint32_t depth = 0;                         // of the event at hand
  // A line that a rule made. Keeps its evidence.
  struct Made {
    std::string text, host;
    Timestamp time;
    FiringRef firing;
    Trust trust = Trust::vouched;
    std::uint32_t depth = 0;
  };
  std::deque<Made> made_lines;

  // Rows of rules that were taken away, kept for a while.
  struct Orphan {
    StateRow row;
    std::vector<Evidence> lines;  // that its body stands on; references are kept
  };
  struct Gone {
    std::string identity;
    Timestamp since;
  };
  std::map<std::pair<StateKind, std::uint64_t>, Orphan> orphans;
  std::map<std::string, Gone> orphan_rules;  // by rule id

  std::vector<StateRow> erased;                                     // of everything but keys and causes
  std::map<std::pair<StateKind, std::uint64_t>, StateRow> carried;  // changes taken before a reload
  bool engine_dirty = true;
  bool fresh_rules = true;                      // some rule has not seen a clock yet
  std::uint64_t ids_ = std::uint64_t{1} << 32;  // below it are the decoder's
};

}  // namespace correlator::engine
