// SPDX-License-Identifier: Apache-2.0
#include "store/engine_db.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include "base/json.h"
#include "engine/json.h"
#include "engine_schema.h"
#include "sqlite.h"

namespace correlator::store {
namespace {

namespace fs = std::filesystem;

// In the order of engine::StateKind, from 1.
constexpr std::array<const char*, 11> kTables = {"",           "live_window", "live_record", "live_group",
                                                 "live_context", "live_timer",  "live_case",   "live_counter",
                                                 "live_engine",  "live_lookup", "live_evidence"};

constexpr auto kWindow = static_cast<std::size_t>(engine::StateKind::window);

// The state directory's lock: held for the life of a writer, released by the kernel when it dies.
class DirectoryLock {
 public:
  DirectoryLock() = default;
  ~DirectoryLock() {
    if (fd_ >= 0) ::close(fd_);
  }
  DirectoryLock(DirectoryLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  DirectoryLock& operator=(DirectoryLock&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  static Result<DirectoryLock> take(const fs::path& dir, bool wait) {
    const fs::path file = dir / "lock";
    DirectoryLock lock;
    lock.fd_ = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (lock.fd_ < 0) {
      return make_error("E301", fmt::format("cannot write in {}: {}", dir.string(), std::strerror(errno)),
                        "give the directory to the user that runs correlator, or name another with --state");
    }
    if (::flock(lock.fd_, LOCK_EX | (wait ? 0 : LOCK_NB)) != 0) {
      std::array<char, 32> holder{};
      const ssize_t n = ::pread(lock.fd_, holder.data(), holder.size() - 1, 0);
      const std::string pid = n > 0 ? fmt::format(" (process {})", std::string_view(holder.data(), static_cast<std::size_t>(n))) : "";
      return make_error("E302", fmt::format("another correlator{} uses {}", pid, dir.string()),
                        "stop it first, or give this one a state directory of its own with --state");
    }
    const std::string pid = std::to_string(::getpid());
    if (::ftruncate(lock.fd_, 0) != 0 || ::pwrite(lock.fd_, pid.data(), pid.size(), 0) < 0) {
      // The lock is held all the same; only its description is missing.
    }
    return lock;
  }

 private:
  int fd_ = -1;
};

void bind_time(Statement& statement, int index, Timestamp time) {
  if (time == Timestamp::min()) {
    statement.null(index);
  } else {
    statement.bind(index, time.us);
  }
}

std::string fate_name(engine::Decision::Fate fate) {
  switch (fate) {
    case engine::Decision::Fate::decided: return "decided";
    case engine::Decision::Fate::held: return "held";
    case engine::Decision::Fate::dropped: return "dropped";
  }
  return "decided";
}

}  // namespace

bool Batch::empty() const {
  return intake.empty() && state.empty() && !snapshot_seq && decisions.empty() && cursors.empty() && !rules;
}

void Batch::clear() { *this = Batch{}; }

struct EngineDb::Impl {
  DirectoryLock lock;
  Connection db;
  DbOptions options;
  std::uint64_t intake_bytes = 0;  // added since the last trim
  std::unordered_map<std::string, std::int64_t> streams, owners;
  std::unordered_map<std::int64_t, std::string> owner_names;
  Statement insert_intake, insert_decision, insert_cursor, insert_rules, insert_meta;
  std::array<Statement, kTables.size()> upsert, erase, find;

  Status prepare();
  Status migrate();
  std::int64_t id_in(const char* table, std::unordered_map<std::string, std::int64_t>& cache, const std::string& name);
  bool write_intake(const Batch& batch);
  bool write_state(const std::vector<engine::StateRow>& rows);
  bool write_decisions(const std::vector<engine::Decision>& decisions);
  bool write_cursors(const std::vector<Cursor>& cursors);
  bool set_meta(std::string_view name, std::string_view value);
  Result<std::string> meta(std::string_view name);  // empty: not set
  const std::string* owner_name(std::int64_t id);  // nullptr: it cannot be read
};

Status EngineDb::Impl::migrate() {
  const auto version = db.scalar("PRAGMA user_version");
  if (!version) return db.error("reading the schema version");
  if (*version > static_cast<std::int64_t>(kEngineMigrations.size())) {
    return make_error("E303",
                      fmt::format("{} was written by a newer correlator (schema {}, this one knows {})", db.path(),
                                  *version, kEngineMigrations.size()),
                      "install the newer version again, or name another directory with --state");
  }
  for (auto step = static_cast<std::size_t>(*version); step < kEngineMigrations.size(); ++step) {
    Transaction transaction(db);
    if (!transaction.begun() || db.exec(kEngineMigrations[step]) != SQLITE_OK ||
        db.exec(fmt::format("PRAGMA user_version = {}", step + 1).c_str()) != SQLITE_OK ||
        db.exec(fmt::format("PRAGMA application_id = {}", kApplicationId).c_str()) != SQLITE_OK || !transaction.commit()) {
      return db.error(fmt::format("migrating to schema {}", step + 1));
    }
  }
  return {};
}

Status EngineDb::Impl::prepare() {
  sqlite3* handle = db.get();
  insert_intake = Statement(handle, "INSERT INTO intake VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)");
  insert_decision = Statement(handle,
                              "INSERT INTO decision (id, time, seq, rule, key, step, action, fate, document) "
                              "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)");
  insert_cursor = Statement(handle, "INSERT OR REPLACE INTO cursor VALUES (?1, ?2, ?3, ?4, ?5)");
  insert_rules = Statement(handle, "INSERT OR IGNORE INTO rule_set VALUES (?1, ?2)");
  insert_meta = Statement(handle, "INSERT OR REPLACE INTO meta VALUES (?1, ?2)");
  for (std::size_t kind = 1; kind < kTables.size(); ++kind) {
    const char* columns = kind == kWindow ? "(id, owner, key, body, have, oldest, newest) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
                                          : "(id, owner, key, body) VALUES (?1, ?2, ?3, ?4)";
    upsert[kind] = Statement(handle, fmt::format("INSERT OR REPLACE INTO {} {}", kTables[kind], columns));
    erase[kind] = Statement(handle, fmt::format("DELETE FROM {} WHERE id = ?1", kTables[kind]));
    if (!upsert[kind] || !erase[kind]) return db.error("preparing statements");
  }
  if (!insert_intake || !insert_decision || !insert_cursor || !insert_rules || !insert_meta) {
    return db.error("preparing statements");
  }
  return {};
}

Result<EngineDb> EngineDb::open(const fs::path& dir, const DbOptions& options) {
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  const bool writable = options.access == Access::read_write;
  const fs::path file = dir / "engine.db";
  std::error_code failure;
  if (writable) {
    fs::create_directories(dir, failure);
    auto lock = DirectoryLock::take(dir, options.wait_for_lock);
    if (!lock) return lock.error();
    impl->lock = std::move(*lock);
  } else if (!fs::exists(file, failure)) {
    return make_error("E301", fmt::format("there is no state in {}", dir.string()),
                      "name the directory that was given to run or replay with --state");
  }
  auto db = Connection::open(file.string(), writable);
  if (!db) return db.error();
  impl->db = std::move(*db);
  if (writable) {
    if (impl->db.exec("PRAGMA journal_mode = WAL") != SQLITE_OK ||
        impl->db.exec("PRAGMA synchronous = NORMAL; PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = OFF") != SQLITE_OK) {
      return impl->db.error("opening the database");
    }
    if (auto status = impl->migrate(); !status) return status.error();
    if (auto status = impl->prepare(); !status) return status.error();
    const auto bytes = impl->meta("intake_bytes");
    if (!bytes) return bytes.error();
    impl->intake_bytes = std::strtoull(bytes->c_str(), nullptr, 10);
  } else {
    const auto version = impl->db.scalar("PRAGMA user_version");
    if (!version) return impl->db.error("reading the schema version");
    if (*version != static_cast<std::int64_t>(kEngineMigrations.size())) {
      return make_error("E303", fmt::format("{} has schema {}, this correlator reads {}", file.string(), *version, kEngineMigrations.size()),
                        "open it once with the command that writes it, so that it is migrated");
    }
  }
  return EngineDb(std::move(impl));
}

EngineDb::EngineDb(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
EngineDb::~EngineDb() {
  if (impl_ != nullptr && impl_->options.access == Access::read_write) {
    if (auto status = checkpoint(); !status) return;  // the next writer does it
  }
}
EngineDb::EngineDb(EngineDb&&) noexcept = default;
EngineDb& EngineDb::operator=(EngineDb&&) noexcept = default;

std::int64_t EngineDb::Impl::id_in(const char* table, std::unordered_map<std::string, std::int64_t>& cache,
                                   const std::string& name) {
  if (const auto found = cache.find(name); found != cache.end()) return found->second;
  Statement insert(db.get(), fmt::format("INSERT OR IGNORE INTO {} (name) VALUES (?1)", table));
  insert.bind(1, name).run();
  Statement known(db.get(), fmt::format("SELECT id FROM {} WHERE name = ?1", table));
  known.bind(1, name);
  const std::int64_t id = known.step() == SQLITE_ROW ? known.integer(0) : 0;
  cache.emplace(name, id);
  return id;
}

bool EngineDb::Impl::write_intake(const Batch& batch) {
  for (const IntakeRow& row : batch.intake) {
    insert_intake.bind(1, static_cast<std::int64_t>(row.seq)).bind(2, static_cast<std::int64_t>(row.kind));
    insert_intake.bind(3, row.time.us).bind(4, id_in("stream", streams, row.stream));
    insert_intake.bind(5, static_cast<std::int64_t>(row.line_number)).blob(6, row.frame).bind(7, row.extra);
    if (insert_intake.run() != SQLITE_OK) return false;
  }
  return true;
}

bool EngineDb::Impl::write_state(const std::vector<engine::StateRow>& rows) {
  for (const engine::StateRow& row : rows) {
    const auto kind = static_cast<std::size_t>(row.kind);
    Statement& statement = row.erased ? erase[kind] : upsert[kind];
    statement.bind(1, static_cast<std::int64_t>(row.id));
    if (!row.erased) statement.bind(2, id_in("owner", owners, row.owner)).bind(3, row.key);
    if (!row.erased && kind != kWindow) statement.bind(4, row.body);
    if (!row.erased && kind == kWindow) {
      statement.blob(4, row.body);
      statement.bind(5, static_cast<std::int64_t>(std::min<std::uint64_t>(row.window.have, INT64_MAX)));
      bind_time(statement, 6, row.window.oldest);
      bind_time(statement, 7, row.window.newest);
    }
    if (statement.run() != SQLITE_OK) return false;
  }
  return true;
}

bool EngineDb::Impl::write_decisions(const std::vector<engine::Decision>& decisions) {
  for (const engine::Decision& d : decisions) {
    insert_decision.bind(1, d.id).bind(2, d.time.us).bind(3, static_cast<std::int64_t>(d.seq)).bind(4, d.rule);
    insert_decision.bind(5, engine::to_text(d.key)).bind(6, std::int64_t{d.step}).bind(7, d.action);
    insert_decision.bind(8, fate_name(d.fate)).bind(9, to_line(engine::to_json(d)));
    if (insert_decision.run() != SQLITE_OK) return false;
  }
  return true;
}

bool EngineDb::Impl::write_cursors(const std::vector<Cursor>& cursors) {
  for (const Cursor& c : cursors) {
    insert_cursor.bind(1, c.stream).bind(2, c.identity).bind(3, static_cast<std::int64_t>(c.offset));
    insert_cursor.bind(4, static_cast<std::int64_t>(c.line)).bind(5, c.extra);
    if (insert_cursor.run() != SQLITE_OK) return false;
  }
  return true;
}

bool EngineDb::Impl::set_meta(std::string_view name, std::string_view value) {
  return insert_meta.bind(1, name).bind(2, value).run() == SQLITE_OK;
}

Result<std::string> EngineDb::Impl::meta(std::string_view name) {
  Statement statement(db.get(), "SELECT value FROM meta WHERE name = ?1");
  statement.bind(1, name);
  const int code = statement.step();
  if (code == SQLITE_ROW) return std::string(statement.text(0));
  if (code != SQLITE_DONE) return db.error("reading the state");
  return std::string{};
}

Status EngineDb::commit(const Batch& batch) {
  if (batch.empty()) return {};
  Impl& impl = *impl_;
  // Ids of names that a rolled-back transaction inserted are not in the table: forget what it added.
  const auto fail = [&]() -> Status {
    Diagnostic error = impl.db.error("writing the state");
    impl.streams.clear();
    impl.owners.clear();
    return error;
  };
  impl.db.exec(batch.sync ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL");
  Transaction transaction(impl.db);
  if (!transaction.begun()) return fail();
  if (batch.rules) {
    Json files = Json::array();
    for (const auto& [name, text] : batch.rules->second) files.push_back({name, text});
    if (impl.insert_rules.bind(1, batch.rules->first).bind(2, to_line(files)).run() != SQLITE_OK ||
        !impl.set_meta("rules", batch.rules->first)) {
      return fail();
    }
  }
  if (!impl.write_intake(batch) || !impl.write_state(batch.state) || !impl.write_decisions(batch.decisions) ||
      !impl.write_cursors(batch.cursors)) {
    return fail();
  }
  if (batch.snapshot_seq && !impl.set_meta("snapshot_seq", std::to_string(*batch.snapshot_seq))) return fail();
  std::uint64_t bytes = impl.intake_bytes;
  for (const IntakeRow& row : batch.intake) bytes += row.frame.size() + 40;
  if (bytes != impl.intake_bytes && !impl.set_meta("intake_bytes", std::to_string(bytes))) return fail();
  if (!transaction.commit()) return fail();
  impl.intake_bytes = bytes;
  return {};
}

const std::string* EngineDb::Impl::owner_name(std::int64_t id) {
  const auto found = owner_names.find(id);
  if (found != owner_names.end()) return &found->second;
  Statement owner(db.get(), "SELECT name FROM owner WHERE id = ?1");
  owner.bind(1, id);
  const int code = owner.step();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return nullptr;
  return &(owner_names[id] = code == SQLITE_ROW ? std::string(owner.text(0)) : std::string{});
}

Status EngineDb::reading(const std::function<Status()>& inside) {
  if (impl_->db.exec("BEGIN") != SQLITE_OK) return impl_->db.error("reading the state");
  const Status status = inside();
  impl_->db.exec("COMMIT");
  return status;
}

Result<Snapshot> EngineDb::snapshot() {
  Snapshot snapshot;
  const auto seq = impl_->meta("snapshot_seq"), hash = impl_->meta("rules");
  if (!seq || !hash) return seq.ok() ? hash.error() : seq.error();
  snapshot.seq = static_cast<std::uint64_t>(std::strtoull(seq->c_str(), nullptr, 10));
  snapshot.rules_hash = *hash;
  return snapshot;
}

Status EngineDb::each_row(engine::StateKind kind, const engine::RowVisitor& visit) {
  Impl& impl = *impl_;
  if (Status status = impl.read_owners(); !status.ok()) return status;
  Statement rows(impl.db.get(),
                 fmt::format("SELECT id, owner, key, body FROM {} ORDER BY id", kTables[static_cast<std::size_t>(kind)]));
  engine::StateRow row;  // one for all: its texts keep their room
  row.kind = kind;
  std::int64_t owner = -1;
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    row.id = static_cast<std::uint64_t>(rows.integer(0));
    if (const std::int64_t next = rows.integer(1); next != owner) {
      const std::string* name = impl.owner_name(owner = next);
      if (name == nullptr) return impl.db.error("reading the state");
      row.owner = *name;
    }
    row.key = rows.text(2);
    row.body = rows.text(3);
    if (Status status = visit(row); !status.ok()) return status;
  }
  if (code != SQLITE_DONE) return impl.db.error("reading the state");
  return {};
}

Result<std::optional<engine::StateRow>> EngineDb::row(engine::StateKind kind, std::uint64_t id) {
  Impl& impl = *impl_;
  Statement& find = impl.find[static_cast<std::size_t>(kind)];
  if (!find) {
    find = Statement(impl.db.get(), fmt::format("SELECT owner.name, key, body FROM {0} LEFT JOIN owner ON owner.id = {0}.owner "
                                                "WHERE {0}.id = ?1",
                                                kTables[static_cast<std::size_t>(kind)]));
  }
  find.bind(1, static_cast<std::int64_t>(id));
  std::optional<engine::StateRow> out;
  const int code = find.step();
  if (code == SQLITE_ROW) {
    const std::string* owner = impl.owner_name(find.integer(0));
    if (owner == nullptr) {
      Diagnostic error = impl.db.error("reading the state");
      find.reset();
      return error;
    }
    out = engine::StateRow{kind, id, *owner, std::string(find.text(1)), std::string(find.text(2)), false};
  }
  find.reset();
  if (code != SQLITE_ROW && code != SQLITE_DONE) return impl.db.error("reading the state");
  return out;
}

Result<BaseSnapshot> EngineDb::base_snapshot() {
  BaseSnapshot snapshot;
  const auto seq = impl_->meta("base_seq"), hash = impl_->meta("base_rules");
  if (!seq || !hash) return seq.ok() ? hash.error() : seq.error();
  snapshot.seq = static_cast<std::uint64_t>(std::strtoull(seq->c_str(), nullptr, 10));
  snapshot.rules_hash = *hash;
  Statement rows(impl_->db.get(), "SELECT kind, id, owner, key, body FROM kept_state WHERE generation = 0 ORDER BY kind, id");
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    engine::StateRow row;
    row.kind = static_cast<engine::StateKind>(rows.integer(0));
    row.id = static_cast<std::uint64_t>(rows.integer(1));
    row.owner = rows.text(2);
    row.key = rows.text(3);
    row.body = rows.text(4);
    snapshot.rows.push_back(std::move(row));
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading the state");
  return snapshot;
}

Result<RuleTexts> EngineDb::rules(const std::string& hash) {
  Statement statement(impl_->db.get(), "SELECT files FROM rule_set WHERE hash = ?1");
  statement.bind(1, hash);
  if (statement.step() != SQLITE_ROW) {
    return make_error("E304", fmt::format("{} holds no rule set {}", impl_->db.path(), hash),
                      "the state database is damaged: move it away and start again, windows begin empty then");
  }
  const auto json = parse_json(statement.text(0));
  RuleTexts texts;
  if (json && json->is_array()) {
    for (const Json& file : *json) {
      const bool pair = file.is_array() && file.size() == 2 && file[0].is_string() && file[1].is_string();
      if (pair) texts.emplace_back(file[0].get<std::string>(), file[1].get<std::string>());
    }
  }
  return texts;
}

Status EngineDb::each_intake(std::uint64_t after_seq, const std::function<bool(IntakeRow&&)>& visit) {
  Statement rows(impl_->db.get(),
                 "SELECT seq, kind, time, stream.name, line, frame, extra FROM intake "
                 "LEFT JOIN stream ON stream.id = intake.stream WHERE seq > ?1 ORDER BY seq");
  rows.bind(1, static_cast<std::int64_t>(after_seq));
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    IntakeRow row;
    row.seq = static_cast<std::uint64_t>(rows.integer(0));
    row.kind = static_cast<IntakeKind>(rows.integer(1));
    row.time = Timestamp{rows.integer(2)};
    row.stream = rows.text(3);
    row.line_number = static_cast<std::uint64_t>(rows.integer(4));
    row.frame = rows.text(5);
    row.extra = rows.text(6);
    if (!visit(std::move(row))) return {};
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading the intake");
  return {};
}

Result<std::vector<Cursor>> EngineDb::cursors() {
  std::vector<Cursor> out;
  Statement rows(impl_->db.get(), "SELECT stream, identity, offset, line, extra FROM cursor ORDER BY stream");
  int code = rows.step();
  for (; code == SQLITE_ROW; code = rows.step()) {
    out.push_back({std::string(rows.text(0)), std::string(rows.text(1)), static_cast<std::uint64_t>(rows.integer(2)),
                   static_cast<std::uint64_t>(rows.integer(3)), std::string(rows.text(4))});
  }
  if (code != SQLITE_DONE) return impl_->db.error("reading the positions");
  return out;
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

// The intake is kept in two generations. Beyond half the bound the state is copied as the beginning of the next one;
// beyond the bound the older generation is dropped and its successor's beginning becomes the base.
Status EngineDb::trim_intake() {
  Impl& impl = *impl_;
  if (impl.intake_bytes < impl.options.intake_bytes / 2) return {};
  const auto next = impl.meta("next_seq"), next_rules = impl.meta("next_rules"), seq = impl.meta("snapshot_seq"), hash = impl.meta("rules");
  for (const auto* value : {&next, &next_rules, &seq, &hash}) {
    if (!value->ok()) return value->error();
  }
  const std::string& next_seq = *next;
  if (!next_seq.empty() && impl.intake_bytes < impl.options.intake_bytes) return {};
  Transaction transaction(impl.db);
  if (!transaction.begun()) return impl.db.error("trimming the intake");
  bool ok = true;
  if (!next_seq.empty()) {
    Statement drop(impl.db.get(), "DELETE FROM intake WHERE seq <= ?1");
    ok = drop.bind(1, static_cast<std::int64_t>(std::strtoull(next_seq.c_str(), nullptr, 10))).run() == SQLITE_OK &&
         impl.db.exec("DELETE FROM kept_state WHERE generation = 0; UPDATE kept_state SET generation = 0") == SQLITE_OK &&
         impl.set_meta("base_seq", next_seq) && impl.set_meta("base_rules", *next_rules);
  }
  for (std::size_t kind = 1; ok && kind < kTables.size(); ++kind) {
    ok = impl.db.exec(fmt::format("INSERT INTO kept_state SELECT 1, {0}, {1}.id, owner.name, key, body FROM {1} "
                                  "JOIN owner ON owner.id = {1}.owner",
                                  kind, kTables[kind]).c_str()) == SQLITE_OK;
  }
  ok = ok && impl.set_meta("next_seq", *seq) && impl.set_meta("next_rules", *hash);
  const auto bytes = static_cast<std::uint64_t>(
      impl.db.scalar("SELECT coalesce(sum(length(frame) + 40), 0) FROM intake").value_or(0));
  ok = ok && impl.set_meta("intake_bytes", std::to_string(bytes));
  if (!ok || !transaction.commit()) return impl.db.error("trimming the intake");
  impl.intake_bytes = bytes;
  return {};
}

Status EngineDb::checkpoint() {
  int log = 0, moved = 0;
  // A connection that has not read yet answers OK and moves nothing, so the first checkpoint follows a read.
  impl_->db.scalar("SELECT count(*) FROM meta");
  const int code = sqlite3_wal_checkpoint_v2(impl_->db.get(), nullptr, SQLITE_CHECKPOINT_TRUNCATE, &log, &moved);
  if (code != SQLITE_OK && (code & 0xFF) != SQLITE_BUSY) return impl_->db.error("checkpoint");
  return {};
}

}  // namespace correlator::store
