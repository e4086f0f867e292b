// SPDX-License-Identifier: Apache-2.0
// The engine's database as the dispatcher reads it: from the position in its own ledger, which moves in the
// transaction that takes over what was read.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "dispatch/dispatcher.h"
#include "store/engine_db.h"

namespace correlator::dispatch {

class DecisionReader {
 public:
  // `state`: the engine's directory. It is another's: it may not be there yet, be moved away, or not be
  // readable for a while.
  explicit DecisionReader(std::filesystem::path state, store::Files& files = store::system_files()) : state_(std::move(state)), files_(files) {}

  // Before a dispatcher takes the ledger up: after a power cut it may know decisions that the engine's database lost. They are
  // forgotten; gives their ids. Nothing where that database cannot be read now. An error is one of our own ledger.
  Result<std::vector<std::string>> reconcile(store::LedgerDb& ledger);

  // Hands what is new, at most a thousand decisions, to the dispatcher. An error is one of our own ledger;
  // `complaint` is what is wrong with the engine's database now, empty if nothing is: it is looked at again
  // with the next call.
  Status take(Dispatcher& dispatcher, std::optional<Diagnostic>& complaint);

 private:
  Status open();

  std::filesystem::path state_;
  store::Files& files_;
  std::optional<store::EngineDb> db_;
  std::string source_;
  std::optional<std::uint64_t> position_;  // in it, as the ledger has it  // its identity
  std::uint64_t reads_ = 0;
};

}  // namespace correlator::dispatch
