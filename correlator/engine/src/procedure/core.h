// SPDX-License-Identifier: Apache-2.0
// The state of a Procedure as plain structures. The functions on it stand in the file of their subject.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <queue>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "engine/procedure.h"
#include "filter.h"
#include "line_buffer.h"

namespace correlator::engine {

using Second = std::int64_t;
using MatchCache = std::map<std::string, std::shared_ptr<Bindings>, std::less<>>;

// The variables that a text may hold: $ of the match at hand, % of the first match where there are two. Without `dollar`
// there are no variables at all, and a $ is a $.
struct Scope {
  std::shared_ptr<const Bindings> dollar, percent;
  std::shared_ptr<const MatchCache> cache;
  std::shared_ptr<const MatchCache> percent_cache = {};  // what %:{entry:name} looks into, beside `percent`

  const MatchCache* cache_of(bool of_percent) const { return of_percent ? percent_cache.get() : cache.get(); }
};

struct FileState;

// What an action list runs with. Copied where it waits for later.
struct Setting {
  Scope scope;
  std::string description;
  bool description_from_log = false;
  std::shared_ptr<FileState> file;  // for reset and its like
  std::uint32_t rule = 0;
};

struct WaitingList {  // an action list that waits
  rules::procedure::ActionListPtr list;
  Setting setting;
};

// A context with its event store.
struct EventStore {
  std::uint64_t serial = 0;
  std::vector<std::string> names;
  Second created = 0, lifetime = 0;  // 0: for ever
  std::deque<std::pair<Second, std::string>> lines;
  WaitingList at_end;
  bool ending = false;    // its list is running
  bool internal = false;  // names the source of the line; actions do not change it
  bool gone = false;
  Second queued = -1;

  bool expired(Second now) const { return lifetime > 0 && now - created > lifetime; }
};

struct RuleState;

// Something that goes on over several lines, for one rule and one description.
struct OpenOperation {
  std::uint64_t serial = 0;
  std::string description;
  RuleState* owner = nullptr;
  Setting setting;          // of the line that opened it
  Second opened = 0;        // when the operation began
  Second start = 0;         // when its window begins
  bool fired = false;       // a threshold was reached; of two thresholds: the second window runs
  bool alive = true;
  bool busy = false;        // its first or its last list is running
  std::deque<Second> times;
  std::deque<std::pair<Second, std::uint32_t>> marks;  // EventGroup: when, which pattern
  std::deque<std::string> tokens;                      // parallel to marks
  std::string second_text;                             // pattern2 with the values of the first match
  std::vector<std::string> needles;                    // values that a text must hold to match it
  std::optional<rules::TextPattern> second;            // compiled when a text holds them
  mutable std::uint64_t saved = 0;                     // hash of what may change in it, at the last save(); 0: never saved
  Second queued = -1;
};
using OperationPtr = std::shared_ptr<OpenOperation>;

struct RuleState {
  const rules::procedure::ProcedureRule* rule = nullptr;
  FileState* file = nullptr;
  std::unordered_map<std::string, OperationPtr> open;
  std::map<std::uint64_t, OperationPtr> by_age;  // of pairs: each is asked in the order they were opened
  std::int64_t calendar_minute = -1;             // that it fired in
  std::vector<std::uint32_t> filters;            // of its members
  std::uint64_t matches = 0;
  std::uint64_t met = 0, cpu = 0;                // lines it looked at, nanoseconds that took; counted with Options::cpu_time
};

struct FileState {
  std::shared_ptr<const rules::procedure::ProcedureFile> file;
  std::vector<std::unique_ptr<RuleState>> rules;
};

struct Variable {
  std::string value;
  bool from_log = false;
  std::optional<std::uint32_t> function;
};

struct Text {
  std::string value;
  bool from_log = false;
};

struct QueuedEvent {
  std::string text, context;
};

template <class T>
struct Due {
  Second at;
  std::uint64_t serial;
  std::shared_ptr<T> owner;
  bool operator>(const Due& other) const { return at != other.at ? at > other.at : serial > other.serial; }
};
template <class T>
using DueHeap = std::priority_queue<Due<T>, std::vector<Due<T>>, std::greater<Due<T>>>;

enum class Flow : std::uint8_t { done, left, again };  // how an action list ended
enum class Walk : std::uint8_t { on, end };            // EndMatch ends all

struct PatternHit {
  bool yes = false;
  std::shared_ptr<Bindings> bindings;
  explicit operator bool() const { return yes; }
};

struct Procedure::Core {
  Core(std::shared_ptr<const rules::procedure::ProcedureProgram> program, const Options& options);

  Options options;
  std::shared_ptr<const rules::procedure::ProcedureProgram> program;
  std::vector<std::shared_ptr<FileState>> files;
  std::map<std::string, std::vector<std::shared_ptr<FileState>>, std::less<>> sets;
  std::set<std::string, std::less<>> set_stack;
  Filter filter;
  LineBuffers buffers;

  Second now = 0;
  std::uint64_t serial = 0;
  Effects* effects = nullptr;
  std::map<std::string, Variable, std::less<>> variables;
  std::map<std::string, std::shared_ptr<EventStore>, std::less<>> stores;
  DueHeap<EventStore> store_heap;
  DueHeap<OpenOperation> operation_heap;
  std::deque<QueuedEvent> queued;
  std::multimap<Second, QueuedEvent> delayed;
  std::map<std::int64_t, std::pair<WaitingList, rules::procedure::ActionListPtr>> scripts;  // ticket: what runs when it failed is second
  std::int64_t tickets = 0;
  std::vector<RuleState*> calendars;
  std::uint64_t lines = 0;

  // of the line at hand
  std::shared_ptr<MatchCache> cache = std::make_shared<MatchCache>();
  std::string line_context;

  // procedure.cpp
  void adopt(std::shared_ptr<const rules::procedure::ProcedureProgram> next);
  void walk_all(const Procedure::Input& input, bool synthetic);
  Walk walk(const std::shared_ptr<FileState>& file);
  void say(int level, std::string text);
  bool says(int level) const { return level <= options.log_level; }
  Effect& effect(Effect::Kind kind);

  // match.cpp
  PatternHit match(const rules::procedure::LinePattern& pattern, std::uint32_t filter_id);
  PatternHit match_text(const rules::procedure::LinePattern& pattern, const rules::TextPattern& regexp);
  PatternHit bind_source(const rules::procedure::LinePattern& pattern, std::string_view text);
  void remember(const rules::procedure::LinePattern& pattern, const std::shared_ptr<Bindings>& bindings);
  PatternHit member_matches(const rules::procedure::Member& member, std::uint32_t filter_id);
  bool second_matches(OpenOperation& op, PatternHit& hit);

  // condition.cpp
  bool holds(const rules::procedure::Condition& condition, const Scope& scope);

  // rule.cpp
  std::optional<rules::procedure::Continue> meet(const std::shared_ptr<FileState>& file, RuleState& run, Walk& walk);
  std::optional<rules::procedure::Continue> meet_measured(const std::shared_ptr<FileState>& file, RuleState& run, Walk& walk);
  Setting setting_of(const std::shared_ptr<FileState>& file, const RuleState& run, const PatternHit& hit, const std::string& description);
  void start_script(const Setting& setting, const RuleState& run);
  Walk jump(RuleState& run, const Scope& scope);

  // operations.cpp
  OpenOperation* find(RuleState& run, const std::string& description);
  OperationPtr open(RuleState& run, Setting setting);
  void close(OpenOperation& op);
  void resume(const OperationPtr& op);
  void schedule(const OperationPtr& op);
  bool over(const OpenOperation& op) const;
  void expire(const OperationPtr& op);
  void suppress_repeats(RuleState& run, Setting setting);
  void count(RuleState& run, Setting setting);
  void count_twice(RuleState& run, Setting setting);
  bool begin_pair(RuleState& run, Setting setting);
  std::optional<rules::procedure::Continue> end_pairs(const std::shared_ptr<FileState>& file, RuleState& run);
  void group(RuleState& run, std::uint32_t member, Setting setting);
  bool group_complete(const OpenOperation& op);
  bool slide(const OperationPtr& op);
  void run_of(const OperationPtr& op, const rules::procedure::ActionListPtr& list);
  void reset(const Setting& setting, const rules::procedure::Action& action, const std::string& description);
  OperationPtr named(const Setting& setting, const rules::procedure::Action& action, const std::string& description);
  void move_window(const OperationPtr& op, Second to);

  // stores.cpp
  std::shared_ptr<EventStore> store(std::string_view name) const;
  std::shared_ptr<EventStore> changeable(std::string_view name);
  std::shared_ptr<EventStore> make_store(const std::string& name);
  void add_line_context(std::string_view name);
  void drop_line_context();
  bool alive(std::string_view name);
  void finish(const std::shared_ptr<EventStore>& store);
  void drop(const std::shared_ptr<EventStore>& store);
  void schedule(const std::shared_ptr<EventStore>& store);
  void add_lines(EventStore& store, const std::string& text, bool front);

  // actions.cpp and its parts
  Flow run(const rules::procedure::ActionListPtr& list, const Setting& setting);
  Flow act(const rules::procedure::Action& action, const Setting& setting);
  void tell(const rules::procedure::Action& action, const Setting& setting);
  std::string command_text(const rules::procedure::Action& action, const Setting& setting);
  void act_on_store(const rules::procedure::Action& action, const Setting& setting);
  void act_on_operation(const rules::procedure::Action& action, const Setting& setting);
  void act_on_world(const rules::procedure::Action& action, const Setting& setting);
  void act_with_code(const rules::procedure::Action& action, const Setting& setting);
  void start_command(const rules::procedure::Action& action, const Setting& setting, bool feeds, std::string fed);
  void make_event(const std::string& text, const std::string& context, Second delay);
  void assign(const std::string& name, std::string value, bool from_log);
  bool truth(const std::string& variable) const;

  // substitute.cpp
  Text text(const std::string& pattern, const Setting& setting);
  Text text_or_description(const std::optional<std::string>& pattern, const Setting& setting);
  std::string word(const rules::procedure::Action& action, std::size_t index, const Setting& setting);
  std::string shell(const std::string& pattern, const Setting& setting);
  std::string code(const std::string& pattern, const Setting& setting, bool list_variables, std::vector<std::string>& values);
  std::string script_text(const std::string& pattern, const Setting& setting, bool for_shell);
  std::string match_text(const std::string& pattern, const Scope& scope, bool& from_log) const;

  // sweep.cpp
  void sweep();
  void sweep_calendars();
  std::optional<Second> next_due() const;
};

std::vector<std::string> lines_of(std::string_view text);
// Nothing if it is not digits alone. No number is larger than any time: some thirty million years of seconds.
std::optional<Second> whole_number(std::string_view text);

}  // namespace correlator::engine
