// SPDX-License-Identifier: Apache-2.0
#include "pipeline/session.h"

#include <fmt/format.h>

#include <filesystem>

#include "records.h"
#include "rules/lookup_file.h"

namespace correlator::pipeline {
namespace {

// Bytes that the log may have behind a commit that need not be synced.
constexpr std::uint64_t kLongLog = 32 << 20;

}  // namespace

Session::Session(SessionOptions options, Sink sink, std::optional<store::EngineDb> db)
    : options_(std::move(options)), sink_(std::move(sink)), db_(std::move(db)), engine_(options_.engine), parser_(options_.parser) {
  if (db_) engine_.keep_lines_in(stored_lines(*db_, options_));
}

Result<std::unique_ptr<Session>> Session::start(std::shared_ptr<const rules::RuleSet> rules,
                                                std::optional<store::EngineDb> db, SessionOptions options, Sink sink) {
  std::unique_ptr<Session> session(new Session(std::move(options), std::move(sink), std::move(db)));
  // Mostly the state was written with the same rules: their patterns are compiled once.
  if (auto status = session->compile(rules); !status) return status.error();
  if (session->db_) {
    if (auto status = session->restore(); !status) return status.error();
  }
  if (auto status = session->adopt(std::move(rules)); !status) return status.error();
  if (auto status = session->load_lookups(); !status) return status.error();
  return session;
}

Result<std::unique_ptr<Session>> Session::resume(store::EngineDb db, SessionOptions options, Sink sink) {
  options.load_lookups = false;
  std::unique_ptr<Session> session(new Session(std::move(options), std::move(sink), std::move(db)));
  if (auto status = session->restore(); !status) return status.error();
  if (session->rules_ == nullptr) return nothing_recorded();
  if (auto status = session->adopt(session->rules_); !status) return status.error();
  return session;
}

Status Session::restore() {
  auto snapshot = db_->snapshot();
  if (!snapshot) return snapshot.error();
  if (snapshot->rules_hash.empty()) return {};
  std::vector<engine::Decision> decided;
  auto engine = restore_engine(*db_, options_, &decided);
  if (!engine) return engine.error();
  engine_ = std::move(engine).value();
  rules_ = engine_.rules();
  return decide_what_was_left(std::move(decided));
}

// An earlier process set a line down and died before what it decided was stored.
Status Session::decide_what_was_left(std::vector<engine::Decision> decisions) {
  std::erase_if(decisions, [last = db_->last_decided()](const engine::Decision& decision) { return decision.seq <= last; });
  batch_.decisions = std::move(decisions);
  return batch_.decisions.empty() ? Status{} : record({}, true);
}

Status Session::compile(const std::shared_ptr<const rules::RuleSet>& rules) {
  if (options_.matcher != nullptr && options_.matcher->rules() == rules) return {};
  auto matcher = Matcher::build(rules);
  if (!matcher) return matcher.error();
  options_.matcher = std::make_shared<const Matcher>(std::move(matcher).value());
  return {};
}

// The rule set in force becomes `rules`; a record of it enters the intake unless it is the one already there.
Status Session::adopt(std::shared_ptr<const rules::RuleSet> rules) {
  if (auto status = compile(rules); !status) return status;
  matcher_ = options_.matcher;
  if (rules_ != nullptr && rules_->hash == rules->hash) return {};
  if (rules_ != nullptr) notes_ = engine_.plan(*rules);
  rules_ = rules;
  if (db_) {
    store::RuleTexts texts(rules->files.begin(), rules->files.end());
    batch_.rules = {rules->hash, std::move(texts)};
  }
  engine::IntakeRecord record{next_seq(), engine::RulesRecord{rules}};
  store::IntakeRow row = to_row(record);
  step(std::move(record), std::move(row));
  // A rule set is committed at once: the batch has room for the texts of one.
  return commit();
}

Status Session::load_lookups() {
  if (!options_.load_lookups) return {};
  for (const rules::Lookup& lookup : rules_->lookups) {
    if (lookup.file.empty()) continue;
    const std::filesystem::path beside = std::filesystem::path(lookup.place.file).parent_path();
    auto table = rules::read_lookup(lookup, options_.lookup_root ? std::filesystem::path(*options_.lookup_root) : beside);
    if (!table) {
      notes_.push_back(to_gcc(table.error()));
      notes_.back().pop_back();
      continue;
    }
    const Timestamp now = engine_.clock().value_or(Timestamp{});
    // Content that is there already is no news, unless it would become stale without having been read again.
    const auto known = engine_.lookup(lookup.name);
    if (known && known->hash == table->hash && (lookup.max_age.us == 0 || known->loaded == now)) continue;
    this->lookup({lookup.name, std::move(table).value(), now});
  }
  return {};
}

Status Session::reload(std::shared_ptr<const rules::RuleSet> rules) {
  // All that stands before the new rules is written first; what cannot be written now leaves the old ones in force. There is nothing left to
  // record if the caller has seen to it (Live::record_now), who knows the positions.
  if (db_) {
    if (auto status = db_->drain(); !status) return status;
  }
  if (auto status = record({}, true); !status) return status;
  // Without positions: those of the last snapshot may be older than what was recorded since.
  if (auto status = snapshot({}); !status) return status;
  const std::string wanted = rules->hash;
  if (auto status = adopt(std::move(rules)); !status) {
    if (auto back = go_back(); !back) return back;
    // What failed may have been what follows the commit, a checkpoint.
    if (rules_->hash != wanted) return status;
  }
  return load_lookups();
}

// The new rules were stepped and could not be written: the engine becomes again what stands in the database, which is all that
// was stepped before them.
Status Session::go_back() {
  clear_batch();
  snapshot_.clear();
  failure_ = restore();
  if (failure_.ok()) failure_ = adopt(rules_);
  return failure_;
}

const Status& Session::failure() const { return failure_.ok() ? engine_.failure() : failure_; }

void Session::step(engine::IntakeRecord record, std::optional<store::IntakeRow> row) {
  output_.clear();
  if (profiler_ == nullptr) {
    engine_.step(record, output_);
  } else {
    profiler_->step(engine_, record, output_, *rules_);
  }
  // A text of evidence could not be read: nobody sees what was decided without it, and commit() says why.
  if (!engine_.failure().ok()) return;
  if (db_) {
    if (row) {
      uncommitted_bytes_ += sizeof(*row) + row->frame.size();
      batch_.intake.push_back(std::move(*row));
    }
    batch_.decisions.insert(batch_.decisions.end(), output_.decisions.begin(), output_.decisions.end());
  }
  if (sink_ && (!output_.events.empty() || !output_.decisions.empty() || !output_.cases.empty())) sink_(output_, *rules_);
}

void Session::start_profile() {
  profiler_ = std::make_unique<Profiler>(matcher_->patterns().size(), rules_->rules.size());
  engine_.watch(profiler_.get());
}

bool Session::line(const Line& line, const syslog::Message& message, std::span<const std::uint32_t> tried, const std::function<void()>& ahead) {
  matches_.clear();
  matcher_->match(message, tried, matches_, profiler_ == nullptr ? nullptr : &profiler_->patterns());
  if (matches_.empty()) return false;
  matched(line, message, matches_, ahead);
  return true;
}

void Session::matched(const Line& line, const syslog::Message& parsed, const std::vector<engine::PatternMatch>& matches,
                      const std::function<void()>& ahead) {
  syslog::Message message = parsed;
  if (message.host.empty()) message.host = line.host;
  if (profiler_ != nullptr) profiler_->matched(matches);
  const std::uint64_t seq = next_seq();
  std::optional<store::IntakeRow> row;
  if (db_) row = to_row(line, seq);
  if (row && ahead && uncommitted() == 0 && db_->set_down(*row)) {
    row.reset();
    ahead();
  }
  step({seq, line_record(line, message, matches)}, std::move(row));
}

bool Session::line(const Line& line) {
  syslog::Message message;
  if (!parser_.parse(line.frame, message)) return false;
  message.truncated = line.truncated;
  ids_.clear();
  matcher_->candidate_patterns(message, scratch_, ids_);
  return this->line(line, message, ids_);
}

void Session::mark(Timestamp time) {
  engine::IntakeRecord record{next_seq(), engine::MarkRecord{time}};
  store::IntakeRow row = to_row(record);
  step(std::move(record), std::move(row));
}

void Session::end() {
  engine::IntakeRecord record{next_seq(), engine::EndRecord{}};
  store::IntakeRow row = to_row(record);
  step(std::move(record), std::move(row));
}

void Session::command(const engine::CommandRecord& command) {
  engine::IntakeRecord record{next_seq(), command};
  store::IntakeRow row = to_row(record);
  step(std::move(record), std::move(row));
}

void Session::outcome(const engine::OutcomeRecord& outcome) {
  engine::IntakeRecord record{next_seq(), outcome};
  store::IntakeRow row = to_row(record);
  step(std::move(record), std::move(row));
}

void Session::probe(const engine::ProbeRecord& probe) {
  engine::IntakeRecord record{next_seq(), probe};
  store::IntakeRow row = to_row(record);
  step(std::move(record), std::move(row));
}

void Session::lookup(engine::LookupRecord lookup) {
  engine::IntakeRecord record{next_seq(), std::move(lookup)};
  store::IntakeRow row = to_row(record);
  step(std::move(record), std::move(row));
}

Status Session::commit(std::vector<store::Cursor> cursors, bool sync) {
  if (!db_) return {};
  if (const Status& failed = failure(); !failed.ok()) return failed;
  engine_.take_changes(batch_.state);
  batch_.snapshot_seq = engine_.seq();
  batch_.cursors = std::move(cursors);
  batch_.sync = sync;
  if (auto status = db_->commit(batch_); !status) return status;
  clear_batch();
  if (auto status = stored(); !status) return status;
  return db_->checkpoint(sync ? 0 : kLongLog);
}

void Session::pack() {
  if (!db_) return;
  db_->pack(batch_);
  if (batch_.intake.empty()) uncommitted_bytes_ = batch_.packed_bytes();
}

void Session::clear_batch() {
  batch_.clear();
  uncommitted_bytes_ = 0;
}

// All that was stepped is in the database, and so is the state.
Status Session::stored() {
  engine_.lines_are_kept();
  bool carried = false;
  const Status status = db_->trim_intake([&](const engine::RowVisitor& write) {
    carried = true;
    return engine_.carry_over(write);
  }, taken_);
  if (status.ok() && carried) engine_.carried_over();
  return status;
}

Status Session::record(std::vector<store::Cursor> cursors, bool sync, const std::function<void()>& visible) {
  if (!db_ || (uncommitted() == 0 && !sync)) return {};
  if (const Status& failed = failure(); !failed.ok()) return failed;
  batch_.cursors = std::move(cursors);
  batch_.sync = sync;
  if (auto status = db_->record(batch_, visible); !status) return status;
  clear_batch();
  return {};
}

Status Session::snapshot(std::vector<store::Cursor> cursors) {
  if (!db_) return {};
  if (auto status = db_->drain(); !status) return status;
  // The state must not run ahead of the records and decisions it comes from, nor these of their positions: what is recorded without
  // its position would be taken again after a death here.
  if (uncommitted() > 0) {
    if (auto status = record(cursors, true); !status) return status;
  }
  if (const Status& failed = failure(); !failed.ok()) return failed;
  const std::size_t before = snapshot_.state.size();
  engine_.take_changes(snapshot_.state);
  const bool news = snapshot_.state.size() > before || before > 0 || !snapshot_.notes.empty() || cursors != written_cursors_;
  if (!news) return {};
  snapshot_.snapshot_seq = engine_.seq();
  snapshot_.cursors = cursors;
  if (auto status = db_->commit(snapshot_); !status) return status;
  snapshot_.clear();
  written_cursors_ = std::move(cursors);
  if (auto status = stored(); !status) return status;
  return db_->checkpoint();
}

Status Session::sync() { return db_ ? db_->sync() : Status{}; }

void Session::note(std::string name, std::string text) { snapshot_.notes.emplace_back(std::move(name), std::move(text)); }

void Session::each_line_id(std::size_t most, const std::function<void(std::string_view)>& visit) {
  if (!db_) return;
  // Without them a line that comes again would count again: that is said, and shows, but is no reason not to start.
  if (auto status = db_->each_line_id(most, visit); !status) notes_.push_back(status.error().message);
}

}  // namespace correlator::pipeline
