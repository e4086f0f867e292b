// SPDX-License-Identifier: Apache-2.0
// Rules and streams as the oracle sees them: small structs of its own, made at random, written out as TOML and log lines
// for the real engine.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace correlator::oracle {

using Time = std::int64_t;  // microseconds since 1970
inline constexpr Time kSecond = 1'000'000;
inline constexpr Time kMinute = 60 * kSecond;
inline constexpr Time kHour = 3'600 * kSecond;
inline constexpr Time kDisorder = 5 * kSecond;
inline constexpr Time kLate = 24 * kHour;
inline constexpr std::uint64_t kAny = UINT64_MAX;

struct Event {
  Time time = 0;
  char cls = 'a';  // a, b, c from lines; d from `emit`
  std::string host, dimm;
  std::vector<std::string> parts;  // field `ds`, a list; empty: none
  std::uint64_t weight = 1, v = 0;
  std::string channel;               // "x", "y", "z" or none
  std::string text;                  // message text; empty for synthetic events
  std::vector<std::uint64_t> lines;  // numbers of its lines in the stream
};

// One record of a stream, in order of arrival.
struct Input {
  enum class Kind { line, noise, mark, end, reset, silence, release, reload, restart } kind = Kind::line;
  // What a line is to its decoders: a whole event, a counter that only rises, or a line of a record.
  enum class Form { whole, counter, start, place, part, loose, last } form = Form::whole;
  Event event;             // line; mark and noise: only the time
  std::string id;          // lines of records: what keeps them apart
  std::uint64_t times = 1;  // "message repeated N times: [ … ]"
  bool again = false;      // "last message repeated N times" of this line, instead of the former
  std::size_t rule = 0;    // reset, silence, release
  std::string key;         // of these; empty: every key
  Time lifetime = 0;       // silence
  std::size_t spec = 0;    // reload: which of the world's specs
};
using Stream = std::vector<Input>;

// An event reference: one of the classes, and v below a bound.
struct Ref {
  std::string classes = "a";
  std::uint64_t below = kAny;
  bool same_v = false;  // a step of a sequence: v equal to that of the first step
};

struct Cause {
  Ref ref;
  Time before = 0, after = 0;
  bool same_host = true;
};

struct Step {
  std::string action;
  Time after = 0;
  bool unless_cleared = false;
  Time every = 0;
  std::uint32_t at_most = 1;
  bool lines = false;  // it gets what context "k" of the host collected
};

enum class Op { each, count, tumbling, rate, distinct, streak, sequence, answer, heartbeat, group, above, below, rises, schedule };
enum class Clears { by_default, quiet, event, level, manual, lasts };
enum class KeyOf { host, host_dimm, dimm, parts, host_parts };

struct Member {
  Ref ref;
  std::uint64_t count = 1;
};

// "minute hour * * *" in UTC: every `every` minutes, or at one minute of every hour, or of one.
struct Cron {
  std::uint64_t every = 0;  // 0: at `minute`
  std::uint64_t minute = 0;
  int hour = -1;  // -1: all
};

struct Rule {
  std::string id;
  Op op = Op::count;
  std::vector<Ref> on;  // each, count, tumbling, rate, distinct, streak, levels
  std::uint64_t where_below = kAny;
  int where_context = 0;  // 1: in context "k" of the host, -1: not in it
  KeyOf key = KeyOf::host;
  std::uint64_t n = 1;
  Time within = 0;
  bool weigh_by_v = false;  // count = { weight = "v" }
  bool at_once = false;
  Time cooldown = 0;
  Clears clears = Clears::by_default;
  Time quiet = 0;
  Ref clear_event;
  std::uint64_t clear_below = 0;  // Clears::level: v < this
  Time lasts = 0;                 // Clears::lasts, or beside an event or a level
  bool renewed = false;
  std::uint64_t clear_n = 1;      // rate
  Time clear_within = 0;
  bool distinct_v = false;  // else of dimm
  Ref broken_by;
  std::vector<Ref> steps;
  bool ordered = true;
  Ref after;
  std::vector<Ref> of;
  std::vector<Member> members;
  std::uint64_t bound = 0;
  Cron cron;
  std::vector<Cause> ignore, unless;
  Time hold = 0;
  char emits = 0;  // class
  Time emit_after = 0;
  bool emit_unless_cleared = false;
  bool sets = false, unsets = false;
  Time lifetime = 0;  // of the context that it sets; 0: for ever
  bool set_at_end = false, collect_at_end = false;  // tells what was collected
  bool collects = false, empties = false, renews = false;
  Time collect_for = 0;
  std::size_t keeps = 1'000;
  std::vector<Step> then;
  bool then_clear = false, then_over = false;
};

struct Mute {
  Cause during;
  bool drop = false;
  std::vector<std::string> rules;
};

struct SameError {
  std::string classes = "ab";
  bool by_dimm = false;  // key: host, or host and dimm
  Time within = 0;
};

// One event of several lines. Its fields: v of `start`, dimm of `place`, ds of `part` and `loose`.
struct RecordSpec {
  bool used = false;
  char cls = 'a';
  bool by_id = true;  // same: host and id, or host alone
  Time within = 0;
  std::size_t max_lines = 64;
  bool needs_start = false, needs_place = false;
  bool ready = false;         // as soon as v and dimm are known
  bool early = false;         // as soon as there is an element of ds
  bool weigh_by_v = false;
  bool also = false;          // `start` lines are events of their own as well
  bool ordered = false;       // start, place, parts among them, last
  std::string channel;
};

struct Spec {
  std::vector<Rule> rules;
  std::vector<Mute> mutes;
  std::vector<SameError> groups;  // channels x, y, z, the best first
  RecordSpec record;
  std::uint64_t stale_v = kAny;  // whole lines without channel: stale with this v
};

// The rules in force first, and those that reloads bring.
struct World {
  std::vector<Spec> specs;
  const Spec& first() const { return specs.front(); }
};

}  // namespace correlator::oracle
