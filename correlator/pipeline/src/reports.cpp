// SPDX-License-Identifier: Apache-2.0
#include "pipeline/reports.h"

#include "base/json.h"

namespace correlator::pipeline {
namespace {

constexpr const char* kStream = "dispatcher";
constexpr std::size_t kAtOnce = 1000;

}  // namespace

Reports::Reports(Session& session, std::filesystem::path ledger) : session_(session), dir_(std::move(ledger)) { knows_position(); }

bool Reports::knows_position() {
  if (positioned_ || session_.db() == nullptr) return true;
  const auto cursors = session_.db()->cursors();
  if (!cursors) return false;
  for (const store::Cursor& cursor : *cursors) {
    if (cursor.stream == kStream) source_ = cursor.identity, read_ = cursor.offset;
  }
  return positioned_ = true;
}

std::size_t Reports::take() {
  if (!knows_position()) return 0;
  if (!ledger_) {
    auto opened = store::LedgerDb::open(dir_, false);
    if (!opened) return 0;
    auto identity = opened->identity();
    if (!identity) return 0;
    ledger_ = std::move(*opened);
    if (*identity != source_) source_ = *identity, read_ = 0;
  }
  std::size_t taken = 0;
  const Status read = ledger_->reports_after(read_, [&](store::Report&& report) {
    step(report);
    read_ = report.n;
    return ++taken < kAtOnce;
  });
  // A ledger that cannot be read now is looked for again.
  if (!read.ok()) ledger_.reset();
  return taken;
}

void Reports::step(const store::Report& report) {
  switch (report.kind) {
    case store::Report::Kind::outcome:
      return session_.outcome({report.name, static_cast<engine::OutcomeRecord::Result>(report.result), report.time});
    case store::Report::Kind::probe:
      return session_.probe({report.name, report.row, static_cast<engine::ProbeRecord::Result>(report.result), report.content, report.time});
    case store::Report::Kind::lookup: break;
  }
  const auto json = parse_json(report.content);
  if (!json || !json->is_object() || !json->contains("rows")) return;
  engine::LookupRecord lookup;
  lookup.name = report.name;
  lookup.loaded = report.time;
  try {
    lookup.table.hash = json->value("hash", "");
    lookup.table.rows = json->at("rows").get<std::vector<std::vector<std::string>>>();
  } catch (const Json::exception&) {  // rows of another form: not ours
    return;
  }
  session_.lookup(std::move(lookup));
}

std::uint64_t Reports::decisions_taken() {
  if (!ledger_ || session_.db() == nullptr) return 0;
  const auto identity = session_.db()->identity();
  if (!identity || identity->empty()) return 0;
  const auto position = ledger_->position(*identity);
  return position ? position->n : 0;
}

void Reports::position(std::vector<store::Cursor>& cursors) const {
  if (read_ > 0) cursors.push_back({kStream, source_, read_, 0, {}});
}

}  // namespace correlator::pipeline
