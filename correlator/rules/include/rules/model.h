// SPDX-License-Identifier: Apache-2.0
// The rule model: what the readers (TOML, SEC) produce and the engine runs. Everything is checked and
// resolved: names are indexes, expressions are compiled, references exist. Immutable after load; shared
// between threads.
//
// Docs: docs/rules.md says what each key means, docs/designs/semantics.md what the engine does with it.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/diagnostic.h"
#include "expr/expression.h"
#include "expr/value.h"
#include "pattern/regex.h"
#include "time/timestamp.h"
#include "time/zone.h"

namespace correlator::rules {

// ---------------------------------------------------------------------------------------------------------
// Names. Every field name of every class, event and rule is interned once in RuleSet::fields.

using FieldId = std::uint32_t;
inline constexpr FieldId kNoField = UINT32_MAX;

// Fields that every event has; their ids are fixed. `time` is the event's time.
enum BuiltinField : FieldId {
  kHost,
  kProgram,
  kPid,
  kFacility,
  kLevel,
  kText,
  kTime,
  kCaller,
  kSeverity,
  kPart,
  kClass,
  kWeight,
  kBuiltinFields
};

// Where a symbol of an expression lives: expr::Symbol::slot is space << 24 | index.
enum class Space : std::uint32_t {
  field = 0,    // index = FieldId of the event at hand (or a `let` of the rule)
  setting = 1,  // index into RuleSet::settings; constant
  bound = 2,    // field of an earlier step of a sequence: step << 16 | FieldId; step counts from 0
  local = 3,    // names that steps have: index = LocalName
  with = 4,     // an argument of the step: index into Step::with; only in Step::args and its siblings
};
inline constexpr std::uint32_t slot_of(Space space, std::uint32_t index) {
  return static_cast<std::uint32_t>(space) << 24 | index;
}
inline constexpr Space space_of(std::uint32_t slot) {
  return static_cast<Space>(slot >> 24);
}
inline constexpr std::uint32_t index_of(std::uint32_t slot) {
  return slot & 0xFFFFFF;
}

// Names an action's `args` and a step's `with`/`if`/`unless`/`why` may use beside fields and settings.
enum LocalName : std::uint32_t {
  kLocalRule,      // rule id
  kLocalKey,       // the key as "host=kvm1 dimm=D1"
  kLocalDecision,  // decision id
  kLocalCount,     // what the window holds at the firing
  kLocalAcked,     // bool: the case is acknowledged
  kLocalCleared,   // bool: the case is closed
  kLocalRow,       // first row column of `each … as g`; column c is kLocalRow + c
};

// Functions of expressions: expr::Signature::id. Maps and lookups follow the fixed ones.
enum FunctionId : std::uint32_t {
  kFunctionOpen = 0,         // open('rule.id', key…) -> bool
  kFunctionContext = 1,      // context('name', key…) -> bool
  kFunctionCollected = 2,    // collected('name', key…) -> list of texts
  kFunctionCollectedCount = 3,  // collected_count('name', key…) -> how many
  kFunctionMaps = 1'000,     // + index into RuleSet::maps
  kFunctionLookups = 2'000,  // + index into RuleSet::lookups
};

// How a captured text becomes a value: text as it is; integer in decimal; hex with or without 0x; boolean
// from true/false/yes/no/on/off/1/0; duration "1h30m"; time RFC 3339; list split at Capture::separator; gauge
// an integer that goes up and down. A text that does not convert gives none.
enum class FieldType { text, integer, hex, boolean, duration, time, list, gauge };

enum class Severity : std::uint8_t { info, corrected, deferred, recoverable, uncorrected, fatal };
std::string_view to_string(Severity severity);
std::optional<Severity> parse_severity(std::string_view text);

enum class Urgency : std::uint8_t { notice, warning, critical };
std::string_view to_string(Urgency urgency);

// ---------------------------------------------------------------------------------------------------------
// Decoding

using ClassId = std::uint32_t;

struct FieldSpec {
  FieldId field = kNoField;
  FieldType type = FieldType::text;
};

struct ClassDef {
  std::string name;
  std::vector<FieldId> key;
  std::vector<FieldSpec> required;
  std::vector<FieldSpec> may;
  bool counts = true;  // false: its events are notices, no errors of their own
  Place place;
};

// One line pattern of an event and the role its lines play.
enum class Role : std::uint8_t {
  whole,  // no record: the line is the event
  once,   // at most once a record; a second one opens the next record
  many,   // any number; captures become lists
  last,   // ends the record
};
struct Capture {
  std::uint32_t group = 0;  // group number in the pattern
  FieldId field = kNoField;
  FieldType type = FieldType::text;
  std::string separator;  // list fields: what splits the captured text; empty: the text is one element
  bool bdf = false;       // normalise to dddd:bb:dd.f
};

// [input] trusted and writers: whose word counts beside the kernel's and root's.
struct TrustedWriter {
  std::uint32_t uid = 0;
  std::string exe;  // empty: any program of that user
};

// Who may have written a line: `from`.
struct From {
  enum class Kind { any, kernel, program, input } kind = Kind::any;
  std::uint32_t pattern = UINT32_MAX;  // program: index into RuleSet::program_patterns (whole-name match)
  std::string name;  // input: its name; program: the name if the pattern is plain text, else empty
  std::vector<Capture> captures;  // of the programme pattern
  // program: what reached us live counts only if its writer is trusted; of an archive nobody knows the writer.
  bool trusted = false;
};

struct LinePattern {
  std::uint32_t pattern = 0;  // index into RuleSet::patterns
  Role role = Role::whole;
  bool raw = false;  // sees the whole line instead of the message text
  std::vector<Capture> captures;
  bool also = false;  // record lines: also decoded by other events
};

struct Let {
  FieldId field = kNoField;
  expr::Expression value;
  FieldType type = FieldType::text;
};

struct ClassArm {  // one row of [[event.class]]: the first whose condition holds
  ClassId is = 0;
  std::optional<expr::Expression> condition;  // none: always
  std::vector<Let> fields;
};

struct RecordSpec {
  std::vector<FieldId> same;  // values that keep records apart; may be empty: one open record per event id
  Duration within{};
  std::vector<FieldId> needs;
  std::vector<FieldId> ready;
  std::optional<expr::Expression> early;
  std::uint32_t max_lines = 64;
  bool ordered = false;  // its lines come in the order of their patterns; without all of `once` and `last` there is no event
};

struct Sample {
  std::vector<std::string> lines;
  bool reject = false;
  std::string expect_class;                                 // empty: any
  std::vector<std::pair<std::string, expr::Value>> expect;  // field (or "weight") and its value
  Place place;
};

struct EventDef {
  std::string id;
  std::uint32_t index = 0;  // position in RuleSet::events
  std::variant<std::vector<ClassArm>, expr::Template>
      class_of;  // arms in order, or a template over a finite map
  From from;
  std::vector<LinePattern> lines;
  std::vector<Let> lets;  // in the order in which they depend on each other
  std::optional<RecordSpec> record;
  std::optional<expr::Expression> weight;       // none: 1
  std::optional<expr::Expression> increase_of;  // cumulative counter: weight is its increase…
  std::vector<expr::Expression> increase_per;   // …per these values
  std::string channel;
  std::optional<expr::Expression> stale;
  std::optional<expr::Expression> implausible;
  std::vector<Sample> samples;
  bool inline_match = false;  // made from a rule's own `match`
  Place place;
};

struct SameError {
  std::string name;
  std::vector<ClassId> classes;
  std::vector<FieldId> key;
  std::vector<std::string> channels;  // best first
  Duration within{};
  Place place;
};

// ---------------------------------------------------------------------------------------------------------
// Diagnosing

// Classes: each event asks whether its own is among them, and a load goes through them once for each rule, where there may be thousands of both.
class ClassSet {
 public:
  void add(ClassId id) {
    if (contains(id)) return;
    if (bits_.size() <= id) bits_.resize(id + 1);
    bits_[id] = true;
    ids_.insert(std::upper_bound(ids_.begin(), ids_.end(), id), id);
  }
  bool contains(ClassId id) const { return id < bits_.size() && bits_[id]; }
  const std::vector<ClassId>& ids() const { return ids_; }  // ascending

 private:
  std::vector<bool> bits_;
  std::vector<ClassId> ids_;
};

// An event reference: classes (a glob or any_of is expanded at load) and a condition.
struct EventRef {
  ClassSet classes;
  std::optional<expr::Expression> where;  // sees the event's fields, settings, and earlier steps
  std::string as;                         // name under which later steps see it
  std::string text;                       // as written, for explain
  bool matches_class(ClassId id) const { return classes.contains(id); }
};

struct Threshold {  // "10 in 24h"
  std::uint64_t count = 1;
  Duration within{};
};

struct Count {
  Threshold threshold;
  std::optional<expr::Expression> weight;  // none: the event's weight
  bool tumbling = false;
  bool rearm_at_once = false;  // fire again after another N instead of latching
};
struct Rate {
  Threshold raise;
  Threshold clear;  // clear.count <= raise.count
};
struct Distinct {
  std::uint64_t count = 1;
  std::vector<expr::Expression> of;  // what must differ
  Duration within{};
};
struct Streak {
  std::uint64_t count = 1;
  EventRef broken_by;
};
struct Sequence {
  Duration within{};
  std::vector<EventRef> steps;  // 2..16
  bool ordered = true;
};
struct Absence {
  std::optional<EventRef> after;  // the answer did not come…
  std::vector<EventRef> of;
  Duration within{};                             // …within this; heartbeat form: stopped `for` this long
  std::optional<std::uint32_t> expected_lookup;  // heartbeat: lookup and column whose values must speak
  std::uint32_t expected_column = 0;
  Duration grace{};
};
struct Group {
  struct Member {
    EventRef on;
    std::uint64_t count = 1;
  };
  std::vector<Member> members;
  Duration within{};
};
struct Level {
  expr::Expression of;
  enum class Kind { above, below, rises_by } kind = Kind::above;
  std::uint64_t bound = 0;
  Duration within{};  // rises_by
};
struct Cron {
  std::uint64_t minutes = 0;  // bit m
  std::uint32_t hours = 0, days = 0;
  std::uint16_t months = 0;
  std::uint8_t weekdays = 0;    // bit 0 = Sunday
  bool day_or_weekday = false;  // both restricted: either matches, as in cron(8)
  Zone zone;
  std::string text;
};
struct Schedule {
  Cron cron;
};
struct Each {};  // no operation: every event decides

using Operation =
    std::variant<Each, Count, Rate, Distinct, Streak, Sequence, Absence, Group, Level, Schedule>;
std::string_view operation_name(const Operation& operation);

// A cause of ignore / unless / mute.
struct Cause {
  std::optional<EventRef> event;  // mutes [u - before, u + after) around each such event at time u
  Duration before{}, after{};
  std::vector<FieldId> same;              // fields that must be equal in cause and event
  std::optional<expr::Expression> holds;  // open(…), context(…): a condition over the event's fields
  std::optional<std::uint32_t> calendar;  // index into RuleSet::calendars
  std::string text;
};

struct Clear {
  enum class Kind { never, quiet_for, event, level, manual, lasts } kind = Kind::never;
  Duration quiet_for{};
  Duration lasts{};      // a case ends by itself after so long; beside an event or a level, too. 0: it does not
  bool renewed = false;  // counted from its newest event instead of its first
  std::optional<EventRef> event;          // of the same key
  std::optional<expr::Expression> level;  // condition over an event of the rule's own classes
};

// One step. Its action's `args` and `serial` are compiled anew for each use, because what a name in them
// means depends on the step: an argument of `with` (Space::with) goes before a name of the rule (field, let,
// key, local).
struct Step {
  std::uint32_t number = 1;             // 1-based in the list as written
  std::optional<std::uint32_t> action;  // index into RuleSet::actions; always set in a rule set that loaded
  std::vector<std::pair<std::string, expr::Template>> with;  // evaluated first, in this order
  std::vector<expr::Template> args;                          // argv of `action`, one element each
  std::vector<expr::Template> or_else_args;                  // argv of `or_else`
  std::optional<expr::Template> serial_by;                   // Action::serial of `action`
  std::optional<expr::Template> or_else_serial_by;           // Action::serial of `or_else`
  std::optional<expr::Expression> lines;  // what the script gets beside its arguments: a list of texts, or one
  std::optional<expr::Expression> condition;                 // `if`
  std::optional<std::uint32_t> each;                         // lookup whose rows are fanned out over
  std::vector<expr::Expression> each_args;
  std::string as;
  std::optional<expr::Expression> where;
  std::optional<expr::Expression> order;
  std::uint32_t at_once = 0;             // 0: no limit
  std::optional<std::uint32_t> or_else;  // action index
  bool stop_on_failure = true;
  Duration after{};
  std::optional<expr::Expression> unless;  // acked, cleared, or a condition, judged when `after` is over
  Duration every{};
  std::uint32_t at_most = 1;
  Place place;
};

// A synthetic event of a class, or a line that is decoded as if it had come.
struct Emit {
  ClassId cls = 0;
  std::vector<Let> fields;
  std::optional<expr::Template> line;      // instead of class and fields
  Duration after{};                        // so long after the firing
  std::optional<expr::Expression> unless;  // with `after`: as of a step
};

// `set`, and `collect`, which also adds a text.
struct SetContext {
  std::string name;
  std::vector<expr::Expression> key;
  Duration lifetime{};  // 0: for ever
  std::vector<Step> at_end;
  std::optional<expr::Template> collects;  // the text; takes effect before the steps
  bool renewed = false;                    // collect: each text puts the end off
  std::uint32_t at_most = 1'000;           // collect: that many texts are kept, the newest
};
struct UnsetContext {
  std::string name;
  std::vector<expr::Expression> key;
  bool texts_only = false;  // `empty`: what was collected goes, the context stays
};

struct TestSpec {
  std::string name;
  std::string log;  // the timeline as written
  std::map<std::string, std::vector<std::map<std::string, expr::Value>>> lookups;
  struct Expected {
    std::string at;      // "+23h59m" or RFC 3339
    std::string action;  // empty: a decision without an action
    std::vector<std::pair<std::string, expr::Value>> key;
    std::vector<std::pair<std::string, std::string>> with;  // argv or argument name -> value
    std::optional<std::vector<std::string>> lines;          // none: not asked for
    Place place;
  };
  std::vector<Expected> expect;
  Place place;      // of [[rule.test]]
  Place log_place;  // of the first line of the timeline
};

struct Rule {
  std::string id;
  std::uint32_t index = 0;
  std::string title;
  Urgency urgency = Urgency::warning;
  std::vector<EventRef> on;  // any of them; empty for absence, sequence, group, schedule
  std::optional<expr::Expression> where;
  std::vector<Let> lets;  // computed before `where`, which may ask for them
  std::vector<expr::Expression> key;
  std::vector<std::string> key_names;  // as printed in decisions
  Operation operation = Each{};
  std::vector<Cause> ignore;
  std::vector<Cause> unless;
  Duration cooldown{};
  Clear clear;
  Duration hold{};
  std::vector<Emit> emit;
  std::vector<SetContext> set;      // of `set`, then of `collect`
  std::vector<UnsetContext> unset;  // of `unset`, then of `empty`
  std::vector<Step> then;
  std::vector<Step> then_clear;
  std::vector<Step> then_over;  // instead of then_clear where `lasts` ended the case
  std::vector<TestSpec> tests;
  std::string
      state_identity;  // hash of what the state's meaning depends on (semantics.md, "Identity of state")
  std::uint32_t max_keys = 100'000;  // bound of live windows; eviction is counted
  Place place;
};

struct Mute {
  std::vector<Cause> during;
  std::vector<bool> rules;  // by rule index: muted ones (`except` taken away)
  bool drop = false;        // else hold
  std::string text;
  Place place;
};

// ---------------------------------------------------------------------------------------------------------
// Acting

struct Action {
  std::string name;
  std::string run;                 // file name in the actions directory
  std::vector<std::string> args;   // as written; compiled per use in Step::args
  std::vector<std::string> needs;  // names that every use must give
  Duration timeout = Duration::minutes(1);
  std::uint32_t retry = 0;
  Duration retry_after = Duration::seconds(10);
  bool idempotent = false;
  Duration max_age = Duration::minutes(15);
  std::optional<std::uint32_t> budget;  // index into RuleSet::budgets
  std::optional<Threshold> limit;
  bool limit_over_digest = false;
  std::string confirm;  // script that gives a second opinion; empty: none
  bool destructive = false;
  std::vector<std::pair<EventRef, Duration>> echoes;
  std::string
      serial;  // template as written; uses with one value run one at a time; compiled in Step::serial_by
  bool approve = false;
  bool shadow = false;
  bool reads_lines = false;  // its stdin are the step's `lines` instead of the decision
  std::string undo;  // options that begin with --, or a script; empty: none
  Place place;
};

struct Budget {
  std::string name;
  std::uint32_t at_most = 0;          // starts…
  Duration per = Duration::hours(1);  // …in this
  std::uint32_t in_flight = 0;        // 0: no limit
  std::string over;                   // "all" or a field name: one budget per value
  Place place;
};

struct Lookup {
  std::string name;
  std::string file;
  std::string run;
  Duration every{};
  std::vector<std::string> key;
  std::vector<std::string> columns;
  bool many = false;
  Duration max_age{};
  Place place;
};
// The content of a lookup: rows of columns. A fact of the intake, not of the rule files.
struct LookupTable {
  std::vector<std::vector<std::string>> rows;
  std::string hash;
};

struct Probe {
  std::string name;
  std::string run;
  std::optional<std::uint32_t> each;  // lookup
  Duration every{};
  Duration timeout = Duration::seconds(10);
  Place place;
};

struct Setting {
  std::string name;
  expr::Value value;
  Place place;
};

struct MapDef {
  std::string name;
  std::vector<std::pair<expr::Value, expr::Value>> entries;
  std::optional<expr::Value> otherwise;
};

struct Calendar {
  std::string name;
  std::vector<Cron> times;  // minutes that belong to it
  std::vector<std::pair<Timestamp, Timestamp>> spans;
  Zone zone;
};

// A pattern and where it stands; compiled by pattern::PatternSet above this module.
struct PatternText {
  std::string text;  // after %{name} insertion
  Place place;
  std::uint32_t event = UINT32_MAX;        // index of the EventDef that owns it
  std::uint32_t line = 0;                  // index into EventDef::lines
  std::optional<pattern::Regex> compiled;  // always set in a rule set that loaded; copies share the program
};

// What a programme is called, for the whole name.
struct ProgramPattern {
  std::string text;
  std::optional<pattern::Regex> whole;  // none matches no programme: the text compiles, and is too large with its anchors
};

struct RuleSet {
  std::vector<std::string> fields;  // by FieldId; the built-in ones first
  std::vector<ClassDef> classes;
  std::vector<EventDef> events;
  std::vector<PatternText> patterns;
  std::vector<ProgramPattern> program_patterns;
  std::vector<SameError> same_errors;
  std::vector<Rule> rules;
  std::vector<Mute> mutes;
  std::vector<Action> actions;
  std::vector<Budget> budgets;
  std::vector<Lookup> lookups;
  std::vector<Probe> probes;
  std::vector<Setting> settings;
  std::vector<MapDef> maps;
  std::vector<Calendar> calendars;
  Zone zone;  // [input] zone
  std::vector<std::string> trusted_inputs;
  std::vector<TrustedWriter> trusted_writers;
  // The files as read, in order, for the intake: a rule set can be loaded again from this alone.
  std::vector<std::pair<std::string, std::string>> files;  // name, text
  std::string hash;                                        // of `files`

  FieldId field(std::string_view name) const;  // kNoField if unknown
  std::optional<ClassId> find_class(std::string_view name) const;
  std::optional<std::uint32_t> find_rule(std::string_view id) const;
  std::optional<std::uint32_t> find_action(std::string_view name) const;
};

}  // namespace correlator::rules
