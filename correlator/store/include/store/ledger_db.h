// SPDX-License-Identifier: Apache-2.0
// dispatch.db: the ledger of actions. What stands here before a script is started is what makes "at least once under
// one key" true: a job is known before it runs, `running` is committed before the spawn, the process id after it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "time/timestamp.h"

namespace correlator::store {

enum class JobState : std::uint8_t {
  waiting,    // to be started: now, after a retry's pause, or when a budget or a serial turn allows
  running,    //
  done,       // exit code 0
  failed,     // no try is left
  timed_out,  // no try is left and the last one ran out of time
  unknown,    // the dispatcher died meanwhile and the action may not be run twice: a person has to look
  skipped,    // too old, or over its limit
  refused,    // may not run: untrusted evidence, needs approval, the script is missing
  shadow,     // would have run
};
std::string_view to_string(JobState state);

struct Job {
  std::string decision;  // the decision's id: the idempotency key
  std::string rule;
  std::string action;
  std::vector<std::string> argv;
  std::string document;  // JSON for the script's stdin
  Timestamp decided;     // event time of the decision
  Timestamp received;    // wall time
  std::string serial;    // jobs with the same value run one at a time; empty: no limit
  std::string budget;    // name and value of the budget it draws on; empty: none
  std::string undo_of;   // decision that this job undoes
  std::uint64_t taken = 0;  // number of its decision in the engine's database; 0: it was not read there
  std::string approved_by;  // empty: nobody did
  bool confirmed = false;   // the second opinion agreed
  JobState state = JobState::waiting;
  std::uint32_t tries = 0;
  Timestamp next_try;
  std::int64_t pid = 0;
  std::string reason;  // why it is in this state, in words
};

struct Attempt {
  std::string decision;
  std::uint32_t number = 0;  // from 1
  Timestamp started, ended;
  std::int64_t pid = 0;
  int exit_code = -1;  // -1 if it did not exit by itself
  int signal = 0;
  bool timed_out = false;
  std::string output;  // what it said, at most 64 KiB, as bytes
};

// What the engine is to know, in the order in which it happened; it keeps how far it has read.
struct Report {
  std::uint64_t n = 0;
  enum class Kind : std::uint8_t { outcome = 1, probe, lookup } kind = Kind::outcome;
  Timestamp time;
  std::string name;    // decision id; name of the probe or lookup
  std::string row;     // of a probe
  std::uint32_t result = 0;  // engine::OutcomeRecord::Result, engine::ProbeRecord::Result
  std::string content;  // output of a probe; of a lookup its rows as JSON, with the hash
};

// What was written since the ledger was opened, for metrics.
struct LedgerCounters {
  std::map<std::string, std::uint64_t> starts;                             // by action: attempts begun
  std::map<std::pair<std::string, JobState>, std::uint64_t> outcomes;      // by action: jobs that came to an end, and how
};

class LedgerDb {
 public:
  // E301 … E305 as for EngineDb.
  // `alone`: E302 if another process that asked for the same has it open.
  static Result<LedgerDb> open(const std::filesystem::path& state_dir, bool writable = true, bool alone = false);
  ~LedgerDb();
  LedgerDb(LedgerDb&&) noexcept;
  LedgerDb& operator=(LedgerDb&&) noexcept;

  // Each call is one transaction, synced before it returns; `inside` of together() makes one of all the calls in it.
  Status together(const std::function<Status()>& inside);
  // False if a job with that decision id is there already: it is not changed.
  Result<bool> add(const Job& job);
  // `report`, where there is one, is written in the same transaction.
  Status update(const Job& job, const Report* report = nullptr);
  // How far the engine's database was read: a decision's number there, and its id.
  struct Position {
    std::uint64_t n = 0;
    std::string id;
  };
  // Takes over what stands in the engine's database up to `position`: jobs that are not known yet are added. Which ones were.
  // `source`: identity of that database. A position in another one means nothing: then it is 0, and jobs that are known stay.
  Result<std::vector<bool>> enter(const std::vector<Job>& jobs, const std::string& source, const Position& position);
  Result<Position> position(const std::string& source);
  // A power cut took the engine's newest decisions and left them here: back to the newest one that both have. What was entered behind
  // it and never ran is no job any more. `id_at`: the id of a decision in the engine's database, empty if there is none, nullopt if
  // it was dropped there, which it was after this ledger had it. Gives the ids of the jobs that went.
  using IdAt = std::function<Result<std::optional<std::string>>(std::uint64_t)>;
  Result<std::vector<std::string>> go_back(const std::string& source, const IdAt& id_at);
  // Forgets jobs that have ended, but for the newest `most` of each action that ran and the newest `most` that did not: budgets and limits that allow
  // no more than that count as before. Only jobs that enter() took over, because those are never offered again. Not synced.
  Status trim(std::uint64_t most);
  // A name that no other ledger has.
  Result<std::string> identity();
  // `running` and the attempt, before the spawn; then its pid, not synced: after a power cut no process has it; then its end.
  Status begin(const Job& job, const Attempt& attempt);
  Status set_pid(const Job& job, const Attempt& attempt);
  Status end(const Job& job, const Attempt& attempt, const Report* report = nullptr);

  Status report(const Report& report);
  Status reports_after(std::uint64_t n, const std::function<bool(Report&&)>& visit);

  Result<std::vector<Job>> open_jobs();  // waiting and running, in the order in which they came
  Result<std::optional<Job>> find(const std::string& decision);
  Status each_job(const std::function<bool(const Job&)>& visit);
  Status each_attempt(const std::string& decision, const std::function<bool(const Attempt&)>& visit);
  // Starts that count against a budget: of attempts begun after `since`, whatever became of them.
  Result<std::uint64_t> starts(const std::string& budget, Timestamp since);
  // Jobs of an action that were started or are waiting since then: for its `limit`.
  Result<std::uint64_t> jobs_of(const std::string& action, Timestamp since);
  const LedgerCounters& counters() const;
  // Jobs that wait, that run, or whose end nobody knows.
  Result<std::uint64_t> jobs_in(JobState state);
  // The largest number of starts after `since` under one value of a budget ("name" or "name/value").
  Result<std::uint64_t> most_starts(const std::string& budget, Timestamp since);
  // Running or unknown now, under this budget.
  Result<std::uint64_t> in_flight(const std::string& budget);

 private:
  struct Impl;
  explicit LedgerDb(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace correlator::store
