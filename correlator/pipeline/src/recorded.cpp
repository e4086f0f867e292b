// SPDX-License-Identifier: Apache-2.0
// What a state directory recorded, stepped again: to go on from it, and to see that it says the same.
#include <fmt/format.h>

#include <algorithm>
#include <unordered_map>

#include "base/json.h"
#include "engine/json.h"
#include "pipeline/session.h"
#include "records.h"
#include "rules/loader.h"

namespace correlator::pipeline {
namespace {

// Rule sets by hash, loaded again from their texts.
class RuleArchive {
 public:
  // `known`: of a rule set that is loaded already, or nullptr.
  RuleArchive(store::EngineDb& db, std::shared_ptr<const Matcher> known) : db_(db), known_(std::move(known)) {}

  Result<std::shared_ptr<const rules::RuleSet>> find(const std::string& hash) {
    if (known_ != nullptr && known_->rules()->hash == hash) return known_->rules();
    if (const auto found = loaded_.find(hash); found != loaded_.end()) return found->second;
    auto texts = db_.rules(hash);
    if (!texts) return texts.error();
    std::vector<rules::RuleFile> files;
    for (auto& [name, text] : *texts) files.push_back({name, text});
    rules::Loaded loaded = rules::load(std::move(files));
    if (loaded.rules == nullptr) {
      return make_error("E307", fmt::format("the recorded rule set {} does not load with this version", hash),
                        "go back to the version that wrote the state, or move the directory away: windows begin empty then");
    }
    return loaded_.emplace(hash, loaded.rules).first->second;
  }

  Result<std::shared_ptr<const Matcher>> matcher(std::shared_ptr<const rules::RuleSet> rules) const {
    if (known_ != nullptr && known_->rules() == rules) return known_;
    auto built = Matcher::build(std::move(rules));
    if (!built) return built.error();
    return std::make_shared<const Matcher>(std::move(built).value());
  }

 private:
  store::EngineDb& db_;
  std::shared_ptr<const Matcher> known_;
  std::unordered_map<std::string, std::shared_ptr<const rules::RuleSet>> loaded_;
};

// Lines of the intake as they were stepped.
class RecordedLines {
 public:
  explicit RecordedLines(const syslog::ParserOptions& options) : parser_(options), kmsg_parser_(own_kmsg(options)) {}

  // Views into the row and into this, until the next one.
  struct Read {
    Line line;
    syslog::Message message;
  };
  Result<Read> read(const store::IntakeRow& row) {
    Read read;
    host_.clear();
    auto line = to_line_record(row, host_);
    if (!line) return line.error();
    read.line = *line;
    (line->own_kmsg ? kmsg_parser_ : parser_).parse(line->frame, read.message);
    read.message.truncated = line->truncated;
    if (read.message.host.empty()) read.message.host = line->host;
    return read;
  }

 private:
  syslog::Parser parser_, kmsg_parser_;
  std::string host_;
};

// Steps stored rows the way they were stepped when they were recorded.
class Stepper {
 public:
  Stepper(engine::Engine& engine, RuleArchive& archive, const SessionOptions& options)
      : engine_(engine), archive_(archive), lines_(options.parser) {}

  Status use(std::shared_ptr<const rules::RuleSet> rules) {
    auto matcher = archive_.matcher(std::move(rules));
    if (!matcher) return matcher.error();
    matcher_ = std::move(*matcher);
    return {};
  }

  Status step(const store::IntakeRow& row, engine::StepOutput& out) {
    if (row.kind != store::IntakeKind::line) {
      auto record = to_record(row, [this](const std::string& hash) { return archive_.find(hash); });
      if (!record) return record.error();
      if (const auto* rules = std::get_if<engine::RulesRecord>(&record->what)) {
        if (auto status = use(rules->rules); !status) return status;
      }
      engine_.step(*record, out);
      return {};
    }
    if (matcher_ == nullptr) return nothing_recorded();  // the database is damaged: lines without the rules that they met
    auto read = lines_.read(row);
    if (!read) return read.error();
    ids_.clear();
    matches_.clear();
    matcher_->candidate_patterns(read->message, scratch_, ids_);
    matcher_->match(read->message, ids_, matches_);
    engine_.step({row.seq, line_record(read->line, read->message, matches_)}, out);
    return {};
  }

 private:
  engine::Engine& engine_;
  RuleArchive& archive_;
  RecordedLines lines_;
  std::shared_ptr<const Matcher> matcher_;
  Matcher::Scratch scratch_;
  std::vector<std::uint32_t> ids_;
  std::vector<engine::PatternMatch> matches_;
};

// What the engine is restored from, and reads texts of evidence from afterwards: the database must outlive it.
class StoredState final : public engine::StateSource, public engine::EvidenceTexts {
 public:
  StoredState(store::EngineDb& db, const syslog::ParserOptions& options) : db_(db), lines_(options) {}
  Status each(engine::StateKind kind, const engine::RowVisitor& visit) override { return db_.each_row(kind, visit); }
  Result<std::optional<engine::StateRow>> row(std::uint64_t seq) override { return db_.row(engine::StateKind::evidence, seq); }
  Result<std::optional<engine::EvidenceLine>> line(std::uint64_t seq) override {
    const auto row = db_.intake(seq);
    if (!row) return row.error();
    if (!*row || (*row)->kind != store::IntakeKind::line) return std::optional<engine::EvidenceLine>{};
    const auto read = lines_.read(**row);
    if (!read) return read.error();
    return std::optional(engine::evidence_of(line_record(read->line, read->message, {}), seq));
  }

 private:
  store::EngineDb& db_;
  RecordedLines lines_;
};

}  // namespace

std::shared_ptr<engine::EvidenceTexts> stored_lines(store::EngineDb& db, const SessionOptions& options) {
  return std::make_shared<StoredState>(db, options.parser);
}

Result<engine::Engine> restore_engine(store::EngineDb& db, const SessionOptions& options, std::vector<engine::Decision>* decided) {
  engine::Engine engine(options.engine);
  const Status status = db.reading([&]() -> Status {
    auto snapshot = db.snapshot();
    if (!snapshot) return snapshot.error();
    if (snapshot->rules_hash.empty()) return nothing_recorded();
    RuleArchive archive(db, options.matcher);
    auto rules = archive.find(snapshot->rules_hash);
    if (!rules) return rules.error();
    auto stored = std::make_shared<StoredState>(db, options.parser);
    if (auto read = engine.restore(*rules, snapshot->seq, *stored, stored, snapshot->evidence_seq); !read) return read;
    Stepper stepper(engine, archive, options);
    if (auto used = stepper.use(*rules); !used) return used;
    Status failure;
    engine::StepOutput out;
    auto read = db.each_intake(snapshot->seq, [&](store::IntakeRow&& row) {
      out.clear();
      failure = stepper.step(row, out);
      if (decided != nullptr) decided->insert(decided->end(), out.decisions.begin(), out.decisions.end());
      return failure.ok();
    });
    return failure.ok() ? read : failure;
  });
  if (!status.ok()) return status.error();
  return engine;
}

Result<Recorded> replay_recorded(store::EngineDb& db, const SessionOptions& options, const Sink& sink) {
  RuleArchive archive(db, options.matcher);
  engine::Engine engine(options.engine);
  Stepper stepper(engine, archive, options);
  auto base = db.base_snapshot();
  if (!base) return base.error();
  if (base->seq > 0) {
    auto rules = archive.find(base->rules_hash);
    if (!rules) return rules.error();
    if (auto status = engine.restore(*rules, base->seq, base->rows); !status) return status.error();
    if (auto status = stepper.use(*rules); !status) return status.error();
  }
  std::vector<std::string> documents;
  auto status = db.each_decision({}, [&](std::string_view document) {
    documents.emplace_back(document);
    return true;
  });
  if (!status) return status.error();

  Recorded result;
  // Decisions taken before the kept intake begins have nothing to be compared with; they come first.
  std::vector<std::string> again;
  engine::StepOutput out;
  Status failure;
  status = db.each_intake(base->seq, [&](store::IntakeRow&& row) {
    out.clear();
    failure = stepper.step(row, out);
    if (!failure.ok()) return false;
    ++result.records;
    for (const engine::Decision& decision : out.decisions) again.push_back(to_line(engine::to_json(decision)));
    if (sink) sink(out, *engine.rules());
    return true;
  });
  if (!failure.ok()) return failure.error();
  if (!status) return status.error();
  if (result.records == 0 && base->seq == 0) {
    return nothing_recorded();
  }
  result.decisions = again.size();
  const std::size_t skipped = base->seq == 0 || documents.size() < again.size() ? 0 : documents.size() - again.size();
  for (std::size_t i = 0; i < std::max(again.size(), documents.size() - skipped); ++i) {
    const bool same = i < again.size() && skipped + i < documents.size() && again[i] == documents[skipped + i];
    result.different += same ? 0 : 1;
  }
  return result;
}

}  // namespace correlator::pipeline
