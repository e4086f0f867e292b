// SPDX-License-Identifier: Apache-2.0
// The naive engine: written from docs/designs/semantics.md alone. It keeps plain vectors, looks at all of them for each
// event and for each timer, and says which events come out, which cases open and close and what is decided on what evidence.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "model.h"

namespace correlator::oracle {

class Oracle {
 public:
  explicit Oracle(const World& world);

  // Steps one record and returns what it gave, a line of text each, in no particular order.
  std::vector<std::string> step(const Input& input);

 private:
  struct Pair {
    Time time = 0;
    std::uint64_t arrival = 0;
    std::uint64_t weight = 1;
    std::size_t member = 0;  // group
    std::string value;       // distinct
  };
  struct Line {  // of evidence: the time of its event and its number in the stream
    Time time = 0;
    std::uint64_t number = 0;
    auto operator<=>(const Line&) const = default;
  };
  struct Evidence {
    std::vector<Line> lines;  // in order
    std::uint64_t gone = 0;   // from the middle
    void add(const Event& event);
    void add(const Line& line);
    void drop_before(Time time);
    Evidence between(Time from, Time to) const;
  };
  struct Chain {
    Time begin = 0, last = 0, newest = 0;
    std::uint64_t first_v = kAny;
    std::set<std::size_t> filled;  // steps
    Evidence evidence;
  };
  struct Wait {
    Time asked = 0;
    Event event;
  };
  // A firing: everything its steps need, now or later.
  struct Firing {
    std::string rule;  // id
    std::string key;
    std::uint64_t of_case = 0;  // 0: the rule does not latch
    Time time = 0;
    Event event;  // whose fields its steps see
    Evidence evidence;
  };
  using FiringRef = std::shared_ptr<const Firing>;
  // What is kept of one key of a rule.
  struct Window {
    std::vector<Pair> pairs;
    std::uint64_t open = 0;  // number of the case that latches it
    std::optional<Time> decided_at;  // cooldown
    std::uint64_t streak = 0;
    std::optional<Time> bucket;
    std::uint64_t total = 0;
    bool bucket_over = false;
    std::vector<Chain> chains;
    std::vector<Wait> waits;
    std::vector<Time> answers;
    std::optional<Time> last, due;        // heartbeat: newest event; deadline without one
    bool told = false;                    // this silence fired already
    std::optional<Time> minute;           // schedule: the last minute that is done
    Evidence trail;
    Time newest = INT64_MIN;  // of its events
    Event named;              // knows the fields that the key is made of
  };
  struct Case {
    std::uint64_t number = 0;
    std::size_t rule = 0;
    std::string key;  // whole
    std::vector<std::string> members;
    FiringRef firing;
    Time from = 0;   // earliest pair that was counted in the firing
    Time until = 0;  // end of the firing's interval, or the decision's time if that is later
    Time asked = 0;  // answer form: time of the `after` event
    std::vector<Pair> heard;  // what `quiet_for` and `rate` look at
    std::optional<Time> deadline;  // by these, or by `lasts`
  };
  // What an event, or a timer, reached.
  struct Hit {
    Time time = 0, from = 0, until = 0;
    std::optional<Evidence> evidence;  // none: that of the trails in [from, until]
    bool whole_trail = false;
    Time asked = 0;
  };
  struct Delayed {
    FiringRef firing;
    std::size_t step = 0;  // kEmit: it is the rule's event
    Time due = 0;
    std::uint32_t left = 1;
  };
  struct Waiting {  // in a hold buffer
    std::size_t rule = 0;
    Event event;
  };
  struct Group {
    Time first = 0, last = 0;
    std::map<std::string, std::uint64_t> sums;
    std::uint64_t counted = 0;
  };
  struct OpenRecord {
    std::uint64_t number = 0;
    std::string host, id;  // of `same`; no id: none
    Time begin = 0;
    std::string text;
    bool late = false, delivered = false, has_start = false, has_place = false, ended = false;
    std::uint64_t v = 0, offered = 0;
    std::string dimm;
    std::vector<std::string> parts;
    std::vector<std::uint64_t> lines;
  };
  struct Context {
    std::optional<Time> end;
    FiringRef firing;     // that opened it, or set it again
    bool at_end = false;  // something is to be told then
    std::vector<std::string> texts;
  };
  static constexpr std::size_t kEmit = SIZE_MAX;
  struct Silence {
    std::string rule, key;
    Time until = 0;
  };
  enum Kind { kRecord, kHold, kAbsence, kClear, kContext, kSchedule, kDelayed, kHeld };
  struct Timer {
    Time deadline = 0;
    Kind kind = kHold;
    std::size_t rule = 0;
    std::string key;
    std::uint64_t index = 0;
    auto order() const { return std::tie(deadline, kind, rule, key, index); }
  };
  using Windows = std::map<std::string, Window>;
  struct Gone {  // a rule that was taken away
    std::string identity;
    Time since = 0;
    Windows windows;
    std::vector<Case> cases;
    std::vector<Delayed> delayed;
  };

  // time.cpp
  void advance(Time to);
  std::vector<Timer> due_timers(Time until) const;
  void run(const Timer& timer);
  void run_absence(const Timer& timer);
  std::optional<Time> clear_deadline(const Case& one) const;
  std::optional<Time> heartbeat_deadline(const Rule& rule, const Window& window) const;
  std::vector<Time> minutes(const Cron& cron, Time after, Time to) const;
  std::optional<Time> held_until(const Firing& firing) const;

  // decoding.cpp
  void line(const Input& input);
  void decode(const Input& input, bool late);
  void decode_whole(Event event, bool late, bool stale);
  std::uint64_t rise(const Event& event, bool late);
  void offer(const Input& input, bool late);
  bool try_deliver(OpenRecord& record);
  void complete(std::uint64_t number);
  void deliver(Event event, bool late, bool stale);
  bool merge(const SameError& spec, std::size_t index, Event& event);

  // oracle.cpp
  void drain();
  bool may_be_cause(const Event& event) const;
  void meet(std::size_t index, const Event& event);
  void take(std::size_t index, const Event& event);
  bool broken(std::size_t index, const std::string& key, const Event& event);
  std::vector<Ref> references(const Rule& rule) const;
  bool refers_to(const Rule& rule, const Event& event) const;
  bool of_own_class(const Rule& rule, const Event& event) const;
  bool takes_part(const Rule& rule, const Event& event) const;
  std::vector<std::string> window_keys(const Rule& rule, const Event& event) const;
  std::string case_key(const Rule& rule, const Event& event) const;

  // operations.cpp
  std::optional<Hit> operate(std::size_t index, const std::string& key, const Event& event, bool& counted, bool& ends);
  std::optional<Hit> windowed(const Rule& rule, Window& window, const Event& event, bool& counted);
  std::optional<Hit> tumble(std::size_t index, const std::string& key, const Event& event, bool& counted);
  std::optional<Hit> streak(const Rule& rule, Window& window, const Event& event);
  std::optional<Hit> sequence(const Rule& rule, Window& window, const Event& event);
  void answer(const Rule& rule, Window& window, const Event& event, bool& ends);
  void heartbeat(const Rule& rule, Window& window, const Event& event, bool& ends);
  std::optional<Hit> level(const Rule& rule, Window& window, const Event& event, bool& ends);
  void trim_trail(const Rule& rule, Window& window);
  Time oldest_age(const Rule& rule) const;
  void forget_old(const Rule& rule, Window& window);
  bool forgotten(const Rule& rule, const Window& window) const;
  bool enough(const Rule& rule, const std::vector<Pair>& pairs) const;
  std::vector<Pair> interval(const Rule& rule, const std::vector<Pair>& pairs, Time end) const;
  std::optional<Time> smallest_end(const Rule& rule, const std::vector<Pair>& pairs, Time from, Time to) const;
  std::vector<Pair> cut(const Rule& rule, std::vector<Pair> pairs) const;
  Hit hit_at(const Rule& rule, const std::vector<Pair>& pairs, Time end, Time time) const;

  // cases.cpp
  bool latches(const Rule& rule) const;
  void fire(std::size_t index, const std::string& key, const std::vector<std::string>& members,
            const std::vector<std::string>& hitting, const Hit& hit, const Event& event);
  void effects(const FiringRef& firing);
  void collect(const FiringRef& firing);
  Event emitted(const Firing& firing, Time time) const;
  void end_context(const std::string& host);
  void end_context_before(const std::string& host, Time time);
  std::optional<std::vector<std::string>> given(const Step& step, const Firing& firing) const;
  enum class Closing { quiet, own, start_over };
  void close(std::uint64_t number, Time time, Closing how, bool over = false);
  void start_over(std::size_t index, Window& window);
  void afresh(std::size_t index, const std::string& key, Time time, const Event& event);

  void hear(Case& one, Time time, std::uint64_t weight);
  bool covered(const Cause& cause, Time time, const Event& event) const;
  std::vector<const Cause*> holding_causes(const Rule& rule) const;
  bool excused(const Firing& firing, Time time) const;
  bool dropped(const Firing& firing, Time time) const;
  bool silences(const Silence& silence, const Firing& firing) const;
  void decide(const FiringRef& firing, Time time, const char* fate);
  bool in_context(const std::string& host, Time time) const;
  bool judged_quiet(const Rule& rule) const;
  std::size_t index_of(const std::string& id) const;
  bool is_open(std::uint64_t number) const { return cases_.contains(number); }
  void command(const Input& input);

  // reload.cpp
  void reload(const Spec& next);
  std::string identity(const Rule& rule) const;

  void say(std::string text) { out_.push_back(std::move(text)); }

  const World& world_;
  Spec spec_;
  std::optional<Time> clock_;
  Time goal_ = 0;  // where the clock is going while timers run
  Time now_ = 0;   // of the event or timer at hand
  std::uint64_t arrivals_ = 0, cases_ever_ = 0, records_ever_ = 0, number_ = 0;
  std::vector<Windows> windows_;  // by rule
  std::map<std::uint64_t, Case> cases_;
  std::vector<std::map<std::string, Group>> groups_;
  std::map<std::uint64_t, OpenRecord> records_;
  std::map<std::string, std::uint64_t> counters_;
  std::vector<std::pair<Event, Time>> seen_;  // every event that met the rules and may be a cause, and the clock then
  std::vector<Waiting> waiting_;
  std::vector<Delayed> delayed_;
  std::vector<FiringRef> held_;
  std::vector<Silence> silences_;
  std::map<std::string, Context> contexts_;  // by host
  std::map<std::string, Gone> gone_;         // by rule id
  std::vector<Event> queue_;
  std::vector<std::string> out_;
};

bool matches(const Ref& ref, const Event& event);
Time wait_of(const Rule& rule);

// The lines that both engines' answers are compared as.
std::string said_decision(const char* fate, const std::string& rule, const std::string& key, Time time, std::size_t step,
                          bool clearing, const std::string& action, const std::vector<std::uint64_t>& lines, std::uint64_t total,
                          const std::optional<std::vector<std::string>>& given = std::nullopt);
std::string said_case(bool opened, const std::string& rule, const std::string& key, Time time);
enum class Fate { met, late, stale, folded };
std::string said_event(const Event& event, Fate fate);

}  // namespace correlator::oracle
