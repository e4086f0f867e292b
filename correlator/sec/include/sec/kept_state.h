// SPDX-License-Identifier: Apache-2.0
// --state DIR: what goes on over several lines survives the end of the process, however it ends. State, places of inputs
// and effects that are decided are written together; only then are the effects carried out.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/procedure.h"
#include "store/procedure_db.h"

namespace correlator::sec {

class KeptState {
 public:
  static Result<KeptState> open(const std::filesystem::path& dir);

  // The state of the last run goes into `engine`. What could not be taken over is in `dropped`.
  void bring_back(engine::Procedure& engine, std::vector<std::string>& dropped) const;
  const store::Cursor* cursor(std::string_view stream) const;
  const std::vector<store::Cursor>& cursors() const { return before_.cursors; }
  // What the last run had decided and not noted as done. Of texts for files that part which does not stand there yet.
  engine::Effects waiting() const;
  // All that was to be known of the last run is known.
  void forget_last_run() { before_ = {}; }

  Status commit(const engine::Procedure& engine, std::vector<store::Cursor> cursors, const engine::Effects& effects);
  // Those effects were carried out.
  Status done() { return db_.done(); }

 private:
  explicit KeptState(store::ProcedureDb db) : db_(std::move(db)) {}
  store::ProcedureDb db_;
  store::ProcedureBatch before_;
  bool all_ = true;  // nothing of the state stands in the database yet, or nobody knows what does
};

}  // namespace correlator::sec
