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
  return {};
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
  auto position = dispatcher.ledger().position(source_);
  if (!position) return position.error();
  std::vector<store::StoredDecision> decisions;
  auto read = db_->decisions_after(*position, [&](store::StoredDecision&& decision) {
    decisions.push_back(std::move(decision));
    return decisions.size() < kAtOnce;
  });
  if (!read) {
    db_.reset();
    complaint = read.error();
    return {};
  }
  return decisions.empty() ? Status{} : dispatcher.submit(decisions, source_, decisions.back().n);
}

}  // namespace correlator::dispatch
