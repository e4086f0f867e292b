// SPDX-License-Identifier: Apache-2.0
// What the parts of EngineDb share: engine_db.cpp opens and reads, engine_db_write.cpp writes.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "batch_codec.h"
#include "checkpointer.h"
#include "directory_lock.h"
#include "sqlite.h"
#include "store/engine_db.h"
#include "store/spool.h"

namespace correlator::store {

// In the order of engine::StateKind, from 1.
inline constexpr std::array<const char*, 11> kTables = {"",           "live_window", "live_record", "live_group",
                                                        "live_context", "live_timer",  "live_case",   "live_counter",
                                                        "live_engine",  "live_lookup", "live_evidence"};
inline constexpr auto kWindow = static_cast<std::size_t>(engine::StateKind::window);

struct EngineDb::Impl {
  DirectoryLock lock;
  Connection db;
  DbOptions options;
  std::optional<Spool> spool;
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
  std::unordered_map<std::int64_t, std::string> owner_names;
  std::unordered_map<std::string, Cursor> committed_cursors;  // by stream: what this process knows to stand there
  Statement begin, commit, rollback, insert_intake, insert_decision, insert_cursor, insert_rules, insert_meta, insert_note;
  std::array<Statement, kTables.size()> upsert, erase, find;
  Statement read_decisions;

  Status prepare();
  Status migrate();
  std::int64_t id_in(const char* table, std::unordered_map<std::string, std::int64_t>& cache, const std::string& name);
  bool write_intake(const Batch& batch, std::uint64_t from);
  bool write_state(const std::vector<engine::StateRow>& rows);
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
  const std::string* owner_name(std::int64_t id);  // nullptr: it cannot be read
};

}  // namespace correlator::store
