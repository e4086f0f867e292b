// SPDX-License-Identifier: Apache-2.0
// What the parts of LedgerDb share: ledger_db.cpp opens and writes, ledger_db_read.cpp answers questions.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "checkpointer.h"
#include "directory_lock.h"
#include "sqlite.h"
#include "store/ledger_db.h"

namespace correlator::store {

JobState parse_job_state(std::string_view text);

inline constexpr const char* kJobColumns =
    "decision, rule, action, argv, document, decided, received, serial, budget, undo_of, state, tries, next_try, pid, reason, "
    "approved_by, confirmed";

struct LedgerDb::Impl {
  DirectoryLock lock;  // one dispatcher
  Connection db;
  LedgerCounters counters;

  // What counts in a transaction that fails in the end has counted: the process is about to stop then.
  void count(const Job& job) {
    if (job.state != JobState::waiting && job.state != JobState::running) ++counters.outcomes[{job.action, job.state}];
  }
  std::optional<Checkpointer> checkpointer;  // behind the connection: it ends first
  bool together = false;                     // a transaction is open that takes all calls
  std::map<std::string, Statement, std::less<>> statements;

  // Prepared once for each text. It must be reset behind its last step.
  Statement& prepared(std::string_view sql);

  class Write;
  bool insert(const Job& job, const std::string& source = {});
  bool write_state(const Job& job);
  bool write_report(const Report& report);
  Result<std::uint64_t> count(Statement& statement, std::string_view doing);
};

// A transaction of its own, or a part of the one that together() has begun.
class LedgerDb::Impl::Write {
 public:
  explicit Write(Impl& ledger) {
    if (!ledger.together) own_.emplace(ledger.db);
  }
  bool begun() const { return !own_ || own_->begun(); }
  bool commit() { return !own_ || own_->commit(); }

 private:
  std::optional<Transaction> own_;
};

}  // namespace correlator::store
