// SPDX-License-Identifier: Apache-2.0
#include "dispatch/decision_reader.h"

#include <vector>

namespace correlator::dispatch {
namespace {

constexpr std::size_t kAtOnce = 1000;
constexpr std::uint64_t kReadsOfOneOpening = 60;

}  // namespace

Status DecisionReader::open() {
  store::DbOptions options;
  options.access = store::Access::read_only;
  auto opened = store::EngineDb::open(state_, options);
  if (!opened) return opened.error();
  auto identity = opened->identity();
  if (!identity) return identity.error();
  db_ = std::move(*opened);
  source_ = std::move(*identity);
  position_.reset();
  return {};
}

Result<std::vector<std::string>> DecisionReader::reconcile(store::LedgerDb& ledger) {
  if (auto status = open(); !status) return std::vector<std::string>{};
  auto position = ledger.position(source_);
  if (!position) return position.error();
  // An older ledger did not note the id.
  if (position->id.empty()) return std::vector<std::string>{};
  const auto there = db_->decision_id(position->n);
  if (!there || !*there || **there == position->id) return std::vector<std::string>{};
  return ledger.go_back(source_, [this](std::uint64_t n) { return db_->decision_id(n); });
}

Status DecisionReader::take(Dispatcher& dispatcher, std::optional<Diagnostic>& complaint) {
  complaint.reset();
  if (++reads_ % kReadsOfOneOpening == 0)
    db_.reset();  // it may have been moved away, and another one made in its place
  if (!db_) {
    if (auto status = open(); !status) {
      complaint = status.error();
      return {};
    }
  }
  // Nobody else moves it: it is read once, which a decision's way to its action is too short for.
  if (!position_) {
    auto position = dispatcher.ledger().position(source_);
    if (!position) return position.error();
    position_ = position->n;
  }
  std::vector<store::StoredDecision> decisions;
  auto read = db_->decisions_after(*position_, [&](store::StoredDecision&& decision) {
    decisions.push_back(std::move(decision));
    return decisions.size() < kAtOnce;
  });
  if (!read) {
    db_.reset();
    complaint = read.error();
    return {};
  }
  const Status status = dispatcher.submit(decisions, source_, [state = state_, files = &files_] { return store::EngineDb::sync_what_is_read(state, *files); });
  if (!status.ok()) {
    position_.reset();
  } else if (!decisions.empty()) {
    position_ = decisions.back().n;
  }
  if (!dispatcher.held_back().ok()) complaint = dispatcher.held_back().error();
  return status;
}

}  // namespace correlator::dispatch
