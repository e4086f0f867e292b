// SPDX-License-Identifier: Apache-2.0
#include "store/procedure_db.h"

#include <fmt/format.h>

#include <map>
#include <set>

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
  std::map<std::string, std::uint64_t, std::less<>> written;  // row: hash of what stands there
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
    out.rows.emplace_back(rows.text(0), rows.text(1));
    impl_->written[out.rows.back().first] = hash64(out.rows.back().second);
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

Status ProcedureDb::commit(const ProcedureBatch& batch) {
  Impl& impl = *impl_;
  impl.db.exec(batch.sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  Transaction transaction(impl.db);
  const auto failed = [&] { return impl.db.error("writing the state of the rules"); };
  if (!transaction.begun()) return failed();
  std::map<std::string, std::uint64_t, std::less<>> now;
  for (const auto& [name, body] : batch.rows) {
    const std::uint64_t hash = hash64(body);
    now[name] = hash;
    const auto before = impl.written.find(name);
    if (before != impl.written.end() && before->second == hash) continue;
    impl.put_row.bind(1, name);
    impl.put_row.blob(2, body);
    if (impl.put_row.run() != SQLITE_OK) return failed();
  }
  for (const auto& [name, hash] : impl.written) {
    if (now.contains(name)) continue;
    impl.drop_row.bind(1, name);
    if (impl.drop_row.run() != SQLITE_OK) return failed();
  }
  if (impl.db.exec("DELETE FROM cursor") != SQLITE_OK) return failed();
  for (const Cursor& c : batch.cursors) {
    impl.put_cursor.bind(1, c.stream).bind(2, c.identity).bind(3, static_cast<std::int64_t>(c.offset)).bind(4, static_cast<std::int64_t>(c.line)).bind(5, c.extra);
    if (impl.put_cursor.run() != SQLITE_OK) return failed();
  }
  for (const WaitingEffect& e : batch.effects) {
    impl.put_effect.blob(1, e.body).bind(2, e.target).bind(3, e.length);
    if (impl.put_effect.run() != SQLITE_OK) return failed();
  }
  if (!transaction.commit()) return failed();
  impl.written = std::move(now);
  return {};
}

Status ProcedureDb::done() {
  impl_->db.exec("PRAGMA synchronous = NORMAL");
  if (impl_->db.exec("DELETE FROM effect") != SQLITE_OK) return impl_->db.error("noting what was done");
  return {};
}

}  // namespace correlator::store
