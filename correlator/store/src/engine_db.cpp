// SPDX-License-Identifier: Apache-2.0
// engine.db: opening, migrating, reading.
#include "store/engine_db.h"

#include <fmt/format.h>

#include <cstdlib>
#include <cstring>

#include "base/json.h"
#include "engine_db_impl.h"
#include "engine_schema.h"

namespace correlator::store {
namespace {

// Called with each commit; the log has so many pages since it was begun anew.
int count_pages(void* pages, sqlite3*, const char*, int now) {
  *static_cast<std::uint64_t*>(pages) = static_cast<std::uint64_t>(now);
  return SQLITE_OK;
}

}  // namespace

namespace fs = std::filesystem;

Status EngineDb::Impl::migrate() {
  const auto version = db.scalar("PRAGMA user_version");
  if (!version) return db.error("reading the schema version");
  if (*version > static_cast<std::int64_t>(kEngineMigrations.size())) {
    return make_error("E303",
                      fmt::format("{} was written by a newer correlator (schema {}, this one knows {})", db.path(),
                                  *version, kEngineMigrations.size()),
                      "install the newer version again, or name another directory with --state");
  }
  if (*version == static_cast<std::int64_t>(kEngineMigrations.size())) return {};
  Transaction transaction(db);  // one for all: the steps together are what a new database begins with
  bool ok = transaction.begun();
  for (auto step = static_cast<std::size_t>(*version); ok && step < kEngineMigrations.size(); ++step) ok = db.exec(kEngineMigrations[step]) == SQLITE_OK;
  ok = ok && db.exec(fmt::format("PRAGMA user_version = {}; PRAGMA application_id = {}", kEngineMigrations.size(), kApplicationId).c_str()) == SQLITE_OK;
  if (!ok || !transaction.commit()) return db.error(fmt::format("migrating to schema {}", kEngineMigrations.size()));
  return {};
}

Status EngineDb::Impl::prepare() {
  sqlite3* handle = db.get();
  insert_decision = Statement(handle,
                              "INSERT INTO decision (id, time, seq, rule, key, step, action, fate, document, arguments) "
                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)");
  begin = Statement(handle, "BEGIN IMMEDIATE");
  commit = Statement(handle, "COMMIT");
  rollback = Statement(handle, "ROLLBACK");
  insert_note = Statement(handle, "INSERT OR REPLACE INTO note VALUES (?1, ?2)");
  insert_cursor = Statement(handle, "INSERT INTO cursor VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (stream) DO UPDATE SET identity = excluded.identity, "
                            "offset = excluded.offset, line = excluded.line, extra = excluded.extra");
  insert_rules = Statement(handle, "INSERT OR IGNORE INTO rule_set VALUES (?1, ?2)");
  insert_meta = Statement(handle, "INSERT OR REPLACE INTO meta VALUES (?1, ?2)");
  for (std::size_t kind = 1; kind < kTables.size(); ++kind) {
    const char* columns = kind == kWindow ? "(id, owner, key, body, have, oldest, newest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                                          : "(id, owner, key, body) VALUES (?1, ?2, ?3, ?4)";
    upsert[kind] = Statement(handle, fmt::format("INSERT OR REPLACE INTO {} {}", kTables[kind], columns));
    erase[kind] = Statement(handle, fmt::format("DELETE FROM {} WHERE id = ?1", kTables[kind]));
    if (!upsert[kind] || !erase[kind]) return db.error("preparing statements");
  }
  if (!insert_decision || !insert_cursor || !insert_rules || !insert_meta || !insert_note ||
      !begin || !commit || !rollback) {
    return db.error("preparing statements");
  }
  return prepare_intake();
}

Result<EngineDb> EngineDb::open(const fs::path& dir, const DbOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  const bool writable = options.access == Access::read_write;
  const fs::path file = dir / "engine.db";
  std::error_code failure;
  if (writable) {
    fs::create_directories(dir, failure);
    auto lock = DirectoryLock::take(dir, options.wait_for_lock);
    if (!lock) return lock.error();
    impl->lock = std::move(*lock);
  } else if (!Connection::exists(file.string())) {
    return make_error("E301", fmt::format("there is no state in {}", dir.string()),
                      "name the directory that was given to run or replay with --state");
  }
  auto db = Connection::open(file.string(), writable);
  if (!db) return db.error();
  impl->db = std::move(*db);
  sqlite3_busy_timeout(impl->db.get(), static_cast<int>(options.busy.us / 1000));
  if (writable) {
    if (impl->db.exec(fmt::format("PRAGMA page_size = {}; PRAGMA journal_mode = WAL", options.page_bytes).c_str()) != SQLITE_OK ||
        impl->db.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = OFF") != SQLITE_OK) {
      return impl->db.error("opening the database");
    }
    if (auto status = impl->migrate(); !status) return status.error();
    if (auto status = impl->prepare(); !status) return status.error();
    const auto page = impl->db.scalar("PRAGMA page_size");
    if (!page) return impl->db.error("opening the database");
    impl->page_bytes = static_cast<std::uint64_t>(*page);
    const auto bytes = impl->meta("intake_bytes");
    if (!bytes) return bytes.error();
    impl->intake_bytes = std::strtoull(bytes->c_str(), nullptr, 10);
    const auto last_decided = impl->db.scalar("SELECT coalesce((SELECT seq FROM decision ORDER BY n DESC LIMIT 1), 0)");
    // What cannot be read is not nothing: what the spool holds would be taken for new.
    if (!last_decided) return impl->db.error("opening the database");
    impl->last_decided = static_cast<std::uint64_t>(*last_decided);
    // The log is there now, and is synced by its name from here on: a power cut must not take the name.
    if (const int error = options.files->sync_directory(dir)) {
      return make_error("E305", fmt::format("syncing {} failed: {}", dir.string(), std::strerror(error)), "look at the disk that holds it (df, dmesg)");
    }
    // What an earlier process committed and did not live to sync is answered for at once when its lines come again.
    impl->unsynced = true;
    if (auto status = impl->sync_log(); !status) return status.error();
    if (options.spool_bytes > 0 || fs::exists(dir / "spool", failure)) {
      if (auto status = impl->open_spool(dir / "spool"); !status) return status.error();
    }
    if (options.checkpoint_every.us > 0) {
      impl->checkpointer.emplace(impl->db, options.checkpoint_every);
    } else {
      sqlite3_wal_hook(impl->db.get(), count_pages, &impl->log_pages);
      // Room for the windows of a commit, whose pages are met again and again. Those of the intake are written once each, full or not.
      if (impl->db.exec("PRAGMA cache_size = -4096") != SQLITE_OK) return impl->db.error("opening the database");
    }
  } else {
    const auto version = impl->db.scalar("PRAGMA user_version");
    if (!version) return impl->db.error("reading the schema version");
    if (*version != static_cast<std::int64_t>(kEngineMigrations.size())) {
      return make_error("E303", fmt::format("{} has schema {}, this correlator reads {}", file.string(), *version, kEngineMigrations.size()),
                        "open it once with the command that writes it, so that it is migrated");
    }
  }
  EngineDb opened(std::move(impl));
  // What an earlier process left in the spool comes first.
  if (auto status = opened.drain(); !status) return status.error();
  return opened;
}

EngineDb::EngineDb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EngineDb::~EngineDb() {
  if (impl_ != nullptr && impl_->options.access == Access::read_write) {
    impl_->checkpointer.reset();
    if (auto status = checkpoint(); !status) return;  // the next writer does it
  }
}
EngineDb::EngineDb(EngineDb&&) noexcept = default;
EngineDb& EngineDb::operator=(EngineDb&&) noexcept = default;

Result<std::string> EngineDb::Impl::meta(std::string_view name) {
  Statement statement(db.get(), "SELECT value FROM meta WHERE name = ?1");
  statement.bind(1, name);
  const int code = statement.step();
  if (code == SQLITE_ROW) return std::string(statement.text(0));
  if (code != SQLITE_DONE) return db.error("reading the state");
  return std::string{};
}

Status EngineDb::reading(const std::function<Status()>& inside) {
  if (impl_->db.exec("BEGIN") != SQLITE_OK) return impl_->db.error("reading the state");
  const Status status = inside();
  impl_->db.exec("COMMIT");
  return status;
}

Result<Snapshot> EngineDb::snapshot() {
  Snapshot snapshot;
  const auto seq = impl_->meta("snapshot_seq"), hash = impl_->meta("rules"), evidence = impl_->meta("evidence_seq");
  for (const auto* value : {&seq, &hash, &evidence}) {
    if (!value->ok()) return value->error();
  }
  snapshot.seq = std::strtoull(seq->c_str(), nullptr, 10);
  snapshot.evidence_seq = std::strtoull(evidence->c_str(), nullptr, 10);
  snapshot.rules_hash = *hash;
  return snapshot;
}

Status EngineDb::each_row(engine::StateKind kind, const engine::RowVisitor& visit) {
  Impl& impl = *impl_;
  Statement rows(impl.db.get(),
                 fmt::format("SELECT id, owner, key, body FROM {} ORDER BY id", kTables[static_cast<std::size_t>(kind)]));
  engine::StateRow row;  // one for all: its texts keep their room
  row.kind = kind;
  std::int64_t owner = -1;
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    row.id = static_cast<std::uint64_t>(rows.integer(0));
    if (const std::int64_t next = rows.integer(1); next != owner) {
      const std::string* name = impl.name_of("owner", impl.owner_names, owner = next);
      if (name == nullptr) return impl.db.error("reading the state");
      row.owner = *name;
    }
    row.key = rows.text(2);
    row.body = rows.text(3);
    if (Status status = visit(row); !status.ok()) return status;
  }
  if (code != SQLITE_DONE) return impl.db.error("reading the state");
  return {};
}

Result<std::optional<engine::StateRow>> EngineDb::row(engine::StateKind kind, std::uint64_t id) {
  Impl& impl = *impl_;
  Statement& find = impl.find[static_cast<std::size_t>(kind)];
  if (!find) {
    find = Statement(impl.db.get(), fmt::format("SELECT owner, key, body FROM {} WHERE id = ?1",
                                                kTables[static_cast<std::size_t>(kind)]));
  }
  find.bind(1, static_cast<std::int64_t>(id));
  std::optional<engine::StateRow> out;
  const int code = find.step();
  if (code == SQLITE_ROW) {
    const std::string* owner = impl.name_of("owner", impl.owner_names, find.integer(0));
    if (owner == nullptr) {
      Diagnostic error = impl.db.error("reading the state");
      find.reset();
      return error;
    }
    out = engine::StateRow{kind, id, *owner, std::string(find.text(1)), std::string(find.text(2)), false};
  }
  find.reset();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return impl.db.error("reading the state");
  return out;
}

Result<BaseSnapshot> EngineDb::base_snapshot() {
  BaseSnapshot snapshot;
  const auto seq = impl_->meta("base_seq"), hash = impl_->meta("base_rules");
  if (!seq || !hash) return seq.ok() ? hash.error() : seq.error();
  snapshot.seq = static_cast<std::uint64_t>(std::strtoull(seq->c_str(), nullptr, 10));
  snapshot.rules_hash = *hash;
  Statement rows(impl_->db.get(), "SELECT kind, id, owner, key, body FROM kept_state WHERE generation = 0 ORDER BY kind, id");
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    engine::StateRow row;
    row.kind = static_cast<engine::StateKind>(rows.integer(0));
    row.id = static_cast<std::uint64_t>(rows.integer(1));
    row.owner = rows.text(2);
    row.key = rows.text(3);
    row.body = rows.text(4);
    snapshot.rows.push_back(std::move(row));
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading the state");
  return snapshot;
}

Result<RuleTexts> EngineDb::rules(const std::string& hash) {
  Statement statement(impl_->db.get(), "SELECT files FROM rule_set WHERE hash = ?1");
  statement.bind(1, hash);
  if (statement.step() != SQLITE_ROW) {
    return make_error("E304", fmt::format("{} holds no rule set {}", impl_->db.path(), hash),
                      "the state database is damaged: move it away and start again, windows begin empty then");
  }
  const auto json = parse_json(statement.text(0));
  RuleTexts texts;
  if (json && json->is_array()) {
    for (const Json& file : *json) {
      const bool pair = file.is_array() && file.size() == 2 && file[0].is_string() && file[1].is_string();
      if (pair) texts.emplace_back(file[0].get<std::string>(), file[1].get<std::string>());
    }
  }
  return texts;
}

Result<std::string> EngineDb::identity() { return impl_->meta("identity"); }

Result<std::string> EngineDb::note(std::string_view name) {
  Statement find(impl_->db.get(), "SELECT text FROM note WHERE name = ?1");
  find.bind(1, name);
  const int code = find.step();
  if (code == SQLITE_ROW) return std::string(find.text(0));
  if (code != SQLITE_DONE) return impl_->db.error("reading the notes");
  return std::string{};
}

Result<std::vector<Cursor>> EngineDb::cursors() {
  std::vector<Cursor> out;
  Statement rows(impl_->db.get(), "SELECT stream, identity, offset, line, extra FROM cursor ORDER BY stream");
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    out.push_back({std::string(rows.text(0)), std::string(rows.text(1)), static_cast<std::uint64_t>(rows.integer(2)),
                   static_cast<std::uint64_t>(rows.integer(3)), std::string(rows.text(4))});
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading the positions");
  return out;
}

}  // namespace correlator::store
