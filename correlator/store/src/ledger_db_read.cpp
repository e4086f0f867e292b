// SPDX-License-Identifier: Apache-2.0
// What the ledger is asked.
#include <fmt/format.h>

#include "base/json.h"
#include "ledger_db_impl.h"

namespace correlator::store {
namespace {

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
  job.state = parse_job_state(row.text(10));
  job.tries = static_cast<std::uint32_t>(row.integer(11));
  job.next_try = Timestamp{row.integer(12)};
  job.pid = row.integer(13);
  job.reason = row.text(14);
  job.approved_by = row.text(15);
  job.confirmed = row.integer(16) != 0;
  return job;
}

}  // namespace

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

Result<std::string> LedgerDb::identity() {
  Statement rows(impl_->db.get(), "SELECT value FROM meta WHERE name = 'identity'");
  if (rows.step() != SQLITE_ROW) return impl_->db.error("reading the ledger");
  return std::string(rows.text(0));
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
