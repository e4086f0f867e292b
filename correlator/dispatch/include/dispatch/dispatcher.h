// SPDX-License-Identifier: Apache-2.0
// The dispatcher: decided actions are entered into the ledger, admitted, started, watched, retried and
// reported.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dispatch/launcher.h"
#include "engine/decision.h"
#include "engine/intake.h"
#include "rules/model.h"
#include "store/engine_db.h"
#include "store/ledger_db.h"
#include "time/clock.h"

namespace correlator::dispatch {

// Begins work that goes on beside ours, and gives what waits for its end.
using Beside = std::function<std::function<Status()>(std::function<Status()>)>;
// A thread for each.
Beside in_a_thread();

struct DispatchOptions {
  std::filesystem::path actions_dir = "/usr/lib/correlator/actions";
  std::filesystem::path
      kill_switch;      // while this file exists nothing is started; default: STATE/stop-actions
  std::filesystem::path output_dir;  // where what scripts say outlives the dispatcher; empty: nowhere
  bool shadow = false;  // every action is only recorded as what would have run
  Duration term_grace = Duration::seconds(5);  // between SIGTERM and SIGKILL
  std::string path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";  // PATH of the scripts
  std::vector<std::pair<std::string, std::string>> environment;  // further variables for the scripts
  Launcher* launcher = &system_launcher();  // what starts them; outlives the dispatcher
  Beside beside = in_a_thread();
  // Of each action: jobs that stay in the ledger that ran, and that did not (store::LedgerDb::trim). No budget or limit may allow more.
  std::uint64_t kept_jobs = 10'000;
};

class Dispatcher {
 public:
  // Takes up what an earlier dispatcher left: processes that still run are waited for, dead ones are retried
  // only if their action is idempotent, else they are `unknown`.
  static Result<Dispatcher> open(store::LedgerDb ledger, std::shared_ptr<const rules::RuleSet> rules,
                                 const Clock& clock, DispatchOptions options);
  ~Dispatcher();
  Dispatcher(Dispatcher&&) noexcept;
  Dispatcher& operator=(Dispatcher&&) noexcept;

  void set_rules(std::shared_ptr<const rules::RuleSet> rules);

  // Durable when it returns. A decision that is in the ledger already is left as it is; one without an
  // action, held or dropped is no job.
  Status submit(const engine::Decision& decision);
  // The same for a decision as the store keeps it. E304 if the document is none.
  Status submit(std::string_view document);
  // Takes over what was read in the engine's database `source` behind our position, in order, believing nothing of it but rule, step, key and what was
  // captured: argv, budget and limits are made of our own rules. One transaction.
  // `durable` makes what was read survive a power cut. It goes on beside our own commit, and nothing starts until it was ok; while it
  // is not, held_back() says why, and each poll() tries again.
  Status submit(const std::vector<store::StoredDecision>& decisions, const std::string& source, std::function<Status()> durable = {});
  const Status& held_back() const;
  // A person's word on an action with `approve`. Says what was done; E404 if not exactly one waits under that id.
  Result<std::string> judge(const std::string& id_prefix, const std::string& who, bool approved);
  // A descriptor that ends the wait of poll() when it is readable.
  void watch(int fd);
  // The way back of an action that was done: a job of its own under the key "DECISION.undo". E403 if there is
  // none.
  Status undo(const std::string& decision);

  // Starts what may start, reads output, ends what is over or out of time; waits up to `wait` for something
  // to happen. Gives the outcomes for the engine.
  Result<std::vector<engine::OutcomeRecord>> poll(Duration wait);
  // Nothing runs, and what waits will not start by itself: it waits for a person (approval, the kill switch).
  bool idle() const;
  std::size_t running() const;
  std::size_t waiting() const;
  // Wakes a poll() that waits, from any thread.
  void wake();

  store::LedgerDb& ledger();

 private:
  struct Impl;
  explicit Dispatcher(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace correlator::dispatch
