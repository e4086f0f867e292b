// SPDX-License-Identifier: Apache-2.0
// The little of SQLite that the databases need, with errors as values. The only file that includes sqlite3.h.
#pragma once

#include <sqlite3.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.h"

namespace correlator::store {

// A prepared statement; reset() between uses. Text is bound as bytes and need not be UTF-8.
class Statement {
 public:
  Statement() = default;
  Statement(sqlite3* db, std::string_view sql);
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(Statement&& other) noexcept : statement_(std::exchange(other.statement_, nullptr)) {}
  Statement& operator=(Statement&& other) noexcept {
    std::swap(statement_, other.statement_);
    return *this;
  }

  explicit operator bool() const { return statement_ != nullptr; }

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);   // TEXT
  Statement& blob(int index, std::string_view bytes);  // BLOB
  // The same without a copy: the bytes stand until run() is over. For rows that come by the thousand.
  Statement& lend(int index, std::string_view text);
  Statement& lend_blob(int index, std::string_view bytes);
  Statement& null(int index);

  // SQLITE_ROW, SQLITE_DONE or an error.
  int step() { return statement_ == nullptr ? SQLITE_ERROR : sqlite3_step(statement_); }
  // Runs to the end and resets; SQLITE_OK or the error.
  int run();
  void reset() { sqlite3_reset(statement_); }

  std::int64_t integer(int column) const { return sqlite3_column_int64(statement_, column); }
  std::string_view text(int column) const;  // also of a BLOB; valid until the next step or reset

 private:
  sqlite3_stmt* statement_ = nullptr;
};

class Connection {
 public:
  Connection() = default;
  ~Connection() {
    parsed_.clear();
    sqlite3_close_v2(db_);
  }
  Connection(Connection&& other) noexcept : db_(std::exchange(other.db_, nullptr)), path_(std::move(other.path_)), parsed_(std::move(other.parsed_)) {}
  Connection& operator=(Connection&& other) noexcept {
    std::swap(db_, other.db_);
    std::swap(path_, other.path_);
    std::swap(parsed_, other.parsed_);
    return *this;
  }

  static Result<Connection> open(const std::string& path, bool writable);
  // Whether there is something to open, as SQLite sees it: an empty file is nothing.
  static bool exists(const std::string& path);

  sqlite3* get() const { return db_; }
  const std::string& path() const { return path_; }
  int exec(const char* sql);
  std::optional<std::int64_t> scalar(std::string_view sql);
  // exec() of a text that comes again and again: it is parsed once.
  int again(const char* sql);
  std::int64_t changes() const { return sqlite3_changes64(db_); }
  // What went wrong last, as a diagnostic with the file and what a person can do about it.
  Diagnostic error(std::string_view doing) const;

 private:
  sqlite3* db_ = nullptr;
  std::string path_;
  std::map<const char*, Statement> parsed_;  // by the address of a literal
};

// BEGIN IMMEDIATE … COMMIT; rolls back unless commit() was reached and held.
class Transaction {
 public:
  explicit Transaction(Connection& db) : db_(db), open_(db.again("BEGIN IMMEDIATE") == SQLITE_OK) {}
  ~Transaction() {
    if (open_) db_.again("ROLLBACK");
  }
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  bool begun() const { return open_; }
  bool commit() {
    if (!open_ || db_.again("COMMIT") != SQLITE_OK) return false;
    open_ = false;
    return true;
  }

 private:
  Connection& db_;
  bool open_;
};

}  // namespace correlator::store
