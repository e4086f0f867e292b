// SPDX-License-Identifier: Apache-2.0
// One operation family is one file behind this interface: what it remembers of a key, what an event does to
// that, and when it fires by itself. Cases, causes, steps and decisions are the engine's.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "bindings.h"
#include "decoder.h"
#include "engine/decision.h"
#include "engine/event.h"
#include "key_table.h"
#include "rules/model.h"
#include "trail.h"
#include "window/sliding.h"

namespace correlator::engine {

// What names are worth after the event is gone: its fields with the `let`s of the rule, and those of the
// steps before it.
struct Scene {
  Fields fields;
  std::vector<Fields> bound;
};

// An event that takes part in a rule.
struct Occurrence {
  const Event& event;
  const EventBindings& names;  // with the `let`s of the rule
  const Fields& lets;
  std::uint32_t parts = 0;  // bit i: it matches parts()[i]
};

// A threshold was reached.
struct Hit {
  Timestamp time;         // of the decision
  Timestamp first, last;  // what counted lies in [first, last]
  std::uint64_t have = 0;
  std::string why;                   // without the key
  std::optional<Evidence> evidence;  // none: what the key's trail holds in [first, last]
  std::shared_ptr<Scene> scene;      // none: the event at hand
};

// What an event did to a key.
struct Seen {
  std::optional<Hit> hit;
  bool ends_case = false;  // by the operation's own way to clear
  bool counted = true;     // false: it turned out not to take part
};

// How far a key is, for people.
struct Standing {
  std::uint64_t have = 0, need = 0;
  std::string text;
};

enum class Closing : std::uint8_t {
  quiet,      // pairs from the moment on stay and may fire again
  answered,   // the operation's own way: it knows what stays
  start_over  // an event, a level, a command: nothing stays
};

// What an operation may use of the engine while it works on a key of its rule.
class Desk {
 public:
  virtual ~Desk() = default;
  virtual Timestamp clock() const = 0;
  virtual Timestamp clock_goal() const = 0;  // while timers fire: where the clock is going
  virtual const Options& options() const = 0;  // `late` is longer by what events wait before they come
  virtual EvidenceStore& evidence() = 0;
  virtual Counters& counters() = 0;
  virtual const rules::RuleSet& rules() const = 0;
  virtual const Questions& questions() const = 0;
  virtual const rules::LookupTable* table(std::uint32_t lookup) const = 0;  // stale ones too
  // The timer of a key: one at a time; an earlier deadline replaces a later one.
  virtual void arm(KeyState& key, Timestamp deadline) = 0;
  virtual void fire(KeyState& key, Hit hit) = 0;
  virtual void close(KeyState& key, Timestamp at, Closing how, std::string why) = 0;
  virtual void forget(KeyState& key) = 0;                          // `key` is gone
  virtual KeyState& key(std::span<const expr::Value> values) = 0;  // made if it is not there
  virtual std::vector<KeyState*> keys() = 0;
};

class Operation {
 public:
  virtual ~Operation() = default;

  // The references whose events take part. At most 32.
  const std::vector<const rules::EventRef*>& parts() const { return parts_; }
  // False: `where` of a part is judged in observe(), because it asks for earlier steps.
  virtual bool judges_where() const { return false; }
  // A reference whose events with the same key end a run and close its case; null if there is none.
  virtual const rules::EventRef* broken_by() const { return nullptr; }

  // False: no state of a key is kept beyond case and cooldown.
  virtual bool keeps_keys() const { return true; }
  virtual OpStateMaker state() const { return {}; }

  virtual Seen observe(KeyState& key, const Occurrence& x, Desk& desk) = 0;
  virtual void broken(KeyState&, Desk&) {}
  // A hit of the key became a firing, whose evidence is safe.
  virtual void fired(KeyState&, Desk&) {}
  virtual void on_timer(KeyState&, Timestamp /*deadline*/, Desk&) {}
  // False: deadline() is none for every key, so that a restart need not look at each of a million counts.
  virtual bool has_timers() const { return false; }
  // The deadline of the key's timer, for arming it after a restart; none if none is to be armed.
  virtual std::optional<Timestamp> deadline(const KeyState&, const Desk&) const { return std::nullopt; }
  virtual TimerKind timer_kind() const { return TimerKind::absence; }

  // The rule came into force (its first clock) or an expected lookup changed.
  virtual void in_force(Timestamp /*since*/, Desk&) {}
  virtual bool wants_lookup(std::uint32_t) const { return false; }

  // The rule's own way to close a case when it names none.
  virtual rules::Clear default_clear() const { return {}; }
  virtual bool latches() const { return true; }
  // With `rate`: what the weight has to fall below.
  virtual std::optional<rules::Threshold> clear_below() const { return std::nullopt; }
  // When the case of `key` closes by itself at a fixed time (the end of a bucket).
  virtual std::optional<Timestamp> fixed_end(const KeyState&) const { return std::nullopt; }
  // Puts the kept pairs with a time >= `from` into `into`, of which the `limit` newest stay. Nothing if the operation
  // keeps none.
  virtual void pairs(const KeyState&, Timestamp /*from*/, window::SlidingWindow& /*into*/,
                     std::uint64_t /*limit*/) const {}
  // The case closed; what stays may fire at once.
  virtual std::optional<Hit> closed(KeyState& key, Closing how, Timestamp at, Desk& desk) = 0;

  // How long after its newest event a key without case is of no use any more; none: it never is.
  virtual std::optional<Duration> horizon(const Options& options) const = 0;
  virtual bool idle(const KeyState& key) const = 0;

  virtual Standing standing(const KeyState& key) const = 0;
  virtual std::uint64_t have(const KeyState& key) const { return standing(key).have; }  // without words
  // JSON, or bytes where a million of them are stored. decode() gives false for what encode() of the same kind did not
  // write; earlier versions wrote JSON only.
  virtual void encode(const KeyState& key, const rules::RuleSet& rules, std::string& out) const = 0;
  virtual bool decode(std::string_view text, KeyState& key, Desk& desk) const = 0;
  // Gives back references to evidence that the state itself holds.
  virtual void dispose(KeyState&, EvidenceStore&) const {}

 protected:
  std::vector<const rules::EventRef*> parts_;
};

std::unique_ptr<Operation> make_operation(const rules::Rule& rule);

// The families; each in the file of its name.
std::unique_ptr<Operation> make_each(const rules::Rule& rule);
std::unique_ptr<Operation> make_count(const rules::Rule& rule, const rules::Count& count);
std::unique_ptr<Operation> make_tumbling(const rules::Rule& rule, const rules::Count& count);
std::unique_ptr<Operation> make_rate(const rules::Rule& rule, const rules::Rate& rate);
std::unique_ptr<Operation> make_distinct(const rules::Rule& rule, const rules::Distinct& distinct);
std::unique_ptr<Operation> make_streak(const rules::Rule& rule, const rules::Streak& streak);
std::unique_ptr<Operation> make_sequence(const rules::Rule& rule, const rules::Sequence& sequence);
std::unique_ptr<Operation> make_absence(const rules::Rule& rule, const rules::Absence& absence);
std::unique_ptr<Operation> make_heartbeat(const rules::Rule& rule, const rules::Absence& absence);
std::unique_ptr<Operation> make_group(const rules::Rule& rule, const rules::Group& group);
std::unique_ptr<Operation> make_level(const rules::Rule& rule, const rules::Level& level);
std::unique_ptr<Operation> make_schedule(const rules::Rule& rule, const rules::Schedule& schedule);

// Words of `why`.
std::string ordinal(std::uint64_t n);  // "first" … "twelfth", "13th"
// "10 memory.corrected of 10 in 24h: the first at …, the tenth at …"; the key is put in later, at "{key}".
std::string counted_why(std::uint64_t have, std::string_view what, std::uint64_t need, Duration within,
                        Timestamp first, Timestamp last);
// Items of a list with a separator between them.
inline void append_item(std::string& list, std::string_view separator, std::string_view item) {
  if (!list.empty()) list += separator;
  list += item;
}
std::string class_name(const Event& event, const rules::RuleSet& rules);

// Fields by name, as JSON: states outlive the rule set whose ids they were made with.
Json fields_json(const Fields& fields, const rules::RuleSet& rules);
Fields fields_from(const Json& json, const rules::RuleSet& rules);  // unknown names are left out
Json scene_json(const Scene& scene, const rules::RuleSet& rules);
Scene scene_from(const Json& json, const rules::RuleSet& rules);
Scene scene_of(const Occurrence& x);

}  // namespace correlator::engine
