// SPDX-License-Identifier: Apache-2.0
#include "store/ledger_db.h"

#include <fmt/format.h>

#include <array>
#include <iterator>
#include <map>

#include "base/json.h"
#include "checkpointer.h"
#include "directory_lock.h"
#include "sqlite.h"

namespace correlator::store {
namespace {

namespace fs = std::filesystem;

constexpr std::array kMigrations = {
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

constexpr std::int64_t kKeptReports = 100'000;
constexpr Duration kCheckpointEvery = Duration::milliseconds(500);

// Commits while it lives survive our death and not a power cut.
class Unsynced {
 public:
  explicit Unsynced(Connection& db) : db_(db) { db_.exec("PRAGMA synchronous = NORMAL"); }
  ~Unsynced() { db_.exec("PRAGMA synchronous = FULL"); }
  Unsynced(const Unsynced&) = delete;
  Unsynced& operator=(const Unsynced&) = delete;

 private:
  Connection& db_;
};

constexpr std::array<std::string_view, 9> kStates = {"waiting", "running", "done",    "failed", "timed_out",
                                                     "unknown", "skipped", "refused", "shadow"};

JobState parse_state(std::string_view text) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == text) return static_cast<JobState>(i);
  }
  return JobState::unknown;
}

constexpr const char* kJobColumns =
    "decision, rule, action, argv, document, decided, received, serial, budget, undo_of, state, tries, next_try, pid, reason, "
    "approved_by, confirmed";

Job read_job(const Statement& row) {
  Job job;
  job.decision = row.text(0);
  job.rule = row.text(1);
  job.action = row.text(2);
  if (const auto argv = parse_json(row.text(3)); argv && argv->is_array()) {
    for (const Json& word : *argv) {
      if (word.is_string()) job.argv.push_back(word.get<std::string>());
    }
  }
  job.document = row.text(4);
  job.decided = Timestamp{row.integer(5)};
  job.received = Timestamp{row.integer(6)};
  job.serial = row.text(7);
  job.budget = row.text(8);
  job.undo_of = row.text(9);
  job.state = parse_state(row.text(10));
  job.tries = static_cast<std::uint32_t>(row.integer(11));
  job.next_try = Timestamp{row.integer(12)};
  job.pid = row.integer(13);
  job.reason = row.text(14);
  job.approved_by = row.text(15);
  job.confirmed = row.integer(16) != 0;
  return job;
}

}  // namespace

std::string_view to_string(JobState state) { return kStates[static_cast<std::size_t>(state)]; }

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

Statement& LedgerDb::Impl::prepared(std::string_view sql) {
  auto found = statements.find(sql);
  if (found == statements.end()) found = statements.emplace(std::string(sql), Statement(db.get(), sql)).first;
  return found->second;
}

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

Result<LedgerDb> LedgerDb::open(const fs::path& dir, bool writable, bool alone) {
  std::error_code failure;
  const fs::path file = dir / "dispatch.db";
  if (writable) fs::create_directories(dir, failure);
  if (!writable && !Connection::exists(file.string())) {
    return make_error("E301", fmt::format("there is no ledger in {}", dir.string()), "no dispatcher ever ran on this state directory");
  }
  auto impl = std::make_unique<Impl>();
  if (alone) {
    auto lock = DirectoryLock::take(dir, false, "dispatch.lock");
    if (!lock) return lock.error();
    impl->lock = std::move(*lock);
  }
  auto db = Connection::open(file.string(), writable);
  if (!db) return db.error();
  impl->db = std::move(*db);
  if (!writable) return LedgerDb(std::move(impl));
  // Few writes, each of which a person may later have to rely on: every commit is synced.
  if (impl->db.exec("PRAGMA journal_mode = WAL") != SQLITE_OK || impl->db.exec("PRAGMA synchronous = FULL") != SQLITE_OK) {
    return impl->db.error("opening the ledger");
  }
  const auto version = impl->db.scalar("PRAGMA user_version");
  if (!version) return impl->db.error("reading the schema version");
  if (*version > static_cast<std::int64_t>(kMigrations.size())) {
    return make_error("E303", fmt::format("{} was written by a newer correlator", file.string()), "install the newer version again");
  }
  for (auto step = static_cast<std::size_t>(*version); step < kMigrations.size(); ++step) {
    Transaction transaction(impl->db);
    if (!transaction.begun() || impl->db.exec(kMigrations[step]) != SQLITE_OK ||
        impl->db.exec(fmt::format("PRAGMA user_version = {}", step + 1).c_str()) != SQLITE_OK || !transaction.commit()) {
      return impl->db.error("migrating the ledger");
    }
  }
  if (alone) impl->checkpointer.emplace(impl->db, kCheckpointEvery);
  return LedgerDb(std::move(impl));
}

LedgerDb::LedgerDb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LedgerDb::~LedgerDb() = default;
LedgerDb::LedgerDb(LedgerDb&&) noexcept = default;
LedgerDb& LedgerDb::operator=(LedgerDb&&) noexcept = default;

bool LedgerDb::Impl::insert(const Job& job, const std::string& source) {
  Statement& insert = prepared(fmt::format("INSERT OR IGNORE INTO job ({}, source, taken) VALUES "
                                         "(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11,?12,?13,?14,?15,?16,?17,?18,?19)",
                                         kJobColumns));
  insert.bind(1, job.decision).bind(2, job.rule).bind(3, job.action).bind(4, to_line(Json(job.argv))).bind(5, job.document);
  insert.bind(6, job.decided.us).bind(7, job.received.us).bind(8, job.serial).bind(9, job.budget).bind(10, job.undo_of);
  insert.bind(11, to_string(job.state)).bind(12, std::int64_t{job.tries}).bind(13, job.next_try.us).bind(14, job.pid);
  insert.bind(15, job.reason).bind(16, job.approved_by).bind(17, std::int64_t{job.confirmed ? 1 : 0});
  insert.bind(18, source).bind(19, static_cast<std::int64_t>(job.taken));
  return insert.run() == SQLITE_OK;
}

bool LedgerDb::Impl::write_report(const Report& report) {
  Statement& insert = prepared("INSERT INTO report (kind, time, name, row, result, content) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
  insert.bind(1, static_cast<std::int64_t>(report.kind)).bind(2, report.time.us).bind(3, report.name).bind(4, report.row);
  insert.bind(5, std::int64_t{report.result}).bind(6, report.content);
  if (insert.run() != SQLITE_OK) return false;
  // An engine that has not read for so long begins with what is left.
  Statement& trim = prepared("DELETE FROM report WHERE n <= ?1");
  return trim.bind(1, sqlite3_last_insert_rowid(db.get()) - kKeptReports).run() == SQLITE_OK;
}

Status LedgerDb::together(const std::function<Status()>& inside) {
  if (impl_->together) return inside();
  Transaction transaction(impl_->db);
  if (!transaction.begun()) return impl_->db.error("writing the ledger");
  impl_->together = true;
  const Status status = inside();
  impl_->together = false;
  if (!status.ok()) return status;
  return transaction.commit() ? Status{} : Status(impl_->db.error("writing the ledger"));
}

Result<bool> LedgerDb::add(const Job& job) {
  if (!impl_->insert(job)) return impl_->db.error("writing the ledger");
  const bool added = impl_->db.changes() > 0;
  if (added) impl_->count(job);
  return added;
}

Result<std::vector<bool>> LedgerDb::enter(const std::vector<Job>& jobs, const std::string& source, const Position& position) {
  std::vector<bool> added;
  Impl::Write transaction(*impl_);
  bool ok = transaction.begun();
  for (const Job& job : jobs) {
    ok = ok && impl_->insert(job, source);
    added.push_back(impl_->db.changes() > 0);
  }
  Statement& move = impl_->prepared("INSERT INTO position VALUES (?1, ?2, ?3) ON CONFLICT (source) DO UPDATE SET n = excluded.n, id = excluded.id");
  ok = ok && move.bind(1, source).bind(2, static_cast<std::int64_t>(position.n)).bind(3, position.id).run() == SQLITE_OK;
  if (!ok || !transaction.commit()) return impl_->db.error("writing the ledger");
  for (std::size_t i = 0; i < jobs.size(); ++i) {
    if (added[i]) impl_->count(jobs[i]);
  }
  return added;
}

Result<LedgerDb::Position> LedgerDb::position(const std::string& source) {
  Statement& rows = impl_->prepared("SELECT n, id FROM position WHERE source = ?1");
  rows.bind(1, source);
  const int code = rows.step();
  Position position;
  if (code == SQLITE_ROW) position = {static_cast<std::uint64_t>(rows.integer(0)), std::string(rows.text(1))};
  rows.reset();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return impl_->db.error("reading the ledger");
  return position;
}

Result<std::vector<std::string>> LedgerDb::go_back(const std::string& source, const std::function<Result<std::string>(std::uint64_t)>& id_at) {
  std::vector<std::string> gone;
  Position common;
  Statement jobs(impl_->db.get(), "SELECT taken, decision, state FROM job WHERE source = ?1 AND taken > 0 ORDER BY taken DESC");
  jobs.bind(1, source);
  int code = jobs.step();
  for (; code == SQLITE_ROW; code = jobs.step()) {
    const auto n = static_cast<std::uint64_t>(jobs.integer(0));
    const auto id = id_at(n);
    if (!id) return id.error();
    if (*id == jobs.text(1)) {
      common = {n, *id};
      break;
    }
    // Nothing starts before its decision is durable: what did run was restored from elsewhere, and is not touched.
    const JobState state = parse_state(jobs.text(2));
    const bool never_ran = state == JobState::waiting || state == JobState::running || state == JobState::skipped ||
                           state == JobState::refused || state == JobState::shadow;
    if (never_ran) gone.emplace_back(jobs.text(1));
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) return impl_->db.error("reading the ledger");
  jobs.reset();
  const Status status = together([&]() -> Status {
    Statement remove(impl_->db.get(), "DELETE FROM job WHERE decision = ?1"), attempts(impl_->db.get(), "DELETE FROM attempt WHERE decision = ?1");
    bool ok = enter({}, source, common).ok();
    for (const std::string& decision : gone) {
      ok = ok && remove.bind(1, decision).run() == SQLITE_OK && attempts.bind(1, decision).run() == SQLITE_OK;
    }
    return ok ? Status{} : Status(impl_->db.error("writing the ledger"));
  });
  return status.ok() ? Result<std::vector<std::string>>(std::move(gone)) : status.error();
}

Result<std::string> LedgerDb::identity() {
  Statement rows(impl_->db.get(), "SELECT value FROM meta WHERE name = 'identity'");
  if (rows.step() != SQLITE_ROW) return impl_->db.error("reading the ledger");
  return std::string(rows.text(0));
}

bool LedgerDb::Impl::write_state(const Job& job) {
  Statement& update = prepared("UPDATE job SET state = ?2, tries = ?3, next_try = ?4, pid = ?5, reason = ?6, approved_by = ?7, "
                   "confirmed = ?8 WHERE decision = ?1");
  update.bind(1, job.decision).bind(2, to_string(job.state)).bind(3, std::int64_t{job.tries});
  update.bind(4, job.next_try.us).bind(5, job.pid).bind(6, job.reason).bind(7, job.approved_by);
  update.bind(8, std::int64_t{job.confirmed ? 1 : 0});
  return update.run() == SQLITE_OK;
}

Status LedgerDb::update(const Job& job, const Report* report) {
  Impl::Write transaction(*impl_);
  bool ok = transaction.begun() && impl_->write_state(job);
  if (report != nullptr) ok = ok && impl_->write_report(*report);
  if (!ok || !transaction.commit()) return impl_->db.error("writing the ledger");
  impl_->count(job);
  return {};
}

Status LedgerDb::report(const Report& report) {
  Impl::Write transaction(*impl_);
  if (!transaction.begun() || !impl_->write_report(report) || !transaction.commit()) return impl_->db.error("writing the ledger");
  return {};
}

Status LedgerDb::reports_after(std::uint64_t n, const std::function<bool(Report&&)>& visit) {
  Statement rows(impl_->db.get(), "SELECT n, kind, time, name, row, result, content FROM report WHERE n > ?1 ORDER BY n");
  rows.bind(1, static_cast<std::int64_t>(n));
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    Report report;
    report.n = static_cast<std::uint64_t>(rows.integer(0));
    report.kind = static_cast<Report::Kind>(rows.integer(1));
    report.time = Timestamp{rows.integer(2)};
    report.name = rows.text(3);
    report.row = rows.text(4);
    report.result = static_cast<std::uint32_t>(rows.integer(5));
    report.content = rows.text(6);
    if (!visit(std::move(report))) return {};
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading the ledger");
  return {};
}

Status LedgerDb::begin(const Job& job, const Attempt& attempt) {
  Impl::Write transaction(*impl_);
  Statement& insert = impl_->prepared("INSERT OR REPLACE INTO attempt (decision, number, budget, started, pid) VALUES (?1, ?2, ?3, ?4, 0)");
  insert.bind(1, attempt.decision).bind(2, std::int64_t{attempt.number}).bind(3, job.budget).bind(4, attempt.started.us);
  if (!transaction.begun() || insert.run() != SQLITE_OK || !impl_->write_state(job) || !transaction.commit()) {
    return impl_->db.error("writing the ledger");
  }
  ++impl_->counters.starts[job.action];
  return {};
}

Status LedgerDb::set_pid(const Job& job, const Attempt& attempt) {
  const Unsynced unsynced(impl_->db);
  Impl::Write transaction(*impl_);
  Statement& update = impl_->prepared("UPDATE attempt SET pid = ?3 WHERE decision = ?1 AND number = ?2");
  update.bind(1, attempt.decision).bind(2, std::int64_t{attempt.number}).bind(3, attempt.pid);
  if (!transaction.begun() || update.run() != SQLITE_OK || !impl_->write_state(job) || !transaction.commit()) {
    return impl_->db.error("writing the ledger");
  }
  return {};
}

Status LedgerDb::end(const Job& job, const Attempt& attempt, const Report* report) {
  Impl::Write transaction(*impl_);
  Statement& update = impl_->prepared("UPDATE attempt SET ended = ?3, exit_code = ?4, signal = ?5, timed_out = ?6, output = ?7 "
                   "WHERE decision = ?1 AND number = ?2");
  update.bind(1, attempt.decision).bind(2, std::int64_t{attempt.number}).bind(3, attempt.ended.us);
  update.bind(4, std::int64_t{attempt.exit_code}).bind(5, std::int64_t{attempt.signal});
  update.bind(6, std::int64_t{attempt.timed_out ? 1 : 0}).blob(7, attempt.output);
  bool ok = transaction.begun() && update.run() == SQLITE_OK && impl_->write_state(job);
  if (report != nullptr) ok = ok && impl_->write_report(*report);
  if (!ok || !transaction.commit()) {
    return impl_->db.error("writing the ledger");
  }
  impl_->count(job);
  return {};
}

Result<std::vector<Job>> LedgerDb::open_jobs() {
  std::vector<Job> jobs;
  Statement rows(impl_->db.get(), fmt::format("SELECT {} FROM job WHERE state IN ('waiting', 'running') ORDER BY n", kJobColumns));
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) jobs.push_back(read_job(rows));
  if (code != SQLITE_DONE) return impl_->db.error("reading the ledger");
  return jobs;
}

Result<std::optional<Job>> LedgerDb::find(const std::string& decision) {
  Statement rows(impl_->db.get(), fmt::format("SELECT {} FROM job WHERE decision = ?1", kJobColumns));
  rows.bind(1, decision);
  const int code = rows.step();
  if (code == SQLITE_ROW) return std::optional<Job>(read_job(rows));
  if (code != SQLITE_DONE) return impl_->db.error("reading the ledger");
  return std::optional<Job>{};
}

Status LedgerDb::each_job(const std::function<bool(const Job&)>& visit) {
  Statement rows(impl_->db.get(), fmt::format("SELECT {} FROM job ORDER BY n", kJobColumns));
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    if (!visit(read_job(rows))) return {};
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading the ledger");
  return {};
}

Status LedgerDb::each_attempt(const std::string& decision, const std::function<bool(const Attempt&)>& visit) {
  Statement rows(impl_->db.get(),
                 "SELECT number, started, coalesce(ended, 0), pid, coalesce(exit_code, -1), coalesce(signal, 0), "
                 "coalesce(timed_out, 0), coalesce(output, '') FROM attempt WHERE decision = ?1 ORDER BY number");
  rows.bind(1, decision);
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    Attempt attempt{decision, static_cast<std::uint32_t>(rows.integer(0)), Timestamp{rows.integer(1)}, Timestamp{rows.integer(2)},
                    rows.integer(3), static_cast<int>(rows.integer(4)), static_cast<int>(rows.integer(5)),
                    rows.integer(6) != 0, std::string(rows.text(7))};
    if (!visit(attempt)) return {};
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading the ledger");
  return {};
}

Result<std::uint64_t> LedgerDb::Impl::count(Statement& statement, std::string_view doing) {
  const bool found = statement.step() == SQLITE_ROW;
  const Result<std::uint64_t> count = found ? Result<std::uint64_t>(static_cast<std::uint64_t>(statement.integer(0))) : Result<std::uint64_t>(db.error(doing));
  statement.reset();
  return count;
}

Result<std::uint64_t> LedgerDb::starts(const std::string& budget, Timestamp since) {
  Statement& rows = impl_->prepared("SELECT count(*) FROM attempt WHERE budget = ?1 AND started > ?2");
  rows.bind(1, budget).bind(2, since.us);
  return impl_->count(rows, "counting starts");
}

Result<std::uint64_t> LedgerDb::jobs_of(const std::string& action, Timestamp since) {
  Statement& rows = impl_->prepared("SELECT count(*) FROM job WHERE action = ?1 AND undo_of = '' AND received > ?2 AND state NOT IN ('skipped', 'refused', 'shadow')");
  rows.bind(1, action).bind(2, since.us);
  return impl_->count(rows, "counting jobs");
}

const LedgerCounters& LedgerDb::counters() const { return impl_->counters; }

Result<std::uint64_t> LedgerDb::jobs_in(JobState state) {
  Statement rows(impl_->db.get(), "SELECT count(*) FROM job WHERE state = ?1");
  rows.bind(1, to_string(state));
  return impl_->count(rows, "counting jobs");
}

Result<std::uint64_t> LedgerDb::most_starts(const std::string& budget, Timestamp since) {
  // '0' follows '/': the values of this budget and of no other whose name begins alike.
  Statement rows(impl_->db.get(),
                 "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM attempt WHERE (budget = ?1 OR "
                 "(budget >= ?1 || '/' AND budget < ?1 || '0')) AND started > ?2 GROUP BY budget)");
  rows.bind(1, budget).bind(2, since.us);
  return impl_->count(rows, "counting starts");
}

Result<std::uint64_t> LedgerDb::in_flight(const std::string& budget) {
  Statement& rows = impl_->prepared("SELECT count(*) FROM job WHERE budget = ?1 AND state IN ('running', 'unknown')");
  rows.bind(1, budget);
  return impl_->count(rows, "counting running jobs");
}

}  // namespace correlator::store
