// SPDX-License-Identifier: Apache-2.0
#include "sqlite.h"

#include <fmt/format.h>

namespace correlator::store {
namespace {

// What a person can do about an SQLite error.
std::string advice(int code, const std::string& path) {
  switch (code & 0xFF) {
    case SQLITE_FULL: return "the disk is full: free some space; nothing that was acknowledged is lost";
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
      return fmt::format("check that {} and its directory belong to the user that runs correlator", path);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fmt::format("another process holds {} locked: find it with `fuser {}`", path, path);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fmt::format("move {0} away and start again, or save what is left with `sqlite3 {0} .recover`", path);
    case SQLITE_IOERR: return "the disk reports an I/O error: see the kernel log";
    default: return {};
  }
}

}  // namespace

Statement::Statement(sqlite3* db, std::string_view sql) {
  sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT, &statement_, nullptr);
}

Statement& Statement::bind(int index, std::int64_t value) {
  sqlite3_bind_int64(statement_, index, value);
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_TRANSIENT,
                      SQLITE_UTF8);
  return *this;
}

Statement& Statement::blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement_, index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(), SQLITE_TRANSIENT);
  return *this;
}

Statement& Statement::lend(int index, std::string_view text) {
  sqlite3_bind_text64(statement_, index, text.data() == nullptr ? "" : text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
  return *this;
}

Statement& Statement::lend_blob(int index, std::string_view bytes) {
  sqlite3_bind_blob64(statement_, index, bytes.data() == nullptr ? "" : bytes.data(), bytes.size(), SQLITE_STATIC);
  return *this;
}

Statement& Statement::null(int index) {
  sqlite3_bind_null(statement_, index);
  return *this;
}

int Statement::run() {
  int code = step();
  while (code == SQLITE_ROW) code = step();
  reset();
  return code == SQLITE_DONE ? SQLITE_OK : code;
}

std::string_view Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_, column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
  return bytes == nullptr ? std::string_view{} : std::string_view{bytes, size};
}

Result<Connection> Connection::open(const std::string& path, bool writable) {
  Connection db;
  db.path_ = path;
  const int flags = (writable ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE : SQLITE_OPEN_READONLY) | SQLITE_OPEN_NOMUTEX;
  const int code = sqlite3_open_v2(path.c_str(), &db.db_, flags, nullptr);
  if (code != SQLITE_OK) {
    return make_error("E301", fmt::format("cannot open {}: {}", path, sqlite3_errstr(code)), advice(code, path));
  }
  sqlite3_extended_result_codes(db.db_, 1);
  sqlite3_busy_timeout(db.db_, 5'000);
  return db;
}

bool Connection::exists(const std::string& path) {
  sqlite3_vfs* files = sqlite3_vfs_find(nullptr);
  int found = 0;
  return files != nullptr && files->xAccess(files, path.c_str(), SQLITE_ACCESS_EXISTS, &found) == SQLITE_OK && found != 0;
}

int Connection::exec(const char* sql) { return sqlite3_exec(db_, sql, nullptr, nullptr, nullptr); }

int Connection::again(const char* sql) {
  auto found = parsed_.find(sql);
  if (found == parsed_.end()) found = parsed_.emplace(sql, Statement(db_, sql)).first;
  return found->second.run();
}

std::optional<std::int64_t> Connection::scalar(std::string_view sql) {
  Statement statement(db_, sql);
  if (statement.step() != SQLITE_ROW) return std::nullopt;
  return statement.integer(0);
}

Diagnostic Connection::error(std::string_view doing) const {
  const int code = sqlite3_extended_errcode(db_);
  const int kind = code & 0xFF;
  const char* known = kind == SQLITE_CORRUPT || kind == SQLITE_NOTADB ? "E304" : "E305";
  return make_error(known, fmt::format("{}: {} ({})", doing, sqlite3_errmsg(db_), path_), advice(code, path_));
}

}  // namespace correlator::store
