// SPDX-License-Identifier: Apache-2.0
// A session: rules, engine and (where there is a state directory) the store, stepping one record after the other. Live
// input, replay, recorded replay and rule tests all go through it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/engine.h"
#include "pipeline/line.h"
#include "pipeline/matcher.h"
#include "pipeline/profile.h"
#include "rules/model.h"
#include "store/engine_db.h"
#include "syslog/parser.h"

namespace correlator::pipeline {

// What a step gave; called after each record that gave something. Events' and decisions' texts are bytes.
using Sink = std::function<void(const engine::StepOutput&, const rules::RuleSet&)>;

struct SessionOptions {
  engine::Options engine;
  syslog::ParserOptions parser;
  std::shared_ptr<const Matcher> matcher;  // of the same rule set, where the caller has one already
  bool load_lookups = true;                // false: the caller gives them as records
  std::optional<std::string> lookup_root;  // where relative lookup files are looked for; default: beside the rule file
};

class Session {
 public:
  // Without a database nothing outlives the process. With one the state is restored from its snapshot and the intake
  // behind it, and the rule set and changed lookups enter the intake as records.
  static Result<std::unique_ptr<Session>> start(std::shared_ptr<const rules::RuleSet> rules,
                                                std::optional<store::EngineDb> db, SessionOptions options, Sink sink);

  // With the rules that were in force when the state was written, for looking and for commands. E306 if it is empty.
  static Result<std::unique_ptr<Session>> resume(store::EngineDb db, SessionOptions options, Sink sink);

  // Steps a line if it matches a pattern; returns whether it did. `tried`: the candidate patterns, or nothing to find
  // them here. `message`: the parsed frame where the caller already has it.
  // `ahead`: of a line that may be set down before the engine sees it (store::EngineDb::set_down); called when it was, between the two.
  bool line(const Line& line, const syslog::Message& message, std::span<const std::uint32_t> tried, const std::function<void()>& ahead = {});
  bool line(const Line& line);  // parses and scans
  // The same where what matches is known: not empty, from the matcher of this session.
  void matched(const Line& line, const syslog::Message& message, const std::vector<engine::PatternMatch>& matches,
               const std::function<void()>& ahead = {});
  void mark(Timestamp time);
  void end();
  void command(const engine::CommandRecord& command);
  void outcome(const engine::OutcomeRecord& outcome);
  void lookup(engine::LookupRecord lookup);
  void probe(const engine::ProbeRecord& probe);
  // Counts from now on what patterns and rules cost in this session. No more than a look at a pointer where it is not called.
  void start_profile();
  const Profile* profile() const { return profiler_ == nullptr ? nullptr : &profiler_->profile(); }
  // `upto`: number of the last decision that a dispatcher took over, 0 if that is not known; asked when old ones could be dropped. Without it none are.
  void let_decisions_go(std::function<std::uint64_t()> upto) { taken_ = std::move(upto); }
  // With an error the rules in force stay.
  Status reload(std::shared_ptr<const rules::RuleSet> rules);

  // Writes what was stepped since the last commit, with the cursors, in one transaction. Nothing without a database.
  Status commit(std::vector<store::Cursor> cursors = {}, bool sync = false);
  // Where commit() comes seldom: what waits for it takes less room from now on.
  void pack();
  // Records, and decisions of records that were set down before.
  std::uint64_t uncommitted() const { return batch_.blocks.size() + batch_.intake.size() + batch_.decisions.size(); }
  std::uint64_t uncommitted_bytes() const { return uncommitted_bytes_; }  // of the records, about

  // For live running: the intake and what it decided first, the state behind it (docs/designs/live.md).
  // What was stepped since the last record() is durable when this returns ok: in the database or, where there is one, in its
  // spool. What could not be written stays and is tried again with the next call.
  // `visible`: as for store::EngineDb::record.
  Status record(std::vector<store::Cursor> cursors, bool sync, const std::function<void()>& visible = {});
  // Whether record() has a decision to write.
  bool decided() const { return !batch_.decisions.empty(); }
  // The state as it stands, with positions and notes. Nothing while the spool is in use: then it tries to empty it.
  Status snapshot(std::vector<store::Cursor> cursors);
  Status sync();
  // Closes the database: nothing is recorded any more; what the engine holds can still be looked at.
  void close() { db_.reset(); }
  // What can only be mended by a start from what is stored: a text of evidence that could not be read, a reload that could
  // neither be written nor taken back. Nothing is written any more.
  const Status& failure() const;
  // For `status`; written with the next snapshot.
  void note(std::string name, std::string text);
  // The ids of the last `most` recorded lines that had one, oldest first.
  void each_line_id(std::size_t most, const std::function<void(std::string_view)>& visit);

  const engine::Engine& engine() const { return engine_; }
  engine::Engine& engine() { return engine_; }
  const Matcher& matcher() const { return *matcher_; }
  store::EngineDb* db() { return db_ ? &*db_ : nullptr; }
  // What was said while the state was taken over: state that a rule lost, lookups that could not be read.
  const std::vector<std::string>& notes() const { return notes_; }

 private:
  Session(SessionOptions options, Sink sink, std::optional<store::EngineDb> db);
  Status adopt(std::shared_ptr<const rules::RuleSet> rules);
  Status compile(const std::shared_ptr<const rules::RuleSet>& rules);
  Status restore();
  Status decide_what_was_left(std::vector<engine::Decision> decisions);
  Status go_back();
  Status load_lookups();
  Status stored();
  void clear_batch();
  void step(engine::IntakeRecord record, std::optional<store::IntakeRow> row);
  std::uint64_t next_seq() const { return engine_.seq() + 1; }

  SessionOptions options_;
  Sink sink_;
  std::optional<store::EngineDb> db_;
  std::shared_ptr<const rules::RuleSet> rules_;
  std::shared_ptr<const Matcher> matcher_;
  engine::Engine engine_;
  syslog::Parser parser_;
  Matcher::Scratch scratch_;
  std::vector<std::uint32_t> ids_;
  std::vector<engine::PatternMatch> matches_;
  engine::StepOutput output_;
  store::Batch batch_;
  std::uint64_t uncommitted_bytes_ = 0;
  store::Batch snapshot_;  // state that could not be written with the last snapshot, and notes
  std::vector<store::Cursor> written_cursors_;
  std::function<std::uint64_t()> taken_;
  std::vector<std::string> notes_;
  Status failure_;
  std::unique_ptr<Profiler> profiler_;
};

// The engine as it stands in a state directory: its snapshot and the intake behind it. For looking; E306 if nothing was
// ever recorded there. `decided`: gets the decisions of that intake.
Result<engine::Engine> restore_engine(store::EngineDb& db, const SessionOptions& options, std::vector<engine::Decision>* decided = nullptr);

// Steps a recorded intake again (R1). `decisions`: each decision as it comes out. E306 if the state directory is empty.
struct Recorded {
  std::uint64_t records = 0;
  std::uint64_t decisions = 0;
  std::uint64_t different = 0;  // decisions that are not, to the byte, the ones recorded
};
Result<Recorded> replay_recorded(store::EngineDb& db, const SessionOptions& options, const Sink& sink);

}  // namespace correlator::pipeline
