// SPDX-License-Identifier: Apache-2.0
// What a dispatcher of its own process reports (outcomes, probes, contents of lookups) as intake records.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "pipeline/session.h"
#include "store/ledger_db.h"

namespace correlator::pipeline {

class Reports {
 public:
  // `ledger`: the dispatcher's directory. Goes on behind the position that the session's database has; while that cannot be read
  // nothing is taken, or all would be taken again.
  Reports(Session& session, std::filesystem::path ledger);

  // Steps what is new; the caller records it together with position(). Without a dispatcher there is nothing.
  // Returns how many there were.
  std::size_t take();
  void position(std::vector<store::Cursor>& cursors) const;
  // Number of the last decision of the session's database that the dispatcher took over; 0: none, or it cannot be known now.
  std::uint64_t decisions_taken();

 private:
  void step(const store::Report& report);
  bool knows_position();

  Session& session_;
  std::filesystem::path dir_;
  std::optional<store::LedgerDb> ledger_;
  bool positioned_ = false;
  std::string source_;  // identity of the ledger that read_ is a position in
  std::uint64_t read_ = 0;
};

}  // namespace correlator::pipeline
