// SPDX-License-Identifier: Apache-2.0
// engine.db: what a batch writes, the spool, checkpoints. The intake is engine_db_intake.cpp's.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>

#include "base/fault.h"
#include "base/json.h"
#include "engine_db_impl.h"

namespace correlator::store {
namespace {

// Batches of a storm that one transaction brings into the database: its syncs are then a small part of each.
constexpr std::uint64_t kBroughtOverAtOnce = 2000;

void bind_time(Statement& statement, int index, Timestamp time) {
  if (time == Timestamp::min()) {
    statement.null(index);
  } else {
    statement.bind(index, time.us);
  }
}

Status sync_log_of(const std::string& database, Files& files) {
  const std::string log = database + "-wal";
  const int failed = files.sync(log);
  if (failed == 0) return {};
  return make_error("E305", fmt::format("syncing {} failed: {}", log, std::strerror(failed)), "look at the disk that holds it (df, dmesg)");
}

}  // namespace

// What is no longer in the log was synced by the checkpoint that brought it into the database.
Status EngineDb::sync_what_is_read(const std::filesystem::path& dir, Files& files) { return sync_log_of((dir / "engine.db").string(), files); }

bool Batch::empty() const {
  return blocks.empty() && intake.empty() && state.empty() && !snapshot_seq && decisions.empty() && cursors.empty() && !rules && notes.empty();
}

void Batch::clear() { *this = Batch{}; }

std::uint64_t Batch::packed_bytes() const {
  std::uint64_t bytes = 0;
  for (const IntakeBlock& block : blocks) bytes += block.records.size() + block.bytes.size();
  return bytes;
}

std::int64_t EngineDb::Impl::id_in(const char* table, std::unordered_map<std::string, std::int64_t>& cache,
                                   const std::string& name) {
  if (const auto found = cache.find(name); found != cache.end()) return found->second;
  Statement insert(db.get(), fmt::format("INSERT OR IGNORE INTO {} (name) VALUES (?1)", table));
  insert.bind(1, name).run();
  Statement known(db.get(), fmt::format("SELECT id FROM {} WHERE name = ?1", table));
  known.bind(1, name);
  const std::int64_t id = known.step() == SQLITE_ROW ? known.integer(0) : 0;
  if (id != 0) cache.emplace(name, id);  // 0: not now
  return id;
}

bool EngineDb::Impl::write_state(std::span<const engine::StateRow> rows) {
  for (const engine::StateRow& row : rows) {
    const auto kind = static_cast<std::size_t>(row.kind);
    Statement& statement = row.erased ? erase[kind] : upsert[kind];
    statement.bind(1, static_cast<std::int64_t>(row.id));
    if (!row.erased) statement.bind(2, id_in("owner", owners, row.owner)).lend(3, row.key);
    if (!row.erased && kind != kWindow) statement.lend(4, row.body);
    if (!row.erased && kind == kWindow) {
      statement.lend_blob(4, row.body);
      statement.bind(5, static_cast<std::int64_t>(std::min<std::uint64_t>(row.window.have, INT64_MAX)));
      bind_time(statement, 6, row.window.oldest);
      bind_time(statement, 7, row.window.newest);
    }
    if (statement.run() != SQLITE_OK) return false;
  }
  return true;
}

// Those that are there already are passed over: of a batch that comes again because its sync failed.
bool EngineDb::Impl::write_decisions(const std::vector<DecisionRow>& decisions) {
  for (const DecisionRow& d : decisions) {
    if (d.seq <= last_decided) continue;
    insert_decision.bind(1, d.id).bind(2, d.time.us).bind(3, static_cast<std::int64_t>(d.seq)).bind(4, d.rule);
    insert_decision.bind(5, d.key).bind(6, std::int64_t{d.step}).bind(7, d.action).bind(8, d.fate);
    insert_decision.bind(9, d.document).bind(10, d.arguments);
    if (insert_decision.run() != SQLITE_OK) return false;
  }
  return true;
}

bool EngineDb::Impl::write_cursors(const std::vector<Cursor>& cursors) {
  for (const Cursor& c : cursors) {
    // Most commits move none: a row that is the same need not be written, synced and checkpointed each time.
    const auto known = committed_cursors.find(c.stream);
    if (known != committed_cursors.end() && known->second == c) continue;
    insert_cursor.bind(1, c.stream).bind(2, c.identity).bind(3, static_cast<std::int64_t>(c.offset));
    insert_cursor.bind(4, static_cast<std::int64_t>(c.line)).bind(5, c.extra);
    if (insert_cursor.run() != SQLITE_OK) return false;
  }
  return true;
}

bool EngineDb::Impl::set_meta(std::string_view name, std::string_view value) {
  return insert_meta.bind(1, name).bind(2, value).run() == SQLITE_OK;
}

bool EngineDb::Impl::write_rules(const Batch& batch) {
  if (!batch.rules) return true;
  Json files = Json::array();
  for (const auto& [name, text] : batch.rules->second) files.push_back({name, text});
  return insert_rules.bind(1, batch.rules->first).bind(2, to_line(files)).run() == SQLITE_OK &&
         set_meta("rules", batch.rules->first);
}

void EngineDb::Impl::set_sync(bool full) {
  if (full == full_sync) return;
  db.exec(full ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  full_sync = full;
}

// Rolls back. Ids of names that the transaction inserted are not in the tables then: forget what it added.
Status EngineDb::Impl::failed(std::string_view doing) {
  Diagnostic error = db.error(doing);
  if (sqlite3_get_autocommit(db.get()) == 0) rollback.run();
  forget_names();
  committed_cursors.clear();
  return error;
}

void EngineDb::Impl::forget_names() {
  streams.clear();
  last_stream = {};
  owners.clear();
  owner_names.clear();
  stream_names.clear();
}

// One transaction. Records before `from` are passed over.
Status EngineDb::Impl::write(const Batch& batch, const std::vector<DecisionRow>& decisions, bool sync, std::uint64_t from) {
  set_sync(sync);
  if (begin.run() != SQLITE_OK) return failed("writing the state");
  const auto stored = [this](const IntakeBlock& block) { return write_block(block); };
  bool ok = write_rules(batch) && std::all_of(batch.blocks.begin(), batch.blocks.end(), stored) && write_intake(batch.intake, from) && write_state(batch.state) && write_decisions(decisions) &&
            write_cursors(batch.cursors);
  for (const auto& [name, text] : batch.notes) ok = ok && insert_note.bind(1, name).bind(2, text).run() == SQLITE_OK;
  std::uint64_t bytes = intake_bytes;
  for (const IntakeBlock& block : batch.blocks) bytes += block.bytes.size() + block.count * kRecordBytes;
  for (const IntakeRow& row : batch.intake) bytes += row.seq < from ? 0 : intake_size(row);
  if (batch.snapshot_seq) {
    ok = ok && set_meta("snapshot_seq", std::to_string(*batch.snapshot_seq)) && set_meta("intake_bytes", std::to_string(bytes));
  }
  if (ok) fault_point("store.commit.before");
  if (!ok || commit.run() != SQLITE_OK) return failed("writing the state");
  fault_point("store.commit.after");
  for (const Cursor& c : batch.cursors) committed_cursors[c.stream] = c;
  unsynced = !sync;
  intake_bytes = bytes;
  if (!batch.blocks.empty()) last_seq = std::max(last_seq, batch.blocks.back().first + batch.blocks.back().count - 1);
  if (!batch.intake.empty()) last_seq = std::max(last_seq, batch.intake.back().seq);
  have_decided(decisions);
  return {};
}

void EngineDb::Impl::have_decided(const std::vector<DecisionRow>& decisions) {
  for (const DecisionRow& d : decisions) last_decided = std::max(last_decided, d.seq);
}

Status EngineDb::commit(const Batch& batch) {
  if (batch.empty()) return {};
  if (spooling()) {
    return make_error("E305", fmt::format("{} waits for what its spool holds", impl_->db.path()), "see why it cannot be written: `correlator status`");
  }
  if (auto status = drain(); !status) return status;
  return impl_->write(batch, decision_rows(batch.decisions), batch.sync, 0);
}

// Of a storm: lines that decided nothing and need no sync of their own, or the one that syncs those before it.
bool EngineDb::Impl::may_wait_in_spool(const Batch& batch, const std::vector<DecisionRow>& decisions) const {
  if (!spool || !decisions.empty() || batch.intake.empty() || spool->entries() >= kBroughtOverAtOnce) return false;
  return !batch.sync || !spool->empty();
}

Status EngineDb::record(const Batch& batch, const std::function<void()>& visible) {
  if (batch.empty()) return {};
  if (!batch.blocks.empty()) return commit(batch);  // the spool has no room for what may wait for long
  Impl& impl = *impl_;
  const std::vector<DecisionRow> decisions = decision_rows(batch.decisions);
  // What is added to a spool that was taken over would go with its reset.
  if (impl.spool_taken) {
    if (auto reset = impl.empty_spool(); !reset) return reset;
  }
  Status status;
  impl.shown = false;
  if (!spooling()) {
    if (impl.may_wait_in_spool(batch, decisions) && impl.add_to_spool(batch, decisions, {}).ok()) return {};
    status = drain();
    if (impl.spool_taken) return status;  // it could not be emptied, and takes nothing until it is
    if (status.ok()) status = impl.write_and_show(batch, decisions, visible);
    if (status.ok() || !impl.spool) return status;
    // The spool may be in use for long; what was committed just before it must not stay unsynced for so long.
    if (!impl.shown) {
      if (auto synced = impl.sync_log(); !synced) return synced;
    }
  }
  if (auto spooled = impl.add_to_spool(batch, decisions, status); !spooled) return spooled;
  impl.refused = true;
  return {};
}

bool EngineDb::set_down(const IntakeRow& row) {
  Impl& impl = *impl_;
  Batch batch;
  batch.intake.push_back(row);
  // Whatever is amiss is record()'s to mend and to tell.
  if (spooling() || impl.spool_taken || !impl.may_wait_in_spool(batch, {})) return false;
  return impl.add_to_spool(batch, {}, {}).ok();
}

std::uint64_t EngineDb::last_decided() const { return impl_->last_decided; }

// A batch that is to be synced is seen in between, where somebody wants to see it. The log is synced by its name: to change what SQLite
// syncs at a commit is a statement to be parsed each time. A batch whose sync failed is in the database when it comes again.
Status EngineDb::Impl::write_and_show(const Batch& batch, const std::vector<DecisionRow>& decisions, const std::function<void()>& visible) {
  if (auto status = write(batch, decisions, false, last_seq + 1); !status || !batch.sync) return status;
  shown = true;
  if (visible) visible();
  fault_point("store.visible.after");
  return sync_log();
}

// `why` the database does not take it; ok: it is the spool's turn.
Status EngineDb::Impl::add_to_spool(const Batch& batch, const std::vector<DecisionRow>& decisions, const Status& why) {
  const bool sync = batch.sync || refused || !why.ok();
  Status spooled = spool->add(encode_batch(batch, decisions), sync);
  if (spooled.ok()) spool_unsynced = !sync;
  if (spooled.ok() || why.ok()) return spooled;
  Diagnostic both = why.error();
  both.message += fmt::format("; {}", spooled.error().message);
  return both;
}

bool EngineDb::spooling() const { return impl_->refused && impl_->spool && !impl_->spool->empty(); }
std::uint64_t EngineDb::spooled() const { return impl_->spool ? impl_->spool->entries() : 0; }
std::uint64_t EngineDb::spool_bytes() const { return impl_->spool ? impl_->spool->bytes() : 0; }
std::uint64_t EngineDb::spool_size() const { return impl_->spool ? impl_->spool->size() : 0; }

Status EngineDb::Impl::open_spool(const std::filesystem::path& file) {
  auto opened = Spool::open(file, options.spool_bytes, *options.files);
  if (!opened) return opened.error();
  spool.emplace(std::move(*opened));
  return {};
}

Status EngineDb::Impl::empty_spool() {
  spool_taken = true;
  if (auto status = spool->reset(); !status) return status;
  spool_taken = refused = spool_unsynced = false;
  return {};
}

// A commit is in the write-ahead log, and so is all that was committed before it. The log is synced by its name: SQLite itself does
// it only in a transaction, for which the database may be locked or full.
Status EngineDb::Impl::sync_log() {
  if (!unsynced) return {};
  const Status status = sync_log_of(db.path(), *options.files);
  unsynced = !status.ok();
  return status;
}

// "GENERATION ENTRIES": of which spool the database has how many. A commit of it that failed at its sync may be found whole in the log
// after our death, when more was added to the spool meanwhile. Without a number (schema 3 and before): all of them.
std::uint64_t EngineDb::Impl::entries_taken(const std::string& mark) const {
  const std::size_t space = mark.find(' ');
  if (mark.substr(0, space) != std::to_string(spool->generation())) return 0;
  return space == std::string::npos ? spool->entries() : std::strtoull(mark.c_str() + space, nullptr, 10);
}

// What a drain has brought over, true once it is committed.
struct EngineDb::Impl::Drained {
  std::vector<IntakeRow> intake;
  std::vector<DecisionRow> decisions;
};

// Whether the database has a batch already: it was set down by an attempt that failed at its sync, and written later. Its positions are
// old then, and what came between them and the newer ones would be read, and count, once more.
bool EngineDb::Impl::has(const SpooledBatch& spooled) const {
  if (!spooled.batch.intake.empty()) return spooled.batch.intake.back().seq <= last_seq;
  return !spooled.decisions.empty() && spooled.decisions.back().seq <= last_decided;
}

// One batch out of the spool. What the database has is passed over; its records are written with those of the others.
Status EngineDb::Impl::take_from_spool(std::string_view entry, Drained& drained) {
  SpooledBatch spooled;
  if (!decode_batch(entry, spooled)) return make_error("E304", "a batch in the spool cannot be read", "it was written by another version");
  const bool ok = write_decisions(spooled.decisions) && (has(spooled) || write_cursors(spooled.batch.cursors));
  std::move(spooled.batch.intake.begin(), spooled.batch.intake.end(), std::back_inserter(drained.intake));
  std::move(spooled.decisions.begin(), spooled.decisions.end(), std::back_inserter(drained.decisions));
  return ok ? Status{} : Status(db.error("emptying the spool"));
}

Status EngineDb::drain() {
  Impl& impl = *impl_;
  if (!impl.spool || impl.spool->empty()) return {};
  const auto mark = impl.meta("spool_taken");
  if (!mark) return mark.error();
  const std::uint64_t taken = impl.entries_taken(*mark), all = impl.spool->entries();
  impl.committed_cursors.clear();  // the entries' own come one after the other
  if (taken >= all) return impl.empty_spool();
  impl.set_sync(true);
  if (impl.begin.run() != SQLITE_OK) return impl.failed("emptying the spool");
  Impl::Drained drained;
  std::uint64_t number = 0;
  Status status = impl.spool->each([&](std::string_view entry) { return ++number <= taken ? Status{} : impl.take_from_spool(entry, drained); });
  if (status.ok() && !impl.write_intake(drained.intake, impl.last_seq + 1)) status = impl.db.error("emptying the spool");
  if (status.ok() && !impl.set_meta("spool_taken", fmt::format("{} {}", impl.spool->generation(), all))) status = impl.db.error("emptying the spool");
  fault_point("store.drain.before");
  if (!status.ok() || impl.commit.run() != SQLITE_OK) {
    const Status rolled_back = impl.failed("emptying the spool");
    return status.ok() ? rolled_back : status;
  }
  fault_point("store.drain.after");
  for (const IntakeRow& row : drained.intake) {
    impl.intake_bytes += row.seq <= impl.last_seq ? 0 : intake_size(row);
  }
  for (const IntakeRow& row : drained.intake) impl.last_seq = std::max(impl.last_seq, row.seq);
  impl.have_decided(drained.decisions);
  return impl.empty_spool();
}

Status EngineDb::sync() {
  Impl& impl = *impl_;
  if (impl.spool_unsynced) {
    if (auto status = impl.spool->sync(); !status) return status;
    impl.spool_unsynced = false;
  }
  return impl.sync_log();
}

Status EngineDb::checkpoint(std::uint64_t more_than) {
  if (impl_->checkpointer) return {};
  if (more_than > 0 && impl_->log_pages * impl_->page_bytes <= more_than) return {};
  int log = 0, moved = 0;
  // A connection that has not read yet answers OK and moves nothing, so the first checkpoint follows a read.
  impl_->db.scalar("SELECT count(*) FROM meta");
  const int code = sqlite3_wal_checkpoint_v2(impl_->db.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, &log, &moved);
  if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) return impl_->db.error("checkpoint");
  return {};
}

}  // namespace correlator::store
