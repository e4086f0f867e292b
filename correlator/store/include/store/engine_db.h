// SPDX-License-Identifier: Apache-2.0
// engine.db: the intake, the snapshot of the engine's state, decisions with their evidence, input cursors.
// One process writes it (a lock file in the state directory); any number may read. A person can read it with the
// sqlite3 shell: the views are described in this module's README.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/decision.h"
#include "engine/state.h"
#include "store/files.h"
#include "time/timestamp.h"

namespace correlator::store {

// Kinds of intake records, as numbered in the table.
enum class IntakeKind : std::uint8_t { line = 1, mark, rules, lookup, command, outcome, probe, end };

// One intake record as stored. `frame`: the bytes of a line, the hash of a rule set, the content of a lookup … ;
// `extra`: a JSON object with what else the record carries, empty if nothing.
struct IntakeRow {
  std::uint64_t seq = 0;
  IntakeKind kind = IntakeKind::line;
  Timestamp time;
  std::string stream;
  std::uint64_t line_number = 0;
  std::string frame;
  std::string extra;
  std::string line_id;  // identity given upstream; empty: none
};

// Many records with numbers that follow one another, as they are stored: src/intake_block.h says how. Made by EngineDb::pack().
struct IntakeBlock {
  std::uint64_t first = 0, count = 0;
  Timestamp time;
  std::string records, bytes;
};

// How far an input was read when the batch was committed.
struct Cursor {
  std::string stream;    // name of the source
  std::string identity;  // input::FileIdentity, so that another file of the same name is not taken for it
  std::uint64_t offset = 0;  // decompressed bytes
  std::uint64_t line = 0;    // lines before that offset
  std::string extra;         // JSON: what the reader of the stream must remember (archive clock)

  bool operator==(const Cursor&) const = default;
};

// Rule set texts as they were given to the loader.
using RuleTexts = std::vector<std::pair<std::string, std::string>>;  // file name, text

// All that one transaction writes.
struct Batch {
  std::vector<IntakeBlock> blocks;  // records in front of `intake`; for commit() only
  std::vector<IntakeRow> intake;
  std::vector<engine::StateRow> state;  // changed rows; empty while the snapshot stays behind
  std::optional<std::uint64_t> snapshot_seq;  // the state rows are those after this record
  std::vector<engine::Decision> decisions;
  std::vector<Cursor> cursors;
  std::optional<std::pair<std::string, RuleTexts>> rules;  // hash and texts of a rule set not stored before
  std::vector<std::pair<std::string, std::string>> notes;  // by name, for `status`: texts that replace earlier ones
  bool sync = false;  // fsync before returning

  bool empty() const;
  void clear();
  std::uint64_t packed_bytes() const;  // that `blocks` hold
};

// The state after record `seq`; its rows come kind by kind from each_row().
struct Snapshot {
  std::uint64_t seq = 0;  // 0: nothing was ever stored
  std::string rules_hash;
  std::uint64_t evidence_seq = 0;  // what lines up to it say as evidence are rows of the state; those behind it stand in the intake
};
struct BaseSnapshot : Snapshot {
  std::vector<engine::StateRow> rows;
};

struct DecisionFilter {
  std::optional<std::string> rule;
  std::optional<std::string> id_prefix;
  std::optional<Timestamp> from, to;
  std::uint64_t limit = 0;  // 0: all; else the newest ones
};

// Gives rows of evidence that the state refers to and that are none yet; stops at the first error of `write`.
using CarryOver = std::function<Status(const engine::RowVisitor& write)>;

// A decision as the dispatcher reads it.
struct StoredDecision {
  std::uint64_t n = 0;    // in the order in which decisions became durable
  std::string id, rule, action, fate;
  std::uint32_t step = 0;
  Timestamp time;
  std::string document;   // JSON, as printed
  std::string arguments;  // JSON: Decision::parts; empty in databases of schema 2
};

// Decisions that were let go, the oldest first.
struct DroppedDecisions {
  std::uint64_t count = 0;
  std::uint64_t upto = 0;  // number of the newest
  Timestamp newest;        // its time
};

enum class Access { read_only, read_write };

struct DbOptions {
  Access access = Access::read_write;
  bool wait_for_lock = false;  // else a second writer is refused with E302
  std::uint64_t intake_bytes = std::uint64_t{1} << 30;  // bound of the intake kept behind the snapshot
  // Bound of the decisions kept: bytes of their documents. Only those go whose records went from the intake, and that the dispatcher has.
  std::uint64_t decision_bytes = std::uint64_t{256} << 20;
  // Of a database that is made; one that is there keeps its own. Larger pages are fewer system calls for much at a time, and more bytes to sync for
  // a line that is committed alone.
  int page_bytes = 4096;
  // For live running. The spool's size in bytes; 0: none, record() is then commit().
  std::uint64_t spool_bytes = 0;
  // How long a write waits for another process that holds the database locked.
  Duration busy = Duration::seconds(5);
  // Checkpoints in a thread of their own, each so often; 0: checkpoint() is called by the writer.
  Duration checkpoint_every{};
  Files* files = &system_files();  // where the spool is; outlives the database
};

class EngineDb {
 public:
  // Creates the directory and the database where access is read_write; migrates older schemas forward.
  // E301 cannot be opened, E302 another process owns it, E303 written by a newer version, E304 damaged.
  static Result<EngineDb> open(const std::filesystem::path& state_dir, const DbOptions& options = {});
  ~EngineDb();
  EngineDb(EngineDb&&) noexcept;
  EngineDb& operator=(EngineDb&&) noexcept;

  // What waits in `intake` becomes blocks where that is possible: less memory, and little to do at the commit.
  void pack(Batch& batch);
  // All or nothing. E305: full disk, read-only, locked: nothing of the batch is stored and it may be tried again.
  Status commit(const Batch& batch);

  // Intake, decisions and positions, for a line that waits for its answer: what the database cannot take goes to the spool, and
  // is durable one way or the other when this returns ok. E305 if neither can be written: nothing is stored and it may be tried
  // again. Rows of state and rule sets are commit()'s.
  // `visible`: of a batch that is to be synced. Called when others can read what it decided, before the sync: who acts on it syncs it
  // by himself first (sync_what_is_read). Not called where the batch went to the spool.
  // In a storm, where batches without a decision need no sync of their own, they are kept in the spool and brought over many at a time:
  // a transaction each would be the slowest part of a line. Decisions wait for nothing: what stands before them is brought over first.
  Status record(const Batch& batch, const std::function<void()>& visible = {});
  // A line of such a storm before it is known what it decides: it can be answered while that is found out. What it decides is given to
  // record() without the row; whoever starts on what is stored decides it again (last_decided). False: not now, it is record()'s.
  bool set_down(const IntakeRow& row);
  // The record that the newest decision here stands on.
  std::uint64_t last_decided() const;

  // True while the database refuses, and the spool holds what it does not. commit() refuses (E305) until drain() has brought it over.
  bool spooling() const;
  std::uint64_t spooled() const;  // batches in the spool
  std::uint64_t spool_bytes() const;  // that they take,
  std::uint64_t spool_size() const;   // of these
  // Brings over what the spool holds; nothing where it is empty.
  Status drain();
  // Everything committed so far survives a power cut when this returns ok.
  Status sync();
  // The same for a process that only reads: everything in `dir`'s database that can be read now. E305.
  static Status sync_what_is_read(const std::filesystem::path& dir, Files& files = system_files());

  // Runs `inside`; everything it reads is of one moment, whoever writes meanwhile.
  Status reading(const std::function<Status()>& inside);

  Result<Snapshot> snapshot();
  // The snapshot's rows of one kind, in the order of their ids. Stops at the first error of `visit`. E304.
  Status each_row(engine::StateKind kind, const engine::RowVisitor& visit);
  // One of them; none if it is not there. E304.
  Result<std::optional<engine::StateRow>> row(engine::StateKind kind, std::uint64_t id);
  // The snapshot that stands at the beginning of the kept intake: seq 0 and no rows unless older intake was dropped.
  Result<BaseSnapshot> base_snapshot();
  Result<RuleTexts> rules(const std::string& hash);
  Status each_intake(std::uint64_t after_seq, const std::function<bool(IntakeRow&&)>& visit);
  // One record of it; none if it is not there (any more). E304.
  Result<std::optional<IntakeRow>> intake(std::uint64_t seq);
  Result<std::vector<Cursor>> cursors();
  // Documents (JSON text, as printed) in the order in which they were decided.
  Status each_decision(const DecisionFilter& filter, const std::function<bool(std::string_view document)>& visit);
  // The ids of the last `most` lines that had one, oldest first.
  Status each_line_id(std::uint64_t most, const std::function<void(std::string_view)>& visit);
  // Id of the decision with that number; empty if there is none, nullopt if it was dropped.
  Result<std::optional<std::string>> decision_id(std::uint64_t n);
  Result<DroppedDecisions> dropped_decisions();
  // Decisions behind `after`, in their order; for readers.
  Status decisions_after(std::uint64_t after, const std::function<bool(StoredDecision&&)>& visit);
  // A name that no other database has; empty before schema 3. Positions in it mean nothing in another one.
  Result<std::string> identity();
  // Empty if there is no such note.
  Result<std::string> note(std::string_view name);
  // Drops intake beyond `intake_bytes`, keeping a snapshot at the new beginning. Called behind a batch with a snapshot. `carry` is called
  // if something will be dropped, now or the next time: what it gives is the state's from then on. Decisions of what is dropped go beyond `decision_bytes`,
  // those before number `taken()`, the last one that the dispatcher has; without it none.
  Status trim_intake(const CarryOver& carry = nullptr, const std::function<std::uint64_t()>& taken = nullptr);
  // Moves the write-ahead log into the database file if it has more than so many bytes: each page that is written again
  // before is moved once.
  Status checkpoint(std::uint64_t more_than = 0);

 private:
  struct Impl;
  explicit EngineDb(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace correlator::store
