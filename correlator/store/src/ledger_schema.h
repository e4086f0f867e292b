// SPDX-License-Identifier: Apache-2.0
// The schema of dispatch.db: each step leads from the version before it to its own, the position in the list.
#pragma once

#include <array>

namespace correlator::store {

inline constexpr std::array kLedgerMigrations = {
    R"sql(
CREATE TABLE job (
  n INTEGER PRIMARY KEY, decision TEXT NOT NULL UNIQUE, rule TEXT NOT NULL, action TEXT NOT NULL, argv TEXT NOT NULL,
  document TEXT NOT NULL, decided INTEGER NOT NULL, received INTEGER NOT NULL, serial TEXT NOT NULL, budget TEXT NOT NULL,
  undo_of TEXT NOT NULL, state TEXT NOT NULL, tries INTEGER NOT NULL, next_try INTEGER NOT NULL, pid INTEGER NOT NULL,
  reason TEXT NOT NULL
) STRICT;
CREATE INDEX job_state ON job (state);
CREATE INDEX job_action ON job (action, received);
CREATE TABLE attempt (
  decision TEXT NOT NULL, number INTEGER NOT NULL, budget TEXT NOT NULL, started INTEGER NOT NULL, ended INTEGER,
  pid INTEGER NOT NULL, exit_code INTEGER, signal INTEGER, timed_out INTEGER, output BLOB,
  PRIMARY KEY (decision, number)
) STRICT;
CREATE INDEX attempt_budget ON attempt (budget, started);
CREATE VIEW actions AS
  SELECT strftime('%Y-%m-%dT%H:%M:%SZ', job.received / 1000000, 'unixepoch') AS at, rule, action, argv, state, tries, reason,
         job.decision, attempt.exit_code, attempt.signal, CAST(attempt.output AS TEXT) AS output
  FROM job LEFT JOIN attempt ON attempt.decision = job.decision AND attempt.number = job.tries ORDER BY job.n;
)sql",
    // 2: a dispatcher of its own: what it has read of the engine's decisions, what the engine is to read of it.
    R"sql(
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
INSERT INTO meta VALUES ('identity', lower(hex(randomblob(16))));
CREATE TABLE position (source TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT;
CREATE TABLE report (
  n INTEGER PRIMARY KEY, kind INTEGER NOT NULL, time INTEGER NOT NULL, name TEXT NOT NULL, row TEXT NOT NULL,
  result INTEGER NOT NULL, content TEXT NOT NULL
) STRICT;
ALTER TABLE job ADD COLUMN approved_by TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN confirmed INTEGER NOT NULL DEFAULT 0;
)sql",
    // 3: which decision of which database a job is, so that the two can be brought together after a power cut.
    R"sql(
ALTER TABLE position ADD COLUMN id TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN source TEXT NOT NULL DEFAULT '';
ALTER TABLE job ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;
)sql",
};

}  // namespace correlator::store
