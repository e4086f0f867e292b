// SPDX-License-Identifier: Apache-2.0
// The naive engine: written from docs/designs/semantics.md alone. It keeps plain vectors, looks at all of them for each
// event and for each timer, and says which cases open and close and what is decided.
#pragma once

#include <map>
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
  explicit Oracle(Spec spec);

  // Steps one record and returns what it gave, a line of text each, in no particular order.
  std::vector<std::string> step(const Input& input);

 private:
  struct Pair {
    Time time = 0;
    std::uint64_t arrival = 0;
    std::uint64_t weight = 1;
    std::size_t member = 0;  // group
    std::string value;       // distinct; rises: the number
  };
  struct Chain {
    Time begin = 0, last = 0, newest = 0;
    std::uint64_t first_v = kAny;
    std::set<std::size_t> filled;  // steps
    bool operator==(const Chain&) const = default;
  };
  struct Held {  // a firing that waits for a cause to end
    Time from = 0;
    Event event;
  };
  struct Key {
    std::vector<Pair> pairs;
    bool open = false;
    std::uint64_t case_number = 0;
    Time fired_at = 0;  // decision time of the case
    Time from = 0;      // earliest pair that was counted in the firing
    Time until = 0;     // end of the firing's interval
    std::vector<Pair> heard;  // what `quiet_for` and `rate` look at while the case is open
    std::optional<Time> decided_at;  // cooldown
    std::uint64_t streak = 0;
    std::optional<Time> bucket;
    std::uint64_t total = 0;
    bool bucket_over = false;
    std::vector<Chain> chains;
    std::vector<Time> waits, answers;
    Time asked_at = 0;  // the `after` event that fired
    std::optional<Time> last, told;  // heartbeat: the newest event; the one whose silence fired
    std::vector<Held> held;
    Event sample;  // an event of this key
  };
  struct Delayed {
    std::size_t rule = 0;
    std::string key;
    std::uint64_t case_number = 0;
    std::size_t step = 0;
    Time due = 0;
    std::uint32_t left = 1;
  };
  struct Waiting {  // in a hold buffer
    std::size_t rule = 0;
    Event event;
    Time due = 0;
  };
  struct Group {
    Time first = 0, last = 0;
    std::map<std::string, std::uint64_t> sums;
    std::uint64_t counted = 0;
  };
  struct Context {
    std::optional<Time> end;
  };
  enum Kind { kHold, kAbsence, kClear, kHeld, kContext, kDelayed };
  struct Timer {
    Time deadline = 0;
    Kind kind = kHold;
    std::size_t rule = 0;
    std::string key;
    std::size_t index = 0;
    auto order() const { return std::tie(deadline, kind, rule, key, index); }
  };

  // time.cpp
  void advance(Time to);
  void run_timers();
  std::vector<Timer> timers() const;
  void run(const Timer& timer);
  std::optional<Time> clear_deadline(const Rule& rule, const Key& key) const;
  std::optional<Time> held_until(const Rule& rule, const Held& held) const;

  // oracle.cpp
  void decode(Event event);
  bool merge(const SameError& spec, std::size_t index, Event& event);
  void diagnose(const Event& event);
  void drain();
  void meet(std::size_t index, const Event& event);
  void take(std::size_t index, const Event& event);
  std::vector<Ref> references(const Rule& rule) const;
  bool refers_to(const Rule& rule, const Event& event) const;
  bool of_own_class(const Rule& rule, const Event& event) const;
  bool takes_part(const Rule& rule, const Event& event) const;
  std::string key_text(const Rule& rule, const Event& event) const;

  // operations.cpp
  void operate(std::size_t index, const std::string& key, const Event& event);
  void windowed(std::size_t index, const std::string& key, const Event& event);
  void tumble(std::size_t index, const std::string& key, const Event& event);
  void streak(std::size_t index, const std::string& key, const Event& event);
  void sequence(std::size_t index, const std::string& key, const Event& event);
  void answer(std::size_t index, const std::string& key, const Event& event);
  void heartbeat(std::size_t index, const std::string& key, const Event& event);
  void level(std::size_t index, const std::string& key, const Event& event);
  bool enough(const Rule& rule, const std::vector<Pair>& pairs) const;
  std::vector<Pair> interval(const Rule& rule, const std::vector<Pair>& pairs, Time end) const;
  std::optional<Time> smallest_end(const Rule& rule, const std::vector<Pair>& pairs, Time from, Time to) const;
  std::vector<Pair> cut(const Rule& rule, std::vector<Pair> pairs) const;

  // cases.cpp
  bool latches(const Rule& rule) const;
  void fire(std::size_t index, const std::string& key, Time time, const Event& event);
  enum class Closing { quiet, own, start_over };
  void close(std::size_t index, const std::string& key, Time time, Closing how);
  void start_over(std::size_t index, Key& state);
  void afresh(std::size_t index, const std::string& key, Time time);
  void hear(const Rule& rule, Key& state, Time time, std::uint64_t weight);
  bool covered(const Cause& cause, Time time, const Event& event) const;
  bool excused(const Rule& rule, Time time, const Event& event) const;
  std::vector<const Cause*> holding_causes(const Rule& rule) const;
  bool dropped(const Rule& rule, Time time, const Event& event) const;
  void decide(std::size_t index, const std::string& key, Time time, const char* fate);
  void say(std::string text) { out_.push_back(std::move(text)); }
  bool in_context(const std::string& host, Time time) const;

  Spec spec_;
  std::optional<Time> clock_;
  std::uint64_t arrivals_ = 0, cases_ = 0;
  std::vector<std::map<std::string, Key>> keys_;  // by rule
  std::vector<std::map<std::string, Group>> groups_;
  std::vector<Event> seen_;  // every event that met the rules: the causes are looked for here
  std::vector<Waiting> waiting_;
  std::vector<Delayed> delayed_;
  std::map<std::string, Context> contexts_;  // by host
  std::vector<Event> queue_;
  std::vector<std::string> out_;
};

bool matches(const Ref& ref, const Event& event);

// The lines that both engines' answers are compared as.
std::string said_decision(const char* fate, const std::string& rule, const std::string& key, Time time, std::size_t step,
                          bool clearing, const std::string& action);
std::string said_case(bool opened, const std::string& rule, const std::string& key, Time time);

}  // namespace correlator::oracle
