// SPDX-License-Identifier: Apache-2.0
// What the parts of EngineDb share: engine_db.cpp opens and reads, engine_db_write.cpp writes, engine_db_intake.cpp has the intake, engine_db_decisions.cpp reads and drops decisions.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "batch_codec.h"
#include "checkpointer.h"
#include "directory_lock.h"
#include "intake_block.h"
#include "sqlite.h"
#include "store/engine_db.h"
#include "store/spool.h"

namespace correlator::store {

// In the order of engine::StateKind, from 1.
inline constexpr std::array<const char*, 11> kTables = {"",           "live_window", "live_record", "live_group",
                                                        "live_context", "live_timer",  "live_case",   "live_counter",
                                                        "live_engine",  "live_lookup", "live_evidence"};
inline constexpr auto kWindow = static_cast<std::size_t>(engine::StateKind::window);

// What a record takes beside its frame, about: the intake is bounded by the sum.
inline constexpr std::uint64_t kRecordBytes = 40;
inline std::uint64_t intake_size(const IntakeRow& row) { return row.frame.size() + kRecordBytes; }

struct EngineDb::Impl {
  DirectoryLock lock;
  Connection db;
  DbOptions options;
  std::optional<Spool> spool;
  std::uint64_t page_bytes = 0;
  std::uint64_t log_pages = 0;  // counted where there is no checkpointer
  std::optional<Checkpointer> checkpointer;  // declared behind the lock: it ends first
  bool full_sync = false;                    // what PRAGMA synchronous stands at
  bool unsynced = false;                     // something was committed since the last sync
  bool refused = false;                      // the database: what the spool holds waits for it
  bool shown = false;                        // the last batch that was written: it is in the database, and may not be synced
  bool spool_unsynced = false;               // something in the spool was not synced
  bool spool_taken = false;                  // the database has what the spool holds; only the reset is missing
  std::uint64_t intake_bytes = 0;  // added since the last trim
  std::uint64_t last_seq = 0;      // of the newest record in the database
  std::uint64_t last_decided = 0;  // record of the newest decision in it; those of one record are written together
  std::unordered_map<std::string, std::int64_t> streams, owners;
  std::pair<std::string, std::int64_t> last_stream;  // of `streams`
  std::unordered_map<std::int64_t, std::string> owner_names, stream_names;
  std::unordered_map<std::string, Cursor> committed_cursors;  // by stream: what this process knows to stand there
  Statement begin, commit, rollback, insert_intake, insert_block, insert_decision, insert_cursor, insert_rules, insert_meta, insert_note;
  std::array<Statement, kTables.size()> upsert, erase, find;
  Statement read_decisions, find_row, find_block;

  Status prepare();
  Status migrate();
  std::int64_t id_in(const char* table, std::unordered_map<std::string, std::int64_t>& cache, const std::string& name);
  Status prepare_intake();
  bool write_intake(std::span<const IntakeRow> rows, std::uint64_t from);
  bool write_row(const IntakeRow& row);
  bool write_block(const IntakeBlock& block);
  std::int64_t stream_id(const std::string& stream);
  Result<IntakeRow> row_of(const IntakePart& part);
  Status each_part(std::uint64_t after_seq, const std::function<Result<bool>(const IntakePart&)>& visit);
  Result<std::optional<IntakeRow>> find_part(std::uint64_t seq);
  Result<std::uint64_t> before_line_ids(std::uint64_t most);
  std::uint64_t count_intake_bytes();
  bool drop_intake_upto(const std::string& seq, const std::string& rules);
  std::optional<std::int64_t> first_kept_decision(std::uint64_t upto, std::uint64_t taken);
  bool drop_decisions(std::uint64_t upto, std::uint64_t taken);
  bool write_state(std::span<const engine::StateRow> rows);
  bool write_decisions(const std::vector<DecisionRow>& decisions);
  void have_decided(const std::vector<DecisionRow>& decisions);
  bool write_cursors(const std::vector<Cursor>& cursors);
  bool write_rules(const Batch& batch);
  Status write(const Batch& batch, const std::vector<DecisionRow>& decisions, bool sync, std::uint64_t from);
  Status add_to_spool(const Batch& batch, const std::vector<DecisionRow>& decisions, const Status& why);
  bool may_wait_in_spool(const Batch& batch, const std::vector<DecisionRow>& decisions) const;
  Status write_and_show(const Batch& batch, const std::vector<DecisionRow>& decisions, const std::function<void()>& visible);
  Status failed(std::string_view doing);
  void set_sync(bool full);
  Status sync_log();
  Status empty_spool();
  std::uint64_t entries_taken(const std::string& mark) const;
  struct Drained;
  bool has(const SpooledBatch& spooled) const;
  Status take_from_spool(std::string_view entry, Drained& drained);
  Status open_spool(const std::filesystem::path& file);
  bool set_meta(std::string_view name, std::string_view value);
  Result<std::string> meta(std::string_view name);  // empty: not set
  // By id in a table of names; empty if it is not there. nullptr: it cannot be read.
  const std::string* name_of(const char* table, std::unordered_map<std::int64_t, std::string>& cache, std::int64_t id);
  void forget_names();  // after a transaction that may have added some was rolled back
};

}  // namespace correlator::store
