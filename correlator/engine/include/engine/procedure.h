// SPDX-License-Identifier: Apache-2.0
// Procedure: lines walk through files of rules in order. A step takes a line or a second of the event clock and
// gives effects: what is to be written, started or said. No I/O, no clock of its own.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "pattern/pattern_set.h"
#include "rules/procedure.h"

namespace correlator::engine {

// What a step wants done, in this order.
struct Effect {
  enum class Kind : std::uint8_t {
    say,         // text to the program's own log, at level `number` (1 critical … 6 debug)
    out,         // text to standard output
    file,        // text to the file `target`, which stays open
    file_once,   // the same, and it is closed again
    close_file,
    datagram, close_datagram, stream, close_stream, udp, close_udp, tcp, close_tcp,  // text to the socket `target`
    command,     // start `command` (a line for the shell) or `words`
    add_input, drop_input,
    signal,      // as if this signal had come: target
  };
  Kind kind = Kind::say;
  std::string target;
  std::string text;
  std::string command;
  std::vector<std::string> words;
  std::int64_t number = 0;     // of add_input: the offset, -1 for the end; of a command: the ticket that its end is told with, or 0
  bool feeds = false;          // a command whose standard input is `text`
  bool spawns = false;         // a command whose output lines are events, with the context `target`
};
using Effects = std::vector<Effect>;

// Values of code: text, or nothing for what is undefined.
using ScriptValue = std::optional<std::string>;
// The variables of a match, by number and by name.
struct Bindings {
  std::vector<ScriptValue> numbered;  // 0 is the whole text
  std::vector<std::pair<std::string, ScriptValue>> named;

  const ScriptValue* find(std::string_view name) const;
  void set(std::string_view name, ScriptValue value);
};


inline const ScriptValue* Bindings::find(std::string_view name) const {
  for (const auto& [known, value] : named) {
    if (known == name) return &value;
  }
  if (name.size() > 1 && name.front() == '0') return nullptr;  // $01 is not $1
  std::size_t n = 0;
  for (const char c : name) {
    if (c < '0' || c > '9' || n > 100000) return nullptr;
    n = n * 10 + static_cast<std::size_t>(c - '0');
  }
  return !name.empty() && n < numbered.size() ? &numbered[n] : nullptr;
}

inline void Bindings::set(std::string_view name, ScriptValue value) {
  if (auto* found = const_cast<ScriptValue*>(find(name))) *found = std::move(value);
  else named.emplace_back(name, std::move(value));
}

struct ScriptArgument {
  ScriptValue text;
  Bindings* entry = nullptr;                       // an entry of the match cache, which may be changed
  const std::vector<std::string>* list = nullptr;  // tokens of an event group
  const std::vector<std::int64_t>* times = nullptr;
};
struct ScriptResult {
  bool failed = false;
  std::string error;
  std::vector<ScriptValue> values;
  std::optional<Bindings> fields;           // a function gave a table and nothing else
  std::optional<std::uint32_t> function;    // a function gave a function
};
// Runs the pieces of code that rules bring along. Values go in as data.
class ScriptHost {
 public:
  virtual ~ScriptHost() = default;
  virtual ScriptResult call(std::uint32_t function, std::span<const ScriptArgument> arguments, bool list) = 0;
  // `values` are the elements of the array @main::SEC::_value that the source refers to.
  virtual ScriptResult evaluate(const std::string& source, std::span<const std::string> values, bool list) = 0;
};

// A part of the state as a store keeps it; bytes.
struct SavedRow {
  std::string key, body;
  bool same = false;  // the body is that of the last save(), and is not given again
};

class Procedure {
 public:
  struct Options {
    std::uint32_t buffer_lines = 0;   // 0: as many as the widest pattern asks for
    bool joint_buffer = false;        // lines of all sources in one buffer
    bool internal_contexts = false;   // each line has a context that names its source
    std::uint64_t store_limit = 0;    // lines of an event store; 0: none
    bool quote_description = false;   // %s in a command for the shell is one word
    bool paste_log_text = false;      // log text goes into commands for the shell and into code as it is
    int log_level = 3;
    std::int64_t sweep_every = 1;     // seconds
    bool prefilter = true;
    ScriptHost* scripts = nullptr;
    std::uint64_t (*cpu_time)() = nullptr;  // nanoseconds of CPU used so far, to say what each rule costs; decides nothing
  };

  Procedure(std::shared_ptr<const rules::procedure::ProcedureProgram> program, const Options& options);
  Procedure(Procedure&&) noexcept;
  ~Procedure();

  // The clock. `now` never goes back from call to call; each call happens at that second.
  // The next second that something is due in; nothing while nothing waits.
  std::optional<std::int64_t> next_due() const;
  void sweep(std::int64_t now, Effects& effects);

  struct Input {
    std::string_view source;   // name of the input
    std::string_view context;  // its own context; may be empty
    std::string_view text;
    const std::vector<std::uint32_t>* candidates = nullptr;  // of filter().scan_text(); nullptr: not scanned yet
  };
  void line(std::int64_t now, const Input& input, Effects& effects);

  // Lines that rules made or children wrote. They come before other input.
  bool has_queued() const;
  void next_queued(std::int64_t now, Effects& effects);
  void queue(std::string_view text, std::string_view context);
  // SEC_STARTUP and its like: at once, not behind what is queued.
  void internal_event(std::int64_t now, std::string_view text, std::string_view context, Effects& effects);
  // A script of a rule has ended.
  void script_ended(std::int64_t now, std::int64_t ticket, bool success, Effects& effects);

  // New rules. Files that are the same object as before keep their operations; contexts, variables and events stay.
  void replace(std::shared_ptr<const rules::procedure::ProcedureProgram> program, std::int64_t now, const Options& options);
  void set_log_level(int level);

  // What the block scan looks for; nullptr without prefilter.
  const pattern::PatternSet* filter() const;
  // Some rule looks at every line, so none can be passed over.
  bool asks_every_line() const;
  std::uint32_t buffer_lines() const;
  // Lines that were read and not given to line(), because nothing asks for them.
  void passed(std::uint64_t lines);

  // The second of the last step.
  std::int64_t now() const;
  // The whole state for the next run, whose rules may be others. Operations and action lists are named by what their rule says.
  // `all`: with each body, whatever the last save() gave.
  std::vector<SavedRow> save(bool all = true) const;
  // Into a Procedure that has seen nothing yet. What belongs to rules that changed is dropped; `dropped` says so for people.
  void restore(const std::vector<SavedRow>& rows, std::vector<std::string>& dropped);

  // The whole state for a person to read.
  Json dump(std::int64_t now) const;
  // What each rule cost, in the order of the files; counted where options.cpu_time is given.
  struct RuleCost {
    std::string file;
    std::uint32_t line = 0;
    std::string_view type;  // as SEC names it
    std::string description;
    std::uint64_t met = 0, matches = 0;
    std::uint64_t cpu_ns = 0;
  };
  std::vector<RuleCost> rule_costs() const;

  struct Core;

 private:
  std::unique_ptr<Core> core_;
};

}  // namespace correlator::engine
