// SPDX-License-Identifier: Apache-2.0
// One source of an archive as a sequence of items in stream order: lines that may match, and marks of its
// clock.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "input/blocks.h"
#include "input/sources.h"
#include "pipeline/chunk.h"
#include "pipeline/matcher.h"
#include "pipeline/range.h"
#include "pipeline/scan_pool.h"
#include "store/engine_db.h"
#include "syslog/archive_clock.h"

namespace correlator::pipeline {

struct Item {
  bool is_mark = false;  // only `time`, `file` and `offset` are set
  Timestamp time;
  bool undated = false;
  std::uint64_t offset = 0;  // in the decompressed file
  std::uint64_t line_number = 0;
  std::string_view frame;  // what to decode: of a repeat line, the line that it repeats
  std::uint32_t times = 1;
  bool truncated = false;
  std::vector<std::uint32_t> patterns;
  std::vector<engine::PatternMatch> matches;  // of them, where they are known already
  std::shared_ptr<const std::string> file;
  std::shared_ptr<const Chunk> chunk, repeated_chunk;
};

// What is read, counted, looked at and scanned by one thread stays in a core's own cache. Where it goes from core to core, fewer hand-overs are
// worth more: a thread that has gone to sleep over an empty queue is woken later than a small block is read.
inline constexpr std::size_t kBlockOfOneThread = std::size_t{256} << 10, kBlockOfSeveral = std::size_t{768} << 10;

struct StreamOptions {
  syslog::ArchiveClockOptions clock;   // not_after is set from each file's mtime
  std::optional<Timestamp> pipes_end;  // not_after of what has no mtime
  syslog::ParserOptions parser;
  std::size_t block_size = 0;  // bytes; 0: as suits the number of threads
  bool read_ahead = true;
  std::size_t scan_ahead = 1;  // chunks that may be under way in the pool
  // Compressed files behind the one that is read which are decompressed meanwhile, each by a thread of its own, and how many
  // bytes of each may wait for their turn. Nothing without read_ahead.
  std::size_t files_ahead = 0;
  std::size_t ahead_bytes = std::size_t{64} << 20;
};

class ArchiveStream {
 public:
  // `matcher` is that of the pool.
  ArchiveStream(input::Source source, const Matcher& matcher, ScanPool& pool, StreamOptions options);

  // Reads no more than these parts (of this source). Not with resume().
  void read_only(SourceParts parts, Timestamp to);
  syslog::ArchiveClockOptions clock_for(std::optional<Timestamp> mtime) const;
  const input::Source& source() const { return source_; }

  // Begins behind a recorded position: items up to it are not given again. E207 if none of the source's files
  // is the one that was recorded, E206 if that one is shorter now.
  Status resume(const store::Cursor& cursor);

  // The next item, or nullptr at the end. Valid until the next call of advance(). An error of a file comes
  // after all that the file held and is then followed by the next file.
  const Item* peek();
  void advance();

  // Where the stream stands: everything before it was given by peek() and passed by advance().
  store::Cursor cursor() const;

  const std::string& name() const { return source_.name; }
  Diagnostics take_errors() { return std::exchange(errors_, {}); }
  std::uint64_t lines() const { return lines_; }
  std::uint64_t bytes() const { return bytes_; }
  // Compressed bytes behind us and in all, for a progress bar.
  std::uint64_t done() const;
  std::uint64_t size() const { return total_size_; }
  std::uint64_t passed_over() const { return passed_over_; }  // bytes on disk that parts left out; at the end
  // Which beginnings were passed over, told as their files are begun.
  void tell(LineNumbers* numbers) { numbers_ = numbers; }

 private:
  struct Unresolved {
    Item item;
    syslog::LineTime time;
  };
  // A file of the source that is open, and perhaps being decompressed, while an earlier one is read.
  struct Opened {
    std::optional<Diagnostic> error;  // it could not be opened: nothing else is set
    std::string identity;
    std::shared_ptr<const std::string> name;
    std::optional<Timestamp> mtime;
    std::unique_ptr<input::BlockReader> blocks;
    std::unique_ptr<input::Reader> plain;  // a plain file instead: reading it ahead gains nothing
    std::size_t index = 0;                 // in source_.files
  };
  Opened open(std::size_t file, bool ahead) const;
  bool left_out(std::size_t file) const { return parts_ && parts_->files[file].skip; }
  void stop_behind_range(const syslog::ArchiveClock::Mark& mark);
  input::BlockOptions block_options(std::size_t file) const;
  void open_ahead();
  void begin(Opened file);
  bool open_next_file();
  void read_ahead();
  bool take_next();
  void take_scanned(Scan& scan);
  void take_candidate(const std::shared_ptr<const Chunk>& chunk, Candidate& candidate);
  void settle(bool at_eof);
  void finish_file();
  bool already_given(const Item& item) const;

  input::Source source_;
  const Matcher& matcher_;
  ScanPool& pool_;
  StreamOptions options_;
  Matcher::Scratch scratch_;
  syslog::Parser parser_;

  std::size_t next_file_ = 0;   // to be opened
  std::deque<Opened> opened_;   // those before it that were not begun
  std::shared_ptr<const std::string> file_;
  std::string identity_;
  std::unique_ptr<input::BlockReader> reader_;
  std::optional<syslog::ArchiveTimeline> timeline_;
  Chunker chunker_;
  // Under way in the pool, in order, with the counts of what each came from.
  struct Ahead {
    std::shared_ptr<Scan> scan;  // nullptr: no whole frame yet
    std::uint64_t lines = 0, bytes = 0, end = 0;
    bool unfinished_line = false;  // no newline at the end
  };
  std::deque<Ahead> ahead_;
  bool file_ended_ = false;
  std::optional<Diagnostic> file_error_;
  LookBack look_back_;
  std::deque<Unresolved> unresolved_;
  std::deque<Item> ready_;
  std::optional<Timestamp> last_mark_;

  std::optional<std::uint64_t> resume_offset_;  // items before it are not given again…
  bool resume_line_ = false;                    // …nor the line at it
  std::uint64_t given_offset_ = 0;
  bool given_line_ = false;
  std::uint64_t file_bytes_ = 0;
  bool unfinished_line_ = false;  // of what was taken

  std::optional<SourceParts> parts_;
  Timestamp to_ = Timestamp::max();
  std::size_t marks_behind_ = 0;  // since the clock was last inside the range
  std::uint64_t may_stop_ = 0;
  std::uint64_t passed_over_ = 0;
  LineNumbers* numbers_ = nullptr;

  Diagnostics errors_;
  std::uint64_t lines_ = 0, bytes_ = 0, finished_size_ = 0, total_size_ = 0;
};

}  // namespace correlator::pipeline
