// SPDX-License-Identifier: Apache-2.0
#include "replay_sec.h"

#include <fmt/format.h>

#include <deque>
#include <memory>

#include "base/text.h"
#include "common.h"
#include "engine/procedure.h"
#include "input/blocks.h"
#include "input/reader.h"
#include "input/sources.h"
#include "pipeline/chunk.h"
#include "sec/service.h"
#include "syslog/archive_clock.h"
#include "syslog/parser.h"
#include "time/timestamp.h"

namespace correlator::cli {
namespace {

struct ArchiveLine {
  std::int64_t second = 0;
  std::string text;
};

// The lines of one source with the second each was written in.
class ArchiveLines {
 public:
  ArchiveLines(input::Source source, const SecReplay& what) : source_(std::move(source)), what_(what) {}

  const ArchiveLine* peek() {
    while (ready_.empty() && read()) {}
    return ready_.empty() ? nullptr : &ready_.front();
  }
  void advance() { ready_.pop_front(); }
  const std::string& name() const { return source_.name; }

 private:
  struct Unresolved {
    syslog::LineTime time;
    std::string text;
  };

  bool read() {
    if (reader_ == nullptr && !open()) return false;
    auto block = reader_->next();
    if (!block) complain(block.error());
    if (block && *block) {
      take(chunker_.add(std::move(**block)), false);
      return true;
    }
    if (auto rest = chunker_.end()) take(std::move(rest), true);
    timeline_->end();
    settle(true);
    reader_.reset();
    return true;
  }

  bool open() {
    while (next_ < source_.files.size()) {
      auto reader = input::open_reader(source_.files[next_++]);
      if (!reader) {
        complain(reader.error());
        continue;
      }
      syslog::ArchiveClockOptions clock;
      clock.zone = what_.zone;
      clock.year = what_.year;
      clock.not_after = (*reader)->mtime();
      timeline_.emplace(clock);
      reader_ = std::make_unique<input::BlockReader>(std::move(reader).value());
      chunker_ = {};
      return true;
    }
    return false;
  }

  void take(const std::shared_ptr<const pipeline::Chunk>& chunk, bool at_eof) {
    if (chunk == nullptr || chunk->bytes.empty()) return;
    timeline_->add(chunk->bytes, chunk->offset, chunk->state);
    syslog::BlockFrames frames(chunk->bytes, chunk->state, at_eof);
    syslog::Message message;
    for (syslog::Frame frame; frames.next(frame);) {
      if (!parser_.parse(frame.bytes, message)) message = {};
      unresolved_.push_back({timeline_->mark(frame, message), std::string(frame.bytes)});
    }
    settle(false);
  }

  void settle(bool all) {
    while (!unresolved_.empty() && (all || unresolved_.front().time.offset < timeline_->settled())) {
      const syslog::Resolved resolved = timeline_->resolve(unresolved_.front().time);
      ready_.push_back({resolved.time.us / 1'000'000, std::move(unresolved_.front().text)});
      unresolved_.pop_front();
    }
  }

  input::Source source_;
  const SecReplay& what_;
  std::size_t next_ = 0;
  std::unique_ptr<input::BlockReader> reader_;
  std::optional<syslog::ArchiveTimeline> timeline_;
  pipeline::Chunker chunker_;
  syslog::Parser parser_;
  std::deque<Unresolved> unresolved_;
  std::deque<ArchiveLine> ready_;
};

// What is written to standard output is printed; all else is only said, with its time.
class Printer {
 public:
  void print(const engine::Effects& effects, std::int64_t now) {
    using Kind = engine::Effect::Kind;
    for (const engine::Effect& e : effects) {
      switch (e.kind) {
        case Kind::out: std::fwrite(e.text.data(), 1, e.text.size(), stdout); break;
        case Kind::say: std::fputs((printable(e.text) + "\n").c_str(), stderr); break;
        case Kind::command: said(now, "would run: ", e.command.empty() ? join(e.words, " ") : e.command); break;
        case Kind::file:
        case Kind::file_once: said(now, "would write to " + e.target + ": ", trim(e.text)); break;
        case Kind::datagram:
        case Kind::stream:
        case Kind::udp:
        case Kind::tcp: said(now, "would send to " + e.target + ": ", trim(e.text)); break;
        default: break;
      }
    }
  }

 private:
  static void said(std::int64_t now, const std::string& what, std::string_view text) {
    std::fputs(fmt::format("{}  {}{}\n", to_rfc3339(Timestamp{now * 1'000'000}), printable(what), printable(text)).c_str(), stdout);
  }
};

class Replay {
 public:
  explicit Replay(engine::Procedure& engine) : engine_(engine) {}

  // Time goes on: each second that something is due in comes by itself, with the lines that rules made.
  void go_to(std::int64_t second) {
    if (!began_) {
      began_ = true;
      now_ = second;
      sweep();
    }
    for (auto due = engine_.next_due(); due && *due <= second; due = engine_.next_due()) {
      now_ = *due;
      sweep();
    }
    now_ = std::max(now_, second);
  }

  void line(std::string_view source, std::string_view text) {
    engine_.line(now_, {source, {}, text, nullptr}, effects_);
    finish();
  }

 private:
  void sweep() {
    engine_.sweep(now_, effects_);
    finish();
  }
  void finish() {
    printer_.print(effects_, now_);
    effects_.clear();
    while (engine_.has_queued()) {
      engine_.next_queued(now_, effects_);
      printer_.print(effects_, now_);
      effects_.clear();
    }
  }

  engine::Procedure& engine_;
  Printer printer_;
  engine::Effects effects_;
  std::int64_t now_ = 0;
  bool began_ = false;
};

}  // namespace

int replay_sec(const SecReplay& what) {
  const sec::RulesRead rules = sec::read_rules(what.rules);
  complain(rules.diagnostics);
  if (!rules.some()) return kBadConfig;
  const input::SourceList list = input::expand_sources(what.logs);
  complain(list.diagnostics);
  if (list.sources.empty()) return kNoInput;
  engine::Procedure::Options how;
  how.scripts = rules.scripts;
  engine::Procedure engine(rules.program, how);
  Replay replay(engine);
  std::vector<std::unique_ptr<ArchiveLines>> sources;
  for (const input::Source& source : list.sources) sources.push_back(std::make_unique<ArchiveLines>(source, what));
  for (;;) {
    ArchiveLines* next = nullptr;
    for (const auto& source : sources) {
      if (source->peek() != nullptr && (next == nullptr || source->peek()->second < next->peek()->second)) next = source.get();
    }
    if (next == nullptr) break;
    replay.go_to(next->peek()->second);
    replay.line(next->name(), next->peek()->text);
    next->advance();
  }
  return kFine;
}

}  // namespace correlator::cli
