// SPDX-License-Identifier: Apache-2.0
// engine.db: the intake. A line that waits for its answer is a row; what comes many at a time is written as blocks.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <functional>

#include "engine_db_impl.h"
#include "intake_block.h"

namespace correlator::store {
namespace {

// Records with numbers that follow one another: so many are worth a block.
constexpr std::size_t kWorthABlock = 16;

Diagnostic damaged_block(std::uint64_t first) {
  return make_error("E304", fmt::format("the block of intake records from {} on cannot be read", first),
                    "the state database is damaged: move it away and start again, windows begin empty then");
}

// What SELECTs of the two tables give, in this order of columns.
constexpr const char* kRowColumns = "seq, kind, time, stream, line, frame, extra, line_id";
constexpr const char* kBlockColumns = "first, last, time, records, bytes";

IntakePart part_of(const Statement& row) {
  IntakePart part;
  part.seq = static_cast<std::uint64_t>(row.integer(0));
  part.kind = static_cast<IntakeKind>(row.integer(1));
  part.time = Timestamp{row.integer(2)};
  part.stream = row.integer(3);
  part.line_number = static_cast<std::uint64_t>(row.integer(4));
  part.frame = row.text(5);
  part.extra = row.text(6);
  part.line_id = row.text(7);
  return part;
}

std::uint64_t first_of(const Statement& block) { return static_cast<std::uint64_t>(block.integer(0)); }

IntakeBlockReader reader_of(const Statement& block) {
  return {first_of(block), static_cast<std::uint64_t>(block.integer(1)), Timestamp{block.integer(2)}, block.text(3), block.text(4)};
}

}  // namespace

Status EngineDb::Impl::prepare_intake() {
  insert_intake = Statement(db.get(), "INSERT INTO intake VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
  insert_block = Statement(db.get(), "INSERT INTO intake_block VALUES (?1, ?2, ?3, ?4, ?5)");
  if (!insert_intake || !insert_block) return db.error("preparing statements");
  const auto newest = db.scalar("SELECT max(coalesce((SELECT max(seq) FROM intake), 0), coalesce((SELECT last FROM intake_block ORDER BY first DESC LIMIT 1), 0))");
  if (!newest) return db.error("opening the database");
  last_seq = static_cast<std::uint64_t>(*newest);
  return {};
}

bool EngineDb::Impl::write_row(const IntakeRow& row) {
  insert_intake.bind(1, static_cast<std::int64_t>(row.seq)).bind(2, static_cast<std::int64_t>(row.kind));
  insert_intake.bind(3, row.time.us).bind(4, stream_id(row.stream));
  insert_intake.bind(5, static_cast<std::int64_t>(row.line_number)).blob(6, row.frame).bind(7, row.extra);
  if (row.line_id.empty()) {
    insert_intake.null(8);
  } else {
    insert_intake.bind(8, row.line_id);
  }
  return insert_intake.run() == SQLITE_OK;
}

bool EngineDb::Impl::write_block(const IntakeBlock& block) {
  insert_block.bind(1, static_cast<std::int64_t>(block.first)).bind(2, static_cast<std::int64_t>(block.first + block.count - 1));
  insert_block.bind(3, block.time.us).lend(4, block.records).lend_blob(5, block.bytes);
  return insert_block.run() == SQLITE_OK;
}

// Records before `from` are passed over. Those that follow one another go together, if they are many.
bool EngineDb::Impl::write_intake(std::span<const IntakeRow> rows, std::uint64_t from) {
  std::vector<IntakeBlock> blocks;
  while (!rows.empty() && rows.front().seq < from) rows = rows.subspan(1);
  while (!rows.empty()) {
    std::size_t run = 1;
    while (run < rows.size() && rows[run].seq == rows[run - 1].seq + 1) ++run;
    for (const IntakeRow& row : rows.first(run)) {
      if (run >= kWorthABlock) {
        IntakePacker(blocks).add(row, stream_id(row.stream));
      } else if (!write_row(row)) {
        return false;
      }
    }
    rows = rows.subspan(run);
  }
  return std::all_of(blocks.begin(), blocks.end(), [this](const IntakeBlock& block) { return write_block(block); });
}

// The names of streams are inserted at once, each in a transaction of its own: one that no record has yet does no harm.
void EngineDb::pack(Batch& batch) {
  if (batch.intake.size() < kWorthABlock) return;
  for (const IntakeRow& row : batch.intake) {
    if (!row.stream.empty() && impl_->stream_id(row.stream) == 0) return;  // it cannot be written: the commit will say why
  }
  for (const IntakeRow& row : batch.intake) IntakePacker(batch.blocks).add(row, impl_->stream_id(row.stream));
  batch.intake.clear();
}

// 0 where there is none. The lines of one stream mostly come together.
std::int64_t EngineDb::Impl::stream_id(const std::string& stream) {
  if (stream.empty()) return 0;
  if (stream == last_stream.first) return last_stream.second;
  const std::int64_t id = id_in("stream", streams, stream);
  if (id != 0) last_stream = {stream, id};
  return id;
}

const std::string* EngineDb::Impl::name_of(const char* table, std::unordered_map<std::int64_t, std::string>& cache, std::int64_t id) {
  if (const auto found = cache.find(id); found != cache.end()) return &found->second;
  Statement known(db.get(), fmt::format("SELECT name FROM {} WHERE id = ?1", table));
  known.bind(1, id);
  const int code = known.step();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return nullptr;
  return &(cache[id] = code == SQLITE_ROW ? std::string(known.text(0)) : std::string{});
}

Result<IntakeRow> EngineDb::Impl::row_of(const IntakePart& part) {
  const std::string* stream = name_of("stream", stream_names, part.stream);
  if (stream == nullptr) return db.error("reading the intake");
  IntakeRow row;
  row.seq = part.seq;
  row.kind = part.kind;
  row.time = part.time;
  row.stream = *stream;
  row.line_number = part.line_number;
  row.frame = part.frame;
  row.extra = part.extra;
  row.line_id = part.line_id;
  return row;
}

// Rows and blocks merged: no number stands in both, and no row stands within a block. Ends where `visit` says false.
Status EngineDb::Impl::each_part(std::uint64_t after_seq, const std::function<Result<bool>(const IntakePart&)>& visit) {
  Statement rows(db.get(), fmt::format("SELECT {} FROM intake WHERE seq > ?1 ORDER BY seq", kRowColumns));
  Statement blocks(db.get(), fmt::format("SELECT {} FROM intake_block WHERE first >= coalesce((SELECT max(first) FROM intake_block WHERE first <= ?1), 0) "
                                         "AND last > ?1 ORDER BY first", kBlockColumns));
  rows.bind(1, static_cast<std::int64_t>(after_seq));
  blocks.bind(1, static_cast<std::int64_t>(after_seq));
  // What went wrong is known until the next step of either.
  const auto good = [](int code) { return code == SQLITE_ROW || code == SQLITE_DONE; };
  int row = rows.step();
  if (!good(row)) return db.error("reading the intake");
  int block = blocks.step();
  while (good(row) && good(block) && (row == SQLITE_ROW || block == SQLITE_ROW)) {
    Result<bool> more = true;
    if (block != SQLITE_ROW || (row == SQLITE_ROW && rows.integer(0) < blocks.integer(0))) {
      more = visit(part_of(rows));
      if (more && *more) row = rows.step();
    } else {
      IntakeBlockReader reader = reader_of(blocks);
      reader.skip_to(after_seq + 1);
      for (IntakePart part; more && *more && reader.next(part);) more = visit(part);
      if (reader.damaged()) return damaged_block(first_of(blocks));
      if (more && *more) block = blocks.step();
    }
    if (!more) return more.error();
    if (!*more) return {};
  }
  if (row != SQLITE_DONE || block != SQLITE_DONE) return db.error("reading the intake");
  return {};
}

Status EngineDb::each_intake(std::uint64_t after_seq, const std::function<bool(IntakeRow&&)>& visit) {
  return impl_->each_part(after_seq, [&](const IntakePart& part) -> Result<bool> {
    auto row = impl_->row_of(part);
    if (!row) return row.error();
    return visit(std::move(row).value());
  });
}

Result<std::optional<IntakeRow>> EngineDb::intake(std::uint64_t seq) {
  Impl& impl = *impl_;
  if (!impl.find_row) {
    impl.find_row = Statement(impl.db.get(), fmt::format("SELECT {} FROM intake WHERE seq = ?1", kRowColumns));
    impl.find_block = Statement(impl.db.get(), fmt::format("SELECT {} FROM intake_block WHERE first <= ?1 ORDER BY first DESC LIMIT 1", kBlockColumns));
  }
  auto found = impl.find_part(seq);
  impl.find_row.reset();
  impl.find_block.reset();
  return found;
}

Result<std::optional<IntakeRow>> EngineDb::Impl::find_part(std::uint64_t seq) {
  IntakePart part;
  find_row.bind(1, static_cast<std::int64_t>(seq));
  int code = find_row.step();
  if (code == SQLITE_ROW) part = part_of(find_row);
  if (code == SQLITE_DONE) {
    find_block.bind(1, static_cast<std::int64_t>(seq));
    code = find_block.step();
    if (code == SQLITE_DONE || (code == SQLITE_ROW && static_cast<std::uint64_t>(find_block.integer(1)) < seq)) return std::optional<IntakeRow>{};
  }
  if (code != SQLITE_ROW) return db.error("reading the intake");
  if (part.seq == 0) {
    IntakeBlockReader reader = reader_of(find_block);
    reader.skip_to(seq);
    if (!reader.next(part)) return damaged_block(first_of(find_block));
  }
  auto row = row_of(part);
  if (!row) return row.error();
  return std::optional(std::move(row).value());
}

// The number behind which `most` lines that have an id stand, or all of them.
Result<std::uint64_t> EngineDb::Impl::before_line_ids(std::uint64_t most) {
  std::vector<std::uint64_t> numbers;
  Statement rows(db.get(), "SELECT seq FROM intake WHERE line_id IS NOT NULL ORDER BY seq DESC LIMIT ?1");
  rows.bind(1, static_cast<std::int64_t>(most));
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) numbers.push_back(static_cast<std::uint64_t>(rows.integer(0)));
  if (code != SQLITE_DONE) return db.error("reading the ids of lines");
  const std::size_t of_rows = numbers.size();
  Statement blocks(db.get(), fmt::format("SELECT {} FROM intake_block ORDER BY first DESC", kBlockColumns));
  for (code = blocks.step(); code == SQLITE_ROW && numbers.size() - of_rows < most; code = blocks.step()) {
    IntakeBlockReader reader = reader_of(blocks);
    for (IntakePart part; reader.next(part);) {
      if (!part.line_id.empty()) numbers.push_back(part.seq);
    }
    if (reader.damaged()) return damaged_block(first_of(blocks));
  }
  if (code != SQLITE_DONE && code != SQLITE_ROW) return db.error("reading the ids of lines");
  if (numbers.size() <= most) return 0;
  const auto last = numbers.begin() + static_cast<std::ptrdiff_t>(most);
  std::nth_element(numbers.begin(), last, numbers.end(), std::greater<>());
  return *last;
}

Status EngineDb::each_line_id(std::uint64_t most, const std::function<void(std::string_view)>& visit) {
  const auto before = impl_->before_line_ids(most);
  if (!before) return before.error();
  return impl_->each_part(*before, [&](const IntakePart& part) -> Result<bool> {
    if (!part.line_id.empty()) visit(part.line_id);
    return true;
  });
}

// The kept intake, as it is bounded.
std::uint64_t EngineDb::Impl::count_intake_bytes() {
  return static_cast<std::uint64_t>(db.scalar(fmt::format("SELECT coalesce((SELECT sum(length(frame) + {0}) FROM intake), 0) + "
                                                          "coalesce((SELECT sum(length(bytes) + (last - first + 1) * {0}) FROM intake_block), 0)",
                                                          kRecordBytes)).value_or(0));
}

// What stands up to `from` goes; the state that was kept for it becomes the one that the intake begins with.
bool EngineDb::Impl::drop_intake_upto(const std::string& from, const std::string& rules) {
  const auto seq = static_cast<std::int64_t>(std::strtoull(from.c_str(), nullptr, 10));
  Statement rows(db.get(), "DELETE FROM intake WHERE seq <= ?1"), blocks(db.get(), "DELETE FROM intake_block WHERE last <= ?1");
  return rows.bind(1, seq).run() == SQLITE_OK && blocks.bind(1, seq).run() == SQLITE_OK &&
         db.exec("DELETE FROM kept_state WHERE generation = 0; UPDATE kept_state SET generation = 0") == SQLITE_OK &&
         set_meta("base_seq", from) && set_meta("base_rules", rules);
}

// The intake is kept in two generations. Beyond half the bound the state is copied as the beginning of the next one;
// beyond the bound the older generation is dropped and its successor's beginning becomes the base. What the state says of lines must
// not go with them, so their texts are carried over first.
Status EngineDb::trim_intake(const CarryOver& carry, const std::function<std::uint64_t()>& taken) {
  Impl& impl = *impl_;
  if (impl.intake_bytes < impl.options.intake_bytes / 2) return {};
  const auto next = impl.meta("next_seq"), next_rules = impl.meta("next_rules"), seq = impl.meta("snapshot_seq"), hash = impl.meta("rules");
  for (const auto* value : {&next, &next_rules, &seq, &hash}) {
    if (!value->ok()) return value->error();
  }
  if (!next->empty() && impl.intake_bytes < impl.options.intake_bytes) return {};
  Transaction transaction(impl.db);
  if (!transaction.begun()) return impl.db.error("trimming the intake");
  const Status carried = carry == nullptr ? Status() : carry([&](const engine::StateRow& row) {
    return impl.write_state({&row, 1}) ? Status() : Status(impl.db.error("trimming the intake"));
  });
  if (!carried) return impl.forget_names(), carried;
  bool ok = next->empty() || impl.drop_intake_upto(*next, *next_rules);
  if (ok && !next->empty() && taken) ok = impl.drop_decisions(std::strtoull(next->c_str(), nullptr, 10), taken());
  for (std::size_t kind = 1; ok && kind < kTables.size(); ++kind) {
    ok = impl.db.exec(fmt::format("INSERT INTO kept_state SELECT 1, {0}, {1}.id, owner.name, key, body FROM {1} "
                                  "JOIN owner ON owner.id = {1}.owner",
                                  kind, kTables[kind]).c_str()) == SQLITE_OK;
  }
  ok = ok && impl.set_meta("next_seq", *seq) && impl.set_meta("next_rules", *hash);
  if (ok && carry != nullptr) ok = impl.set_meta("evidence_seq", *seq);
  const std::uint64_t bytes = impl.count_intake_bytes();
  ok = ok && impl.set_meta("intake_bytes", std::to_string(bytes));
  if (!ok || !transaction.commit()) return impl.forget_names(), impl.db.error("trimming the intake");
  impl.intake_bytes = bytes;
  return {};
}

}  // namespace correlator::store
