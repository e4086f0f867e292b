// SPDX-License-Identifier: Apache-2.0
#include "store/procedure_db.h"

#include <fmt/format.h>

#include <unordered_map>
#include <utility>

#include "base/hash.h"
#include "directory_lock.h"
#include "sqlite.h"

namespace correlator::store {
namespace {

// "cor2".
constexpr int kApplication = 0x636f7232;
constexpr std::int64_t kSchema = 1;
constexpr const char* kCreate = R"sql(
CREATE TABLE state (name TEXT PRIMARY KEY, body BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE cursor (
  stream TEXT PRIMARY KEY, identity TEXT NOT NULL, offset INTEGER NOT NULL, line INTEGER NOT NULL, extra TEXT NOT NULL
) STRICT;
CREATE TABLE effect (n INTEGER PRIMARY KEY AUTOINCREMENT, body BLOB NOT NULL, target TEXT NOT NULL, length INTEGER NOT NULL) STRICT;
)sql";

}  // namespace

struct ProcedureDb::Impl {
  DirectoryLock lock;
  Connection db;
  Statement put_row, drop_row, put_cursor, put_effect;
  struct Written {
    std::uint64_t hash = 0;   // of what stands there
    std::uint64_t batch = 0;  // that named it last
  };
  std::unordered_map<std::string, Written> written;
  std::uint64_t batch = 0;
  bool unsure = false;  // a batch failed: nobody knows what `written` is worth

  Status write(const ProcedureBatch& batch);
  bool write_rows(const std::vector<ProcedureRow>& rows);
};

ProcedureDb::ProcedureDb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
ProcedureDb::~ProcedureDb() = default;
ProcedureDb::ProcedureDb(ProcedureDb&&) noexcept = default;
ProcedureDb& ProcedureDb::operator=(ProcedureDb&&) noexcept = default;

Result<ProcedureDb> ProcedureDb::open(const std::filesystem::path& dir) {
  std::error_code failure;
  std::filesystem::create_directories(dir, failure);
  auto impl = std::make_unique<Impl>();
  auto lock = DirectoryLock::take(dir, false, "sec.lock");
  if (!lock) return lock.error();
  impl->lock = std::move(*lock);
  auto db = Connection::open((dir / "sec.db").string(), true);
  if (!db) return db.error();
  impl->db = std::move(*db);
  if (impl->db.exec("PRAGMA journal_mode = WAL") != 0) return impl->db.error("preparing the state of the rules");
  const std::int64_t version = impl->db.scalar("PRAGMA user_version").value_or(0);
  if (version > kSchema) {
    return make_error("E303", fmt::format("{} was written by a newer correlator (schema {}, this one knows {})", impl->db.path(), version, kSchema),
                      "install the newer version again, or name another directory with --state");
  }
  if (version == 0) {
    Transaction transaction(impl->db);
    if (!transaction.begun() || impl->db.exec(kCreate) != 0 || impl->db.exec(fmt::format("PRAGMA user_version = {}", kSchema).c_str()) != 0 ||
        impl->db.exec(fmt::format("PRAGMA application_id = {}", kApplication).c_str()) != 0 || !transaction.commit()) {
      return impl->db.error("making the database for the state of the rules");
    }
  }
  sqlite3* handle = impl->db.get();
  impl->put_row = Statement(handle, "INSERT INTO state VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET body = excluded.body");
  impl->drop_row = Statement(handle, "DELETE FROM state WHERE name = ?1");
  impl->put_cursor = Statement(handle, "INSERT INTO cursor VALUES (?1, ?2, ?3, ?4, ?5)");
  impl->put_effect = Statement(handle, "INSERT INTO effect (body, target, length) VALUES (?1, ?2, ?3)");
  if (!impl->put_row || !impl->drop_row || !impl->put_cursor || !impl->put_effect) return impl->db.error("preparing statements");
  return ProcedureDb(std::move(impl));
}

Result<ProcedureBatch> ProcedureDb::load() {
  ProcedureBatch out;
  sqlite3* handle = impl_->db.get();
  int code = 0;
  Statement rows(handle, "SELECT name, body FROM state ORDER BY name");
  while ((code = rows.step()) == SQLITE_ROW) {
    out.rows.push_back({std::string(rows.text(0)), std::string(rows.text(1)), false});
    impl_->written[out.rows.back().name].hash = hash64(out.rows.back().body);
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading the state of the rules");
  Statement cursors(handle, "SELECT stream, identity, offset, line, extra FROM cursor");
  while ((code = cursors.step()) == SQLITE_ROW) {
    out.cursors.push_back({std::string(cursors.text(0)), std::string(cursors.text(1)), static_cast<std::uint64_t>(cursors.integer(2)),
                           static_cast<std::uint64_t>(cursors.integer(3)), std::string(cursors.text(4))});
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading how far the inputs were read");
  Statement effects(handle, "SELECT body, target, length FROM effect ORDER BY n");
  while ((code = effects.step()) == SQLITE_ROW) out.effects.push_back({std::string(effects.text(0)), std::string(effects.text(1)), effects.integer(2)});
  if (code != SQLITE_DONE) return impl_->db.error("reading what waits to be done");
  return out;
}

bool ProcedureDb::Impl::write_rows(const std::vector<ProcedureRow>& rows) {
  if (std::exchange(unsure, false)) {
    if (db.exec("DELETE FROM state") != SQLITE_OK) return false;
    written.clear();
  }
  ++batch;
  for (const ProcedureRow& row : rows) {
    Written& known = written[row.name];
    known.batch = batch;
    const std::uint64_t hash = row.same ? known.hash : hash64(row.body);
    if (known.hash == hash) continue;
    known.hash = hash;
    put_row.bind(1, row.name);
    put_row.blob(2, row.body);
    if (put_row.run() != SQLITE_OK) return false;
  }
  for (auto at = written.begin(); at != written.end();) {
    if (at->second.batch == batch) {
      ++at;
      continue;
    }
    drop_row.bind(1, at->first);
    if (drop_row.run() != SQLITE_OK) return false;
    at = written.erase(at);
  }
  return true;
}

Status ProcedureDb::Impl::write(const ProcedureBatch& given) {
  db.exec(given.sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  Transaction transaction(db);
  const auto failed = [&] { return db.error("writing the state of the rules"); };
  if (!transaction.begun() || !write_rows(given.rows) || db.exec("DELETE FROM cursor") != SQLITE_OK) return failed();
  for (const Cursor& c : given.cursors) {
    put_cursor.bind(1, c.stream).bind(2, c.identity).bind(3, static_cast<std::int64_t>(c.offset)).bind(4, static_cast<std::int64_t>(c.line)).bind(5, c.extra);
    if (put_cursor.run() != SQLITE_OK) return failed();
  }
  for (const WaitingEffect& e : given.effects) {
    put_effect.blob(1, e.body).bind(2, e.target).bind(3, e.length);
    if (put_effect.run() != SQLITE_OK) return failed();
  }
  return transaction.commit() ? Status() : failed();
}

Status ProcedureDb::commit(const ProcedureBatch& batch) {
  Status done = impl_->write(batch);
  impl_->unsure = impl_->unsure || !done.ok();
  return done;
}

Status ProcedureDb::done() {
  impl_->db.exec("PRAGMA synchronous = NORMAL");
  if (impl_->db.exec("DELETE FROM effect") != SQLITE_OK) return impl_->db.error("noting what was done");
  return {};
}

}  // namespace correlator::store
