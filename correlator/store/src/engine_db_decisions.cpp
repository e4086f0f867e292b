// SPDX-License-Identifier: Apache-2.0
// engine.db: decisions, read and dropped.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "engine_db_impl.h"

namespace correlator::store {
namespace {

constexpr const char* kDropped = "decisions_dropped";  // meta: how many, the number of the newest, its time

DroppedDecisions dropped_from(const std::string& text) {
  unsigned long long count = 0, upto = 0;
  long long newest = 0;
  if (std::sscanf(text.c_str(), "%llu %llu %lld", &count, &upto, &newest) != 3) return {};
  return {count, upto, Timestamp{newest}};
}

}  // namespace

Status EngineDb::decisions_after(std::uint64_t after, const std::function<bool(StoredDecision&&)>& visit) {
  Statement& rows = impl_->read_decisions;
  if (!rows) rows = Statement(impl_->db.get(), "SELECT n, id, rule, action, fate, step, time, document, arguments FROM decision WHERE n > ?1 ORDER BY n");
  rows.bind(1, static_cast<std::int64_t>(after));
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    StoredDecision decision;
    decision.n = static_cast<std::uint64_t>(rows.integer(0));
    decision.id = rows.text(1);
    decision.rule = rows.text(2);
    decision.action = rows.text(3);
    decision.fate = rows.text(4);
    decision.step = static_cast<std::uint32_t>(rows.integer(5));
    decision.time = Timestamp{rows.integer(6)};
    decision.document = rows.text(7);
    decision.arguments = rows.text(8);
    if (!visit(std::move(decision))) {
      rows.reset();
      return {};
    }
  }
  const Status status = code == SQLITE_DONE ? Status{} : Status(impl_->db.error("reading the decisions"));
  rows.reset();
  return status;
}

Result<std::optional<std::string>> EngineDb::decision_id(std::uint64_t n) {
  Statement find(impl_->db.get(), "SELECT id FROM decision WHERE n = ?1");
  find.bind(1, static_cast<std::int64_t>(n));
  const int code = find.step();
  if (code == SQLITE_ROW) return std::optional(std::string(find.text(0)));
  if (code != SQLITE_DONE) return impl_->db.error("reading the decisions");
  const auto dropped = dropped_decisions();
  if (!dropped) return dropped.error();
  return n <= dropped->upto ? std::nullopt : std::optional(std::string{});
}

Status EngineDb::each_decision(const DecisionFilter& filter, const std::function<bool(std::string_view)>& visit) {
  Statement rows(impl_->db.get(),
                 "SELECT document FROM (SELECT n, document FROM decision WHERE (?1 = '' OR rule = ?1) "
                 "AND (?2 = '' OR substr(id, 1, length(?2)) = ?2) AND time >= ?3 AND time <= ?4 "
                 "ORDER BY n DESC LIMIT ?5) ORDER BY n");
  rows.bind(1, filter.rule.value_or("")).bind(2, filter.id_prefix.value_or(""));
  rows.bind(3, filter.from.value_or(Timestamp::min()).us).bind(4, filter.to.value_or(Timestamp::max()).us);
  rows.bind(5, filter.limit == 0 ? std::int64_t{-1} : static_cast<std::int64_t>(filter.limit));
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    if (!visit(rows.text(0))) return {};
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading the decisions");
  return {};
}

Result<DroppedDecisions> EngineDb::dropped_decisions() {
  const auto text = impl_->meta(kDropped);
  if (!text) return text.error();
  return dropped_from(*text);
}

// The number from which on decisions stay: those whose documents fit the bound, newest first, and all that `upto` and `taken` do not let go. Never
// the newest: it tells a start what was decided, and the numbers go on behind it.
std::optional<std::int64_t> EngineDb::Impl::first_kept_decision(std::uint64_t upto, std::uint64_t taken) {
  Statement sizes(db.get(), "SELECT n, length(CAST(document AS BLOB)) + length(CAST(arguments AS BLOB)) FROM decision ORDER BY n DESC");
  std::uint64_t bytes = 0;
  std::int64_t newest = 0, first = 0;
  int code = sizes.step();
  for (; code == SQLITE_ROW && first == 0; code = sizes.step()) {
    newest = std::max(newest, sizes.integer(0));
    bytes += static_cast<std::uint64_t>(sizes.integer(1));
    if (bytes > options.decision_bytes) first = sizes.integer(0) + 1;
  }
  if (code != SQLITE_ROW && code != SQLITE_DONE) return std::nullopt;
  const auto behind = db.scalar(fmt::format("SELECT coalesce((SELECT n FROM decision WHERE seq > {} ORDER BY n LIMIT 1), {})", upto, INT64_MAX));
  if (!behind) return std::nullopt;
  return std::min({first, newest, *behind, static_cast<std::int64_t>(std::min<std::uint64_t>(taken, INT64_MAX))});
}

// The oldest decisions go, within the caller's transaction: of records up to `upto`, and before the one that the dispatcher took last, whose id it
// will ask for.
bool EngineDb::Impl::drop_decisions(std::uint64_t upto, std::uint64_t taken) {
  if (taken == 0) return true;
  const auto first = first_kept_decision(upto, taken);
  const auto text = meta(kDropped);
  if (!first || !text) return false;
  Statement going(db.get(), "SELECT count(*), max(n), max(time) FROM decision WHERE n < ?1"), drop(db.get(), "DELETE FROM decision WHERE n < ?1");
  going.bind(1, *first);
  if (going.step() != SQLITE_ROW) return false;
  if (going.integer(0) == 0) return true;
  const std::uint64_t count = dropped_from(*text).count + static_cast<std::uint64_t>(going.integer(0));
  const std::string now = fmt::format("{} {} {}", count, going.integer(1), going.integer(2));
  going.reset();
  return drop.bind(1, *first).run() == SQLITE_OK && set_meta(kDropped, now);
}

}  // namespace correlator::store
