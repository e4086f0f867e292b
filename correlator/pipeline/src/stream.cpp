// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream.h"

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "input/identity.h"
#include "input/reader.h"

namespace correlator::pipeline {

std::uint64_t Chunk::line_of(std::size_t position) const {
  if (joined.empty()) return block.line_of(position);
  return first_line + input::count_newlines(bytes.substr(0, position));
}

ArchiveStream::ArchiveStream(input::Source source, const Matcher& matcher, StreamOptions options)
    : source_(std::move(source)), matcher_(matcher), options_(std::move(options)), parser_(options_.parser) {
  for (const auto& path : source_.files) {
    std::error_code failure;
    const auto size = std::filesystem::file_size(path, failure);
    if (!failure) total_size_ += size;
  }
}

Status ArchiveStream::resume(const store::Cursor& cursor) {
  Status last;
  for (std::size_t i = 0; i < source_.files.size(); ++i) {
    if (auto status = input::check_resume(source_.files[i], {cursor.identity}, cursor.offset); !status) {
      if (last.ok() || status.error().code != "E207") last = status;
      continue;
    }
    next_file_ = i;
    resume_offset_ = cursor.offset;
    const auto extra = parse_json(cursor.extra);
    resume_line_ = extra && extra->is_object() && extra->value("line", false);
    return {};
  }
  return last;
}

bool ArchiveStream::already_given(const Item& item) const {
  if (!resume_offset_) return false;
  return item.offset < *resume_offset_ || (item.offset == *resume_offset_ && (item.is_mark || resume_line_));
}

bool ArchiveStream::open_next_file() {
  while (next_file_ < source_.files.size()) {
    const std::filesystem::path& path = source_.files[next_file_++];
    auto reader = input::open_reader(path);
    if (!reader) {
      errors_.push_back(reader.error());
      resume_offset_.reset();
      continue;
    }
    const auto identity = path == "-" ? Result<input::FileIdentity>(input::FileIdentity{}) : input::identify(path);
    identity_ = identity ? identity->id : std::string{};
    file_ = std::make_shared<const std::string>((*reader)->name());
    syslog::ArchiveClockOptions clock = options_.clock;
    if (const auto mtime = (*reader)->mtime()) clock.not_after = std::min(clock.not_after, *mtime);
    timeline_.emplace(clock);
    input::BlockOptions blocks;
    blocks.block_size = options_.block_size;
    blocks.read_ahead = options_.read_ahead;
    reader_ = std::make_unique<input::BlockReader>(std::move(reader).value(), blocks);
    state_ = {};
    left_over_.reset();
    recent_.clear();
    file_bytes_ = 0;
    given_offset_ = 0;
    given_line_ = false;
    last_mark_.reset();
    return true;
  }
  return false;
}

// Reads the next block and turns it into items. False at the end of the source.
bool ArchiveStream::read_chunk() {
  if (reader_ == nullptr && !open_next_file()) return false;
  auto next = reader_->next();
  if (!next || !next->has_value()) {
    if (!next) errors_.push_back(next.error());
    finish_file();
    return true;
  }
  input::Block block = std::move(**next);
  lines_ += block.newlines();
  bytes_ += block.bytes.size();
  file_bytes_ = block.offset + block.bytes.size();
  auto chunk = std::make_shared<Chunk>();
  if (left_over_ != nullptr) {
    chunk->joined.assign(left_over_->bytes);
    chunk->joined += block.bytes;
    chunk->bytes = chunk->joined;
    chunk->offset = left_over_->offset;
    chunk->first_line = left_over_->first_line;
    left_over_.reset();
  } else {
    chunk->block = std::move(block);
    chunk->bytes = chunk->block.bytes;
    chunk->offset = chunk->block.offset;
    chunk->first_line = chunk->block.first_line;
  }
  take_chunk(std::move(chunk), false);
  return true;
}

void ArchiveStream::take_chunk(std::shared_ptr<Chunk> chunk, bool at_eof) {
  chunk->state = state_;
  syslog::BlockFrames frames(chunk->bytes, state_, at_eof);
  candidates_.clear();
  matcher_.candidates(chunk->bytes, state_, at_eof, scratch_, candidates_);
  for (syslog::Frame frame; frames.next(frame);) {
  }
  const std::size_t consumed = frames.consumed();
  if (consumed < chunk->bytes.size() && !at_eof) {
    // A frame of several lines runs on into the next block.
    left_over_ = std::make_shared<Chunk>();
    left_over_->joined.assign(chunk->bytes.substr(consumed));
    left_over_->bytes = left_over_->joined;
    left_over_->offset = chunk->offset + consumed;
    left_over_->first_line = chunk->line_of(consumed);
  }
  state_ = frames.state();
  if (consumed == 0) return;
  chunk->bytes = chunk->bytes.substr(0, consumed);
  timeline_->add(chunk->bytes, chunk->offset, chunk->state);
  const std::shared_ptr<const Chunk> kept = std::move(chunk);
  recent_.push_back(kept);
  for (Candidate& candidate : candidates_) take_candidate(kept, candidate);
  while (recent_.size() > 1 && recent_[1]->offset + kLookBack <= kept->offset + kept->bytes.size()) recent_.pop_front();
  settle(false);
}

void ArchiveStream::take_candidate(const std::shared_ptr<const Chunk>& chunk, Candidate& candidate) {
  syslog::Message message;
  if (!parser_.parse(candidate.frame.bytes, message)) return;
  Unresolved waiting;
  Item& item = waiting.item;
  item.offset = chunk->offset + candidate.frame.begin;
  item.frame = candidate.frame.bytes;
  item.truncated = candidate.frame.truncated;
  item.patterns = std::move(candidate.patterns);
  item.file = file_;
  item.chunk = chunk;
  const bool repeats = !item.patterns.empty() && message.repeats_previous > 0 &&
                       std::find(item.patterns.begin(), item.patterns.end(), matcher_.repeat_pattern()) != item.patterns.end();
  item.is_mark = message.text == "-- MARK --";
  item.times = repeats ? message.repeats_previous : 1;
  waiting.time = timeline_->mark(candidate.frame, message);
  if (repeats && !look_back(chunk, candidate.frame, message.host, item)) return;
  if (!item.is_mark) item.line_number = chunk->line_of(candidate.frame.begin);
  unresolved_.push_back(std::move(waiting));
}

// The line before of the same host within kLookBack becomes the item's frame, if it may match something.
bool ArchiveStream::look_back(const std::shared_ptr<const Chunk>& chunk, const syslog::Frame& frame, std::string_view host,
                              Item& item) {
  const std::string wanted(host);
  const std::uint64_t here = chunk->offset + frame.begin;
  const std::uint64_t limit = here > kLookBack ? here - kLookBack : 0;
  for (auto it = recent_.rbegin(); it != recent_.rend(); ++it) {
    const Chunk& part = **it;
    std::size_t end = std::min<std::uint64_t>(part.bytes.size(), here - std::min(here, part.offset));
    while (end > 0 && part.offset + end > limit) {
      const std::size_t newline = part.bytes.substr(0, end - 1).rfind('\n');
      const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
      const std::string_view line = part.bytes.substr(begin, end - begin - (part.bytes[end - 1] == '\n' ? 1 : 0));
      end = begin;
      syslog::Message before;
      if (!parser_.parse(line, before) || before.host != wanted || before.repeats_previous > 0) continue;
      item.patterns.clear();
      matcher_.candidate_patterns(before, scratch_, item.patterns);
      item.frame = line;
      item.repeated_chunk = *it;
      return !item.patterns.empty();
    }
  }
  return false;
}

// Moves what the archive clock can answer by now into the queue of ready items, with the marks of its anchors between.
void ArchiveStream::settle(bool at_eof) {
  const std::uint64_t settled = at_eof ? UINT64_MAX : timeline_->settled();
  const auto push = [&](Item item) {
    if (!already_given(item)) ready_.push_back(std::move(item));
  };
  for (;;) {
    const auto mark = timeline_->peek_mark();
    const bool line_first = !unresolved_.empty() && (!mark || unresolved_.front().time.offset < mark->offset);
    if (line_first) {
      if (unresolved_.front().time.offset >= settled) break;
      const syslog::Resolved at = timeline_->resolve(unresolved_.front().time);
      Item item = std::move(unresolved_.front().item);
      item.time = at.time;
      item.undated = at.undated;
      unresolved_.pop_front();
      push(std::move(item));
    } else if (mark && mark->offset < settled) {
      Item item;
      item.is_mark = true;
      item.time = mark->time;
      item.offset = mark->offset;
      item.file = file_;
      timeline_->pop_mark();
      push(std::move(item));
    } else {
      break;
    }
  }
  if (!unresolved_.empty()) {
    timeline_->forget(std::min(unresolved_.front().time.offset, settled));
  } else if (!at_eof) {
    timeline_->forget(settled);
  }
}

void ArchiveStream::finish_file() {
  if (left_over_ != nullptr) {
    auto rest = std::move(left_over_);
    left_over_.reset();
    take_chunk(std::move(rest), true);
  }
  timeline_->end();
  settle(true);
  finished_size_ += reader_->reader().compressed_size().value_or(0);
  reader_.reset();
  if (resume_offset_) resume_offset_.reset();
  // An item that only says where the file ends, so that the position behind its last line is remembered.
  Item end;
  end.is_mark = true;
  end.file = file_;
  end.offset = file_bytes_;
  end.time = timeline_->latest().value_or(Timestamp::min());
  ready_.push_back(std::move(end));
}

const Item* ArchiveStream::peek() {
  while (ready_.empty()) {
    if (!read_chunk()) return nullptr;
  }
  return &ready_.front();
}

void ArchiveStream::advance() {
  if (ready_.empty()) return;
  given_offset_ = ready_.front().offset;
  given_line_ = !ready_.front().is_mark;
  ready_.pop_front();
}

store::Cursor ArchiveStream::cursor() const {
  store::Cursor cursor;
  cursor.stream = source_.name;
  cursor.identity = identity_;
  cursor.offset = given_offset_;
  cursor.extra = to_line(Json{{"file", file_ == nullptr ? "" : *file_}, {"line", given_line_}});
  return cursor;
}

std::uint64_t ArchiveStream::done() const {
  return finished_size_ + (reader_ == nullptr ? 0 : reader_->reader().compressed_offset());
}

}  // namespace correlator::pipeline
