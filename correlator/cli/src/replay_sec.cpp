// SPDX-License-Identifier: Apache-2.0
#include "replay_sec.h"

#include <fmt/format.h>

#include <deque>
#include <memory>
#include <optional>
#include <utility>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"
#include "common.h"
#include "engine/procedure.h"
#include "input/blocks.h"
#include "input/reader.h"
#include "input/sources.h"
#include "pipeline/chunk.h"
#include "report/profile.h"
#include "sec/kept_state.h"
#include "sec/service.h"
#include "syslog/archive_clock.h"
#include "syslog/parser.h"
#include "time/clock.h"
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
  void advance() {
    if (taken_++ == 0) first_ = std::to_string(hash64(ready_.front().text));
    ready_.pop_front();
  }
  const std::string& name() const { return source_.name; }

  // How many lines were taken, and which the first one was, so that another archive of that name is not taken for it.
  store::Cursor place() const { return {source_.name, first_, 0, taken_, {}}; }
  // Passes over what an earlier run took. False if this begins with another line.
  bool resume(const store::Cursor& from) {
    while (taken_ < from.line && peek() != nullptr) {
      if (taken_ == 0 && std::to_string(hash64(ready_.front().text)) != from.identity) return false;
      advance();
    }
    return true;
  }

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
    timeline_->add(chunk->bytes, chunk->offset, chunk->state, chunk->traits);
    syslog::BlockFrames frames(chunk->bytes, chunk->state, at_eof, chunk->traits);
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
  std::uint64_t taken_ = 0;
  std::string first_;
};

// What is written to standard output is printed; all else is only said, with its time.
class Printer {
 public:
  // Nothing reaches standard output before take() gives it.
  void keep() { keeps_ = true; }
  std::string take() { return std::exchange(kept_, {}); }

  void print(const engine::Effects& effects, std::int64_t now) {
    using Kind = engine::Effect::Kind;
    for (const engine::Effect& e : effects) {
      switch (e.kind) {
        case Kind::out: write(e.text); break;
        case Kind::say: std::fputs((printable(e.text) + "\n").c_str(), stderr); break;
        case Kind::command:
          said(now, "would run: ", e.command.empty() ? join(e.words, " ") : e.command);
          if (e.feeds) fed(e.text);
          break;
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
  void said(std::int64_t now, const std::string& what, std::string_view text) {
    write(fmt::format("{}  {}{}\n", to_rfc3339(Timestamp{now * 1'000'000}), printable(what), printable(text)));
  }
  // What the command would read.
  void fed(std::string_view text) {
    if (text.ends_with('\n')) text.remove_suffix(1);
    for (const std::string_view line : split(text, "\n")) write(fmt::format("    < {}\n", printable(line)));
  }
  void write(std::string_view text) {
    if (keeps_) kept_ += text;
    else std::fwrite(text.data(), 1, text.size(), stdout);
  }

  bool keeps_ = false;
  std::string kept_;
};

class Replay {
 public:
  explicit Replay(engine::Procedure& engine) : engine_(engine), now_(engine.now()), began_(now_ > 0) {}
  Printer& printer() { return printer_; }

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
  std::int64_t now_;
  bool began_;
};

// CPU time in the rules; what the scanner passed over costs them nothing.
void print_profile(const engine::Procedure& engine) {
  std::vector<report::RuleRow> rows;
  for (const engine::Procedure::RuleCost& rule : engine.rule_costs()) {
    rows.push_back({fmt::format("{}:{} {}{}{}", rule.file, rule.line, rule.type, rule.description.empty() ? "" : " ", rule.description), rule.met, rule.matches,
                    static_cast<std::int64_t>(rule.cpu_ns)});
  }
  std::fputs(report::sec_profile_text(std::move(rows)).c_str(), stderr);
}

using Sources = std::vector<std::unique_ptr<ArchiveLines>>;

// --state: where the archives were left, and what was printed until then.
class Survival {
 public:
  Survival(sec::KeptState kept, Sources& sources) : kept_(std::move(kept)), sources_(sources) {}

  void bring_back(engine::Procedure& engine) {
    std::vector<std::string> dropped;
    kept_.bring_back(engine, dropped);
    for (const std::string& what : dropped) std::fputs(("dropped of the state: " + printable(what) + "\n").c_str(), stderr);
    for (const auto& source : sources_) {
      const store::Cursor* place = kept_.cursor(source->name());
      if (place != nullptr && !source->resume(*place)) std::fputs((printable(source->name()) + " is another archive than before, and is read from its start\n").c_str(), stderr);
    }
    for (const engine::Effect& effect : kept_.waiting()) std::fwrite(effect.text.data(), 1, effect.text.size(), stdout);
    finish();
    kept_.forget_last_run();
  }

  // Each so many lines, and at the end.
  bool settle(const engine::Procedure& engine, Printer& printer, bool end) {
    if (!end && ++lines_ % kLines != 0) return true;
    engine::Effects effects;
    if (std::string text = printer.take(); !text.empty()) {
      effects.emplace_back();
      effects.back().kind = engine::Effect::Kind::out;
      effects.back().text = std::move(text);
    }
    std::vector<store::Cursor> places;
    for (const auto& source : sources_) places.push_back(source->place());
    if (const Status written = kept_.commit(engine, std::move(places), effects); !written.ok()) {
      complain(written.error());
      return false;
    }
    if (effects.empty()) return true;
    std::fwrite(effects.front().text.data(), 1, effects.front().text.size(), stdout);
    return finish();
  }

 private:
  static constexpr std::uint64_t kLines = 4096;

  bool finish() {
    std::fflush(stdout);
    const Status done = kept_.done();
    if (!done.ok()) complain(done.error());
    return done.ok();
  }

  sec::KeptState kept_;
  Sources& sources_;
  std::uint64_t lines_ = 0;
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
  if (what.profile) how.cpu_time = thread_cpu_time;
  engine::Procedure engine(rules.program, how);
  Sources sources;
  for (const input::Source& source : list.sources) sources.push_back(std::make_unique<ArchiveLines>(source, what));
  std::optional<Survival> survival;
  if (!what.state.empty()) {
    auto kept = sec::KeptState::open(what.state);
    if (!kept) {
      complain(kept.error());
      return kIoError;
    }
    survival.emplace(std::move(*kept), sources);
    survival->bring_back(engine);
  }
  Replay replay(engine);
  if (survival) replay.printer().keep();
  for (;;) {
    ArchiveLines* next = nullptr;
    for (const auto& source : sources) {
      if (source->peek() != nullptr && (next == nullptr || source->peek()->second < next->peek()->second)) next = source.get();
    }
    if (next == nullptr) break;
    replay.go_to(next->peek()->second);
    replay.line(next->name(), next->peek()->text);
    next->advance();
    if (survival && !survival->settle(engine, replay.printer(), false)) return kIoError;
  }
  if (survival && !survival->settle(engine, replay.printer(), true)) return kIoError;
  if (what.profile) print_profile(engine);
  return kFine;
}

}  // namespace correlator::cli
