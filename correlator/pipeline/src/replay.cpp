// SPDX-License-Identifier: Apache-2.0
#include "pipeline/replay.h"

#include <algorithm>
#include <chrono>
#include <queue>

#include "pipeline/warm_up.h"
#include "rules/memory.h"

namespace correlator::pipeline {
namespace {

using Steady = std::chrono::steady_clock;

// Each source has a thread that reads ahead; with many hosts' files the threads would be more than the cores
// can use.
constexpr std::size_t kMaxReadAhead = 8;
// What the blocks of all sources may hold: each has some three, the one that is read, what it was scanned from and what is behind it for
// lines that repeat it. Blocks that are smaller than the least cost more to hand over than to read.
constexpr std::size_t kBlocksTogether = std::size_t{32} << 20, kBlocksOfOne = 3, kLeastBlock = std::size_t{16} << 10;
// What files that are decompressed ahead of their turn may hold, all together.
constexpr std::size_t kMostAhead = std::size_t{256} << 20;

class Replay {
 public:
  Replay(Session& session, const ReplayOptions& options)
      : session_(session), options_(options), pool_(session.matcher(), std::max(options.threads, 1U), options.profile) {
    if (options.profile) session_.start_profile();
  }

  Status open(std::vector<input::Source> sources);
  Status run();
  ReplayResult result();

  ~Replay() {
    if (warm_up_ != nullptr) session_.engine().watch(nullptr);
  }

 private:
  struct Head {
    Timestamp time;
    std::size_t stream;
    bool operator>(const Head& other) const {
      return time != other.time ? time > other.time : stream > other.stream;
    }
  };
  void plan_range();
  bool still_of_use();
  void push(std::size_t stream);
  void step(const Item& item);
  std::vector<store::Cursor> cursors() const;
  Status record();
  Status commit();
  bool state_is_due(std::uint64_t bytes, Steady::time_point now) const;
  Status now_and_then();

  Session& session_;
  const ReplayOptions& options_;
  ScanPool pool_;
  std::vector<std::unique_ptr<ArchiveStream>> streams_;
  std::priority_queue<Head, std::vector<Head>, std::greater<>> heads_;
  syslog::Parser parser_;
  std::uint64_t items_ = 0;
  std::uint64_t committed_bytes_ = 0;
  std::uint64_t recorded_bytes_ = 0;  // of records since the last commit
  Steady::time_point last_commit_ = Steady::now(), last_progress_ = Steady::now();
  Timestamp at_;
  bool stopped_ = false;
  std::optional<rules::Memory> memory_;
  std::unique_ptr<WarmUp> warm_up_;  // while something is in doubt
  std::vector<std::string> notes_;
  std::optional<std::string> doubt_;
};

Status Replay::open(std::vector<input::Source> sources) {
  StreamOptions stream = options_.stream;
  stream.read_ahead = stream.read_ahead && sources.size() <= kMaxReadAhead;
  const std::size_t shared_by = std::max<std::size_t>(sources.size(), 1);
  if (stream.block_size == 0) stream.block_size = pool_.threads() > 1 ? kBlockOfSeveral : kBlockOfOneThread;
  stream.block_size = std::min(stream.block_size, std::max(kBlocksTogether / (kBlocksOfOne * shared_by), kLeastBlock));
  // Two for each thread, shared out: memory is bounded by it, whatever the number of sources. The same for files of one source.
  if (pool_.threads() > 1) stream.files_ahead = (pool_.threads() - 1) / shared_by;
  if (stream.files_ahead > 0) stream.ahead_bytes = std::min(stream.ahead_bytes, kMostAhead / ((stream.files_ahead + 1) * shared_by));
  if (pool_.threads() > 1) stream.scan_ahead = std::max<std::size_t>(1, 2 * pool_.threads() / shared_by);
  std::vector<store::Cursor> cursors;
  if (session_.db() != nullptr) {
    auto found = session_.db()->cursors();
    if (!found) return found.error();
    cursors = std::move(found).value();
  }
  for (input::Source& source : sources) {
    auto opened = std::make_unique<ArchiveStream>(std::move(source), session_.matcher(), pool_, stream);
    const auto cursor = std::find_if(cursors.begin(), cursors.end(),
                                     [&](const store::Cursor& c) { return c.stream == opened->name(); });
    if (cursor != cursors.end()) {
      if (auto status = opened->resume(*cursor); !status) return status;
    }
    streams_.push_back(std::move(opened));
  }
  plan_range();
  for (std::size_t i = 0; i < streams_.size(); ++i) push(i);
  return {};
}

// Reads only what the range needs. Beginning late may be in vain and then everything is read once more: it must be worth it.
void Replay::plan_range() {
  constexpr std::uint64_t kWorthwhile = 4;  // a part of so many
  const bool skip = options_.skip && session_.db() == nullptr && (options_.from || options_.to);
  if (!skip) return;
  TimeRange range{std::nullopt, options_.to};
  if (options_.from) {
    const engine::Options engine;
    memory_ = rules::memory_of(*session_.matcher().rules(), engine.disorder, engine.late);
    if (memory_->schedule.empty()) {
      range.begin = *options_.from - memory_->reach();
    } else {
      notes_.push_back("rule " + memory_->schedule + " is a schedule with a cooldown, which counts from the beginning: all before the range is read");
    }
  }
  std::vector<SourceParts> parts;
  std::uint64_t size = 0, before = 0;
  for (const auto& stream : streams_) {
    parts.push_back(parts_in_range(stream->source(), range, [&](std::optional<Timestamp> mtime) { return stream->clock_for(mtime); }));
    size += parts.back().size;
    before += parts.back().before;
    for (std::string& note : parts.back().notes) notes_.push_back(std::move(note));
  }
  const bool late = before > 0 && before >= size / kWorthwhile;
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    if (!late) parts[i].read_from_beginning();
    streams_[i]->tell(options_.numbers);
    streams_[i]->read_only(std::move(parts[i]), options_.to.value_or(Timestamp::max()));
  }
  if (late) {
    warm_up_ = std::make_unique<WarmUp>(*session_.matcher().rules(), *memory_, *range.begin, *options_.from);
    session_.engine().watch(warm_up_.get());
  } else if (options_.sure) {
    options_.sure();
  }
}

// False once what is decided can only be in doubt.
bool Replay::still_of_use() {
  if (warm_up_->doubt()) {
    doubt_ = warm_up_->doubt();
  } else if (options_.enough && options_.enough()) {
    doubt_ = "more than can be kept back until it is sure";
  } else if (warm_up_->sure()) {
    session_.engine().watch(nullptr);
    warm_up_.reset();
    if (options_.sure) options_.sure();
  }
  return !doubt_;
}

void Replay::push(std::size_t stream) {
  if (const Item* item = streams_[stream]->peek()) heads_.push({item->time, stream});
}

void Replay::step(const Item& item) {
  if (item.time != Timestamp::min()) at_ = std::max(at_, item.time);
  if (options_.to && item.time > *options_.to) return;
  if (warm_up_ != nullptr && item.time != Timestamp::min()) warm_up_->line(item.patterns, item.time);
  if (item.is_mark) {
    if (item.time != Timestamp::min()) session_.mark(item.time);
    return;
  }
  syslog::Message message;
  if (!parser_.parse(item.frame, message)) return;
  message.truncated = item.truncated;
  Line line;
  line.frame = item.frame;
  line.stream = *item.file;
  line.line_number = item.line_number;
  line.time = item.time;
  line.undated = item.undated;
  line.times = item.times;
  line.truncated = item.truncated;
  line.host = options_.host;
  if (item.matches.empty()) {
    session_.line(line, message, item.patterns);
  } else {
    session_.matched(line, message, item.matches);
  }
}

std::vector<store::Cursor> Replay::cursors() const {
  std::vector<store::Cursor> cursors;
  for (const auto& stream : streams_) cursors.push_back(stream->cursor());
  return cursors;
}

// Records, decisions and positions; the state stays behind, and a start steps these records again.
Status Replay::record() {
  recorded_bytes_ += session_.uncommitted_bytes();
  return session_.record(cursors(), false);
}

Status Replay::commit() {
  last_commit_ = Steady::now();
  recorded_bytes_ = 0;
  if (auto status = session_.commit(cursors(), static_cast<bool>(options_.after_commit)); !status) return status;
  return options_.after_commit ? options_.after_commit() : Status{};
}

bool Replay::state_is_due(std::uint64_t bytes, Steady::time_point now) const {
  const auto since_commit = std::chrono::duration_cast<std::chrono::microseconds>(now - last_commit_).count();
  return bytes - committed_bytes_ >= options_.commit_bytes || recorded_bytes_ + session_.uncommitted_bytes() >= options_.commit_waiting ||
         since_commit >= options_.commit_every.us;
}

Status Replay::now_and_then() {
  session_.pack();
  std::uint64_t bytes = 0;
  for (const auto& stream : streams_) bytes += stream->bytes();
  const auto now = Steady::now();
  if (session_.db() != nullptr && state_is_due(bytes, now)) {
    committed_bytes_ = bytes;
    if (auto status = commit(); !status) return status;
  } else if (session_.db() != nullptr && session_.uncommitted_bytes() >= options_.record_bytes) {
    if (auto status = record(); !status) return status;
  }
  if (options_.progress && now - last_progress_ >= std::chrono::milliseconds(100)) {
    last_progress_ = now;
    Progress progress;
    progress.at = at_;
    for (const auto& stream : streams_) {
      progress.done += stream->done();
      progress.size += stream->size();
      progress.lines += stream->lines();
    }
    options_.progress(progress);
  }
  stopped_ = options_.stop && options_.stop();
  return {};
}

Status Replay::run() {
  while (!heads_.empty() && !stopped_) {
    const std::size_t stream = heads_.top().stream;
    heads_.pop();
    step(*streams_[stream]->peek());
    streams_[stream]->advance();
    push(stream);
    if (warm_up_ != nullptr && !still_of_use()) break;
    if (++items_ % 256 == 0 || heads_.empty()) {
      if (auto status = now_and_then(); !status) return status;
    }
  }
  if (doubt_) return {};
  if (!stopped_) session_.end();
  if (warm_up_ != nullptr && still_of_use()) session_.engine().watch(nullptr);
  return commit();
}

ReplayResult Replay::result() {
  ReplayResult result;
  result.stopped = stopped_;
  result.notes = std::move(notes_);
  result.doubt = std::move(doubt_);
  for (const auto& stream : streams_) {
    result.lines += stream->lines();
    result.bytes += stream->bytes();
    result.passed_over += stream->passed_over();
    result.size += stream->size();
    for (Diagnostic& problem : stream->take_errors()) result.problems.push_back(std::move(problem));
  }
  if (session_.profile() != nullptr) {
    result.profile = *session_.profile();
    result.profile->patterns.add(pool_.stop());
    result.profile->matcher = pool_.matcher();
  }
  return result;
}

}  // namespace

Result<ReplayResult> replay(Session& session, std::vector<input::Source> sources,
                            const ReplayOptions& options) {
  Replay replay(session, options);
  if (auto status = replay.open(std::move(sources)); !status) return status.error();
  if (auto status = replay.run(); !status) return status.error();
  return replay.result();
}

}  // namespace correlator::pipeline
