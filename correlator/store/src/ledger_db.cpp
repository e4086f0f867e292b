// SPDX-License-Identifier: Apache-2.0
#include "store/ledger_db.h"

#include <fmt/format.h>

#include <array>

#include "base/json.h"
#include "ledger_db_impl.h"
#include "ledger_schema.h"

namespace correlator::store {
namespace {

namespace fs = std::filesystem;

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

}  // namespace

JobState parse_job_state(std::string_view text) {
  for (std::size_t i = 0; i < kStates.size(); ++i) {
    if (kStates[i] == text) return static_cast<JobState>(i);
  }
  return JobState::unknown;
}

std::string_view to_string(JobState state) { return kStates[static_cast<std::size_t>(state)]; }

Statement& LedgerDb::Impl::prepared(std::string_view sql) {
  auto found = statements.find(sql);
  if (found == statements.end()) found = statements.emplace(std::string(sql), Statement(db.get(), sql)).first;
  return found->second;
}

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
  if (*version > static_cast<std::int64_t>(kLedgerMigrations.size())) {
    return make_error("E303", fmt::format("{} was written by a newer correlator", file.string()), "install the newer version again");
  }
  for (auto step = static_cast<std::size_t>(*version); step < kLedgerMigrations.size(); ++step) {
    Transaction transaction(impl->db);
    if (!transaction.begun() || impl->db.exec(kLedgerMigrations[step]) != SQLITE_OK ||
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

Status LedgerDb::trim(std::uint64_t most) {
  static constexpr const char* kOver =
      "IN (SELECT decision FROM (SELECT decision, row_number() OVER (PARTITION BY action, state IN ('skipped', 'refused', 'shadow') ORDER BY n DESC) AS newer "
      "FROM job WHERE taken > 0 AND state IN ('done', 'failed', 'timed_out', 'skipped', 'refused', 'shadow')) WHERE newer > ?1)";
  const Unsynced unsynced(impl_->db);
  Impl::Write transaction(*impl_);
  Statement attempts(impl_->db.get(), fmt::format("DELETE FROM attempt WHERE decision {}", kOver));
  Statement jobs(impl_->db.get(), fmt::format("DELETE FROM job WHERE decision {}", kOver));
  const auto n = static_cast<std::int64_t>(most);
  if (!transaction.begun() || attempts.bind(1, n).run() != SQLITE_OK || jobs.bind(1, n).run() != SQLITE_OK || !transaction.commit()) {
    return impl_->db.error("trimming the ledger");
  }
  return {};
}

Result<std::vector<std::string>> LedgerDb::go_back(const std::string& source, const IdAt& id_at) {
  std::vector<std::string> gone;
  Position common;
  Statement jobs(impl_->db.get(), "SELECT taken, decision, state FROM job WHERE source = ?1 AND taken > 0 ORDER BY taken DESC");
  jobs.bind(1, source);
  int code = jobs.step();
  for (; code == SQLITE_ROW; code = jobs.step()) {
    const auto n = static_cast<std::uint64_t>(jobs.integer(0));
    const auto id = id_at(n);
    if (!id) return id.error();
    if (!*id || **id == jobs.text(1)) {
      common = {n, std::string(jobs.text(1))};
      break;
    }
    // Nothing starts before its decision is durable: what did run was restored from elsewhere, and is not touched.
    const JobState state = parse_job_state(jobs.text(2));
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

}  // namespace correlator::store
