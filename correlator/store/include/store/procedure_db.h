// SPDX-License-Identifier: Apache-2.0
// sec.db: the state of a procedure (rules of SEC), how far its inputs were read, and the effects that were decided and not yet
// carried out. All of it is written in one transaction, so that after a death the three fit together.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "store/engine_db.h"

namespace correlator::store {

// An effect that waits. `length`: how long the file `target` was before; -1 where that means nothing.
struct WaitingEffect {
  std::string body;
  std::string target;
  std::int64_t length = -1;
};

// A part of the state. `same`: as the last batch had it; the body is not given again.
struct ProcedureRow {
  std::string name, body;
  bool same = false;
};

struct ProcedureBatch {
  std::vector<ProcedureRow> rows;       // the whole state; rows of before that are not among them go
  std::vector<Cursor> cursors;          // all of them, likewise
  std::vector<WaitingEffect> effects;   // behind those that still wait
  bool sync = false;                    // survives a power cut when commit() returns
};

class ProcedureDb {
 public:
  // Creates the directory and the database. E301 cannot be opened, E302 another process has it, E303 written by a newer version.
  static Result<ProcedureDb> open(const std::filesystem::path& dir);
  ~ProcedureDb();
  ProcedureDb(ProcedureDb&&) noexcept;
  ProcedureDb& operator=(ProcedureDb&&) noexcept;

  // What the last run left; nothing at the first time.
  Result<ProcedureBatch> load();
  // All or nothing. E305; the next batch is to have the bodies of all its rows then.
  Status commit(const ProcedureBatch& batch);
  // The effects that waited were carried out. Survives the death of the process; a power cut may bring them back.
  Status done();

 private:
  struct Impl;
  explicit ProcedureDb(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace correlator::store
