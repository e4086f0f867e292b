// SPDX-License-Identifier: Apache-2.0
// Lines as they arrive, through a session: the same steps as a replay, with arrival times, and an answer to each line once
// what it changed is durable (docs/designs/live.md).
#pragma once

#include <poll.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/histogram.h"
#include "base/result.h"
#include "input/live.h"
#include "pipeline/chunk.h"
#include "pipeline/module_counts.h"
#include "pipeline/seen.h"
#include "pipeline/session.h"
#include "pipeline/sync_policy.h"
#include "time/clock.h"
#include "time/zone.h"

namespace correlator::pipeline {

struct LiveOptions {
  Zone zone;                              // of dates without offset
  Duration ahead = Duration::seconds(5);  // a line from further in the future takes its arrival time
  syslog::ParserOptions parser;
  SyncPolicy::Options sync;
  Duration snapshot_every = Duration::seconds(1);  // the state is written behind the intake…
  std::uint64_t snapshot_records = 5000;           // …at the latest after so many records
  Duration tick_every = Duration::seconds(10);     // recorded marks while inputs without marks of their own are empty
  Duration announce_every = Duration::milliseconds(10);  // so that whoever meets a decision awake spends a tenth of a CPU on it at most
  Duration refuse_after = Duration::seconds(8);    // below rsyslog's confirmTimeout
  std::size_t remembered_ids = 1'000'000;          // of the last recorded lines, so that one that comes again is known
};

// The effective time of a line that arrived at `arrival` (semantics.md, section 2).
struct Effective {
  Timestamp time;
  bool undated = false, clamped = false;
};
Effective effective_time(const syslog::Message& message, Timestamp arrival, const Zone& zone, Duration ahead);

// What one input gave since the process began. Each line has one fate; what else is to be said of a line is counted apart.
struct InputCounters {
  std::string name;
  std::uint64_t matched = 0;    // recorded: a pattern of the rules matched
  std::uint64_t marks = 0;      // recorded: they move the clock
  std::uint64_t unmatched = 0;  // answered and forgotten
  std::uint64_t repeated = 0;   // came again under an id that was recorded, and were not counted
  std::uint64_t lines() const { return matched + marks + unmatched + repeated; }
  // Of all lines; malformed: blank, or the beginning of a JSON object that is none.
  std::uint64_t malformed = 0, truncated = 0;
  // Of matched lines: older than the windows reach, from the future and taken at their arrival, without a time, and saying
  // falsely that they are the kernel's.
  std::uint64_t late = 0, future = 0, undated = 0, forged = 0;
  ModuleCounts modules;            // lines by the log daemon's own input, where the frame says which
  std::uint64_t refused = 0;       // answers that were an error
  std::optional<std::uint64_t> lost;  // missing in the source's own numbering, where it has one
  std::optional<Timestamp> last;   // when the last line was read
  Histogram lag;                   // of matched lines: arrival minus their own time; 0 where that is later

  explicit InputCounters(std::string input);
};

// What a running engine counts beside the engine's own counters, over all its inputs; for status.
struct LiveCounters {
  std::uint64_t frames = 0;      // read
  std::uint64_t recorded = 0;    // of them into the intake
  std::uint64_t repeated = 0;    // came again under an id that was recorded, and were not counted
  std::uint64_t refused = 0;     // answered with an error, because nothing could make them durable
  std::uint64_t synced = 0, unsynced = 0;  // commits
};

class Live {
 public:
  // `session` has a database, or nothing is durable. The ids of its last lines are read here.
  Live(Session& session, std::vector<std::unique_ptr<input::LiveSource>> sources, const Clock& clock, LiveOptions options);
  ~Live();

  // Sources go on where the session's cursors say. What is missing there is told, and reading begins with what is there.
  std::vector<Diagnostic> resume();

  // Called with each round in which `fd` is readable.
  void watch(int fd, std::function<void()> ready);
  // Called once a second, and by anybody who has something to say between two lines.
  std::function<void()> each_second;
  // Positions of what is read beside the sources; written with each record.
  std::function<void(std::vector<store::Cursor>&)> positions;
  // Called when decisions have become durable.
  std::function<void()> decided;
  // Called when they can be read in the database, which may be before that: for a reader that syncs what it acts on.
  std::function<void()> visible;
  // Called when a line may decide something, before that is known: outside storms, and not more often than each `announce_every`.
  std::function<void()> soon;

  // Waits up to `wait` for something to happen and does it. False when every source has ended and all they gave is durable.
  // An error only where going on makes no sense.
  Result<bool> round(Duration wait);
  // Rounds until the end or stop(); then what is left is written.
  Status run(const std::function<bool()>& stop);
  // What was stepped by others than the sources is durable when this is true.
  bool record_now();
  // Everything durable and the snapshot up to date.
  Status finish();

  LiveCounters counters() const;
  // Of each input, in their order.
  std::vector<InputCounters> inputs() const;
  // How long it took until what a line changed was durable: of commits that were synced before they returned, and of others.
  const Histogram& commit_latency(bool synced) const { return synced ? synced_commits_ : unsynced_commits_; }
  bool batching() const { return sync_.batching(); }

 private:
  struct Source;
  struct Watch {
    int fd;
    std::function<void()> ready;
  };

  void take(Source& source, const input::LiveFrame& frame, Timestamp now);
  bool step(Source& source, const input::LiveFrame& frame, Timestamp now);
  Line line_of(const Source& source, const input::LiveFrame& frame, const syslog::Message& message, Timestamp now) const;
  void remark(Source& source, const Line& line, const engine::Counters& before);
  bool make_durable(Timestamp now);
  void answer(Source& source, bool accepted);
  void answer_ahead(Source& source, Timestamp now);
  void announce(Timestamp now);
  Status read_from(Source& source, Timestamp now);
  void do_what_is_due(Timestamp now);
  void tick(Timestamp now);
  Duration until_due(Timestamp now) const;
  std::vector<store::Cursor> cursors() const;

  Session& session_;
  const Clock& clock_;
  LiveOptions options_;
  std::vector<std::unique_ptr<Source>> sources_;
  std::vector<Watch> watches_;
  std::vector<pollfd> polled_fds_;  // of a round; kept for their room
  std::vector<Source*> polled_;
  syslog::Parser parser_, kmsg_parser_;
  Matcher::Scratch scratch_;
  std::vector<std::uint32_t> ids_;
  SeenLines seen_;
  SyncPolicy sync_;
  std::uint64_t recorded_ = 0;
  Histogram synced_commits_, unsynced_commits_;
  std::optional<Timestamp> snapshot_at_, second_at_, tick_at_, announced_at_;
  std::uint64_t recorded_at_snapshot_ = 0;
  Source* stuck_ = nullptr;  // its line's record or decision could not be written: nothing more is read
  bool answered_ = false;    // the line at hand was
  Timestamp stuck_since_;
};

}  // namespace correlator::pipeline
