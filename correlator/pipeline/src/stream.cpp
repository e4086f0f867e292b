// SPDX-License-Identifier: Apache-2.0
#include "pipeline/stream.h"

#include <algorithm>
#include <filesystem>

#include "base/json.h"
#include "input/identity.h"
#include "input/reader.h"

namespace correlator::pipeline {

ArchiveStream::ArchiveStream(input::Source source, const Matcher& matcher, ScanPool& pool, StreamOptions options)
    : source_(std::move(source)), matcher_(matcher), pool_(pool), options_(std::move(options)), parser_(options_.parser) {
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

void ArchiveStream::read_only(SourceParts parts, Timestamp to) {
  for (std::size_t i = 0; i < parts.files.size(); ++i) {
    std::error_code failure;
    const auto size = std::filesystem::file_size(source_.files[i], failure);
    if (failure) continue;
    const std::uint64_t left_out = parts.files[i].skip ? size : parts.files[i].start;
    passed_over_ += left_out;
    if (parts.files[i].skip) finished_size_ += size;
  }
  parts_ = std::move(parts);
  to_ = to;
}

syslog::ArchiveClockOptions ArchiveStream::clock_for(std::optional<Timestamp> mtime) const {
  syslog::ArchiveClockOptions clock = options_.clock;
  if (!clock.not_after) clock.not_after = mtime;
  if (!clock.not_after) clock.not_after = options_.pipes_end;
  return clock;
}

input::BlockOptions ArchiveStream::block_options(std::size_t file) const {
  input::BlockOptions blocks;
  blocks.block_size = options_.block_size;
  blocks.read_ahead = options_.read_ahead;
  if (parts_) blocks.start_offset = parts_->files[file].start;
  return blocks;
}

ArchiveStream::Opened ArchiveStream::open(std::size_t file, bool ahead) const {
  const std::filesystem::path& path = source_.files[file];
  Opened opened;
  opened.index = file;
  auto reader = input::open_reader(path);
  if (!reader) {
    opened.error = reader.error();
    return opened;
  }
  const auto identity = path == "-" ? Result<input::FileIdentity>(input::FileIdentity{}) : input::identify(path);
  opened.identity = identity ? identity->id : std::string{};
  opened.name = std::make_shared<const std::string>((*reader)->name());
  opened.mtime = (*reader)->mtime();
  if (ahead && (*reader)->compression() == input::Compression::none) {
    opened.plain = std::move(reader).value();
    return opened;
  }
  input::BlockOptions blocks = block_options(file);
  if (ahead) blocks.queue = std::max(blocks.queue, options_.ahead_bytes / std::max<std::size_t>(options_.block_size, 1));
  opened.blocks = std::make_unique<input::BlockReader>(std::move(reader).value(), blocks);
  return opened;
}

// Decompressing is what archives cost most: the files behind are begun before it is their turn.
void ArchiveStream::open_ahead() {
  if (!options_.read_ahead) return;
  while (opened_.size() < options_.files_ahead && next_file_ < source_.files.size()) {
    // Behind the last one that is compressed there are none: what was not rotated yet stands at the end.
    if (!opened_.empty() && opened_.back().plain != nullptr) return;
    std::error_code failure;
    if (!std::filesystem::is_regular_file(source_.files[next_file_], failure)) return;
    const std::size_t file = next_file_++;
    if (!left_out(file)) opened_.push_back(open(file, true));
  }
}

bool ArchiveStream::open_next_file() {
  for (;;) {
    while (opened_.empty() && next_file_ < source_.files.size() && left_out(next_file_)) ++next_file_;
    Opened next;
    if (!opened_.empty()) {
      next = std::move(opened_.front());
      opened_.pop_front();
    } else if (next_file_ < source_.files.size()) {
      next = open(next_file_++, false);
    } else {
      return false;
    }
    if (next.error) {
      errors_.push_back(*next.error);
      resume_offset_.reset();
      continue;
    }
    begin(std::move(next));
    open_ahead();
    return true;
  }
}

void ArchiveStream::begin(Opened file) {
  identity_ = std::move(file.identity);
  file_ = std::move(file.name);
  timeline_.emplace(clock_for(file.mtime));
  if (parts_) {
    FilePart& part = parts_->files[file.index];
    if (part.timeline) timeline_ = std::move(part.timeline);
    if (part.start > 0 && numbers_ != nullptr) numbers_->passed_over(*file_, part.start);
    may_stop_ = part.may_stop;
    marks_behind_ = 0;
  }
  reader_ = std::move(file.blocks);
  if (reader_ == nullptr) reader_ = std::make_unique<input::BlockReader>(std::move(file.plain), block_options(file.index));
  chunker_ = {};
  file_ended_ = false;
  look_back_.clear();
  file_bytes_ = 0;
  given_offset_ = 0;
  given_line_ = false;
  last_mark_.reset();
}

// The clock has been behind the range for some anchors: nothing of it is expected here any more.
void ArchiveStream::stop_behind_range(const syslog::ArchiveClock::Mark& mark) {
  if (!parts_ || file_ended_) return;
  marks_behind_ = mark.time > to_ + syslog::kLeap ? marks_behind_ + 1 : 0;
  if (marks_behind_ < kMarksBehind || mark.offset < may_stop_) return;
  file_ended_ = true;
  const input::Reader& reader = reader_->reader();
  const std::uint64_t read = reader.compressed_offset(), size = reader.compressed_size().value_or(0);
  if (read < size) passed_over_ += size - read;
}

// Has as many blocks scanned ahead as may be, but waits for the reader only while none is.
void ArchiveStream::read_ahead() {
  while (!file_ended_ && ahead_.size() < options_.scan_ahead && (ahead_.empty() || reader_->ready())) {
    auto next = reader_->next();
    if (!next || !next->has_value()) {
      if (!next) file_error_ = next.error();
      file_ended_ = true;
      return;
    }
    input::Block block = std::move(**next);
    Ahead ahead;
    ahead.lines = block.newlines();
    ahead.bytes = block.bytes.size();
    ahead.end = block.offset + block.bytes.size();
    ahead.unfinished_line = !block.bytes.empty() && block.bytes.back() != '\n';
    auto chunk = chunker_.add(std::move(block));
    if (!chunk->bytes.empty()) ahead.scan = pool_.begin(std::move(chunk));
    ahead_.push_back(std::move(ahead));
  }
}

// The next block becomes items. False at the end of the source.
bool ArchiveStream::take_next() {
  if (reader_ == nullptr && !open_next_file()) return false;
  read_ahead();
  if (ahead_.empty()) {
    if (file_error_) errors_.push_back(*std::exchange(file_error_, std::nullopt));
    finish_file();
    return true;
  }
  const Ahead next = std::move(ahead_.front());
  ahead_.pop_front();
  lines_ += next.lines;
  bytes_ += next.bytes;
  file_bytes_ = next.end;
  unfinished_line_ = next.unfinished_line;
  if (next.scan != nullptr) take_scanned(*next.scan);
  return true;
}

void ArchiveStream::take_scanned(Scan& scan) {
  pool_.finish(scan);
  const Chunk& chunk = *scan.chunk;
  timeline_->add(chunk.bytes, chunk.offset, chunk.state, chunk.traits);
  look_back_.add(scan.chunk);
  for (Candidate& candidate : scan.candidates) take_candidate(scan.chunk, candidate);
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
  item.matches = std::move(candidate.matches);
  item.file = file_;
  item.chunk = chunk;
  const bool repeats =
      !item.patterns.empty() && message.repeats_previous > 0 &&
      std::find(item.patterns.begin(), item.patterns.end(), matcher_.repeat_pattern()) != item.patterns.end();
  item.is_mark = message.text == "-- MARK --";
  item.times = repeats ? message.repeats_previous : 1;
  waiting.time = timeline_->mark(candidate.frame, message);
  if (repeats) {
    LookBack::Found found = look_back_.before(item.offset, message.host, matcher_, scratch_);
    if (found.patterns.empty()) return;
    item.frame = found.frame;
    item.patterns = std::move(found.patterns);
    item.matches.clear();
    item.repeated_chunk = std::move(found.chunk);
  }
  if (!item.is_mark) item.line_number = chunk->line_of(candidate.frame.begin);
  unresolved_.push_back(std::move(waiting));
}

// Moves what the archive clock can answer by now into the queue of ready items, with the marks of its anchors
// between.
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
      stop_behind_range({item.offset, item.time});
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
  if (auto rest = chunker_.end(); rest != nullptr && !rest->bytes.empty()) take_scanned(*pool_.begin(std::move(rest)));
  if (std::exchange(unfinished_line_, false)) ++lines_;
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
  end.time = Timestamp::min();
  ready_.push_back(std::move(end));
}

const Item* ArchiveStream::peek() {
  while (ready_.empty()) {
    if (!take_next()) return nullptr;
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
