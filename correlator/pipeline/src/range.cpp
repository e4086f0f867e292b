// SPDX-License-Identifier: Apache-2.0
#include "pipeline/range.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "base/text.h"
#include "input/blocks.h"
#include "input/reader.h"
#include "input/window.h"
#include "pipeline/chunk.h"

namespace correlator::pipeline {
namespace {

using Mark = syslog::ArchiveClock::Mark;

// The beginning of a file, as far as it tells what follows.
struct Beginning {
  bool known = false;               // it could be read, and is a regular file
  bool plain = false;
  bool several_lines = false;       // frames may have more than one
  std::uint64_t size = 0;           // on disk
  std::optional<Timestamp> first;   // time of its first dated line
  std::string head;                 // whole frames
  syslog::BlockTraits traits;
  syslog::ArchiveClockOptions clock;

  // One that was given the head.
  syslog::ArchiveTimeline timeline() const {
    syslog::ArchiveTimeline out(clock);
    out.add(head, 0, {}, traits);
    return out;
  }
};

class Planner {
 public:
  Planner(const input::Source& source, const TimeRange& range, const std::function<syslog::ArchiveClockOptions(std::optional<Timestamp>)>& clock)
      : source_(source), range_(range), clock_(clock) {}

  SourceParts run() {
    out_.files.resize(source_.files.size());
    for (const auto& path : source_.files) {
      files_.push_back(look_at(path));
      out_.size += files_.back().size;
    }
    skip_files();
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (!out_.files[i].skip && files_[i].plain) part_of(i);
    }
    return std::move(out_);
  }

 private:
  Beginning look_at(const std::filesystem::path& path) const {
    Beginning out;
    std::error_code failure;
    if (path == "-" || !std::filesystem::is_regular_file(path, failure)) return out;
    auto reader = input::open_reader(path);
    if (!reader) return out;
    out.known = true;
    out.plain = (*reader)->compression() == input::Compression::none;
    out.size = (*reader)->compressed_size().value_or(0);
    out.clock = clock_((*reader)->mtime());
    input::BlockOptions options;
    options.block_size = static_cast<std::size_t>(syslog::kAnchorSpacing);
    options.read_ahead = false;
    input::BlockReader blocks(std::move(reader).value(), options);
    const auto block = blocks.next();
    if (!block || !block->has_value()) return out;
    const std::string_view bytes = (*block)->bytes;
    out.traits = syslog::scan_block(bytes);
    out.several_lines = out.traits.multi_line;
    out.head = bytes.substr(0, syslog::BlockFrames(bytes, {}, true, out.traits).finish());
    if (const auto mark = out.timeline().peek_mark()) out.first = mark->time;
    return out;
  }

  // Whole files before and behind the range, as the first lines of their neighbours tell.
  void skip_files() {
    std::optional<Timestamp> latest;
    for (std::size_t i = 0; i < files_.size(); ++i) {
      if (!files_[i].first) {
        if (files_.size() > 1) note(i, "has no time at its beginning: no file of its rotation is passed over as a whole");
        return;
      }
      if (latest && *files_[i].first + syslog::kLeap < *latest) {
        return note(i, "begins before the one that stands before it in its rotation: no file of that is passed over as a whole");
      }
      latest = std::max(latest.value_or(*files_[i].first), *files_[i].first);
    }
    for (std::size_t i = files_.size(); i-- > 1;) {
      if (!range_.begin || *files_[i].first + syslog::kLeap >= *range_.begin) continue;
      for (std::size_t before = 0; before < i; ++before) {
        out_.files[before].skip = out_.files[before].older = true;
        out_.before += files_[before].size;
      }
      break;
    }
    for (std::size_t i = files_.size(); i-- > 0;) {
      if (!range_.to || *files_[i].first <= *range_.to + syslog::kLeap) break;
      out_.files[i].skip = true;
    }
  }

  void note(std::size_t file, const std::string& what) { out_.notes.push_back(printable(source_.files[file].string()) + " " + what); }

  // Where to begin and where to stop in a plain file.
  void part_of(std::size_t i) {
    const Beginning& file = files_[i];
    FilePart& part = out_.files[i];
    const bool older = range_.begin && file.first && *file.first + syslog::kLeap < *range_.begin;
    if ((!older && !range_.to) || file.size < kSmall) return;
    auto window = input::FileWindow::open(source_.files[i]);
    if (!window) return;
    const auto bytes = [&](std::uint64_t from, std::size_t size) { return window->at(from, size); };
    std::vector<Mark> marks;
    syslog::ArchiveTimeline all = file.timeline();
    if (!file.first || file.several_lines || !skim(all, UINT64_MAX, bytes, &marks)) {
      part.may_stop = UINT64_MAX;
      return note(i, file.first ? "has frames of several lines, which cannot be found from the middle: all of it is read"
                                : "has no time at its beginning: all of it is read");
    }
    if (older) begin_late(i, marks, bytes);
    if (range_.to) stop_early(i, marks);
  }

  static std::optional<std::uint64_t> skim(syslog::ArchiveTimeline& timeline, std::uint64_t until, const syslog::ArchiveTimeline::Bytes& bytes,
                                           std::vector<Mark>* marks) {
    // Step by step, so that the marks do not pile up twice.
    constexpr std::uint64_t kStep = std::uint64_t{64} << 20;
    std::optional<std::uint64_t> end;
    for (std::uint64_t next = kStep;; next += kStep) {
      const std::optional<std::uint64_t> before = end;
      end = timeline.skim(std::min(next, until), bytes);
      if (!end) return std::nullopt;
      while (const auto mark = timeline.peek_mark()) {
        if (marks != nullptr) marks->push_back(*mark);
        timeline.pop_mark();
      }
      timeline.forget(*end);
      if (next >= until || (before == end && bytes(next, 1).empty())) return end;
    }
  }

  void begin_late(std::size_t i, const std::vector<Mark>& marks, const syslog::ArchiveTimeline::Bytes& bytes) {
    // No line is believed to be later than its anchors by more than a leap: all before the last of these is older.
    const auto behind = std::find_if(marks.begin(), marks.end(), [&](const Mark& mark) { return mark.time + syslog::kLeap >= *range_.begin; });
    if (behind == marks.begin()) return;
    const std::uint64_t known = std::prev(behind)->offset;
    if (known <= kLookBack) return;
    syslog::ArchiveTimeline timeline = files_[i].timeline();
    const auto start = skim(timeline, known - kLookBack, bytes, nullptr);
    if (!start || *start < kSmall) return;
    out_.files[i].start = *start;
    out_.files[i].timeline = std::move(timeline);
    out_.before += *start;
  }

  void stop_early(std::size_t i, const std::vector<Mark>& marks) {
    const auto late = [&](const Mark& mark) { return mark.time > *range_.to + syslog::kLeap; };
    const auto last = std::find_if_not(marks.rbegin(), marks.rend(), late).base();  // behind the last that may matter
    out_.files[i].may_stop = static_cast<std::size_t>(marks.end() - last) > kMarksBehind ? (last + kMarksBehind)->offset : UINT64_MAX;
    const auto first = std::find_if(marks.begin(), marks.end(), late);
    if (first >= last) return;
    const auto back = std::find_if_not(first, marks.end(), late);
    note(i, fmt::format("goes back in time at byte {}, from {} to {}: it is read on", back->offset, to_rfc3339(std::prev(back)->time), to_rfc3339(back->time)));
  }

  static constexpr std::uint64_t kSmall = std::uint64_t{1} << 20;  // bytes that are not worth a look

  const input::Source& source_;
  const TimeRange& range_;
  const std::function<syslog::ArchiveClockOptions(std::optional<Timestamp>)>& clock_;
  std::vector<Beginning> files_;
  SourceParts out_;
};

}  // namespace

void SourceParts::read_from_beginning() {
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (files[i].older) files[i].skip = false;
    files[i].start = 0;
    files[i].timeline.reset();
  }
  before = 0;
}

SourceParts parts_in_range(const input::Source& source, const TimeRange& range,
                           const std::function<syslog::ArchiveClockOptions(std::optional<Timestamp>)>& clock) {
  return Planner(source, range, clock).run();
}

void LineNumbers::correct(engine::StepOutput& out) {
  if (files_.empty()) return;
  for (engine::Event& event : out.events) {
    const std::uint64_t before = event.line_number == 0 ? 0 : this->before(event.file);
    if (before == 0) continue;
    event.line_number += before;
    for (std::uint64_t& line : event.line_numbers) line += before;
  }
  for (engine::Decision& decision : out.decisions) {
    for (engine::EvidenceLine& line : decision.evidence) {
      if (line.line_number > 0) line.line_number += before(line.file);
    }
  }
}

std::uint64_t LineNumbers::before(const std::string& file) {
  const auto found = files_.find(file);
  if (found == files_.end()) return 0;
  Passed& passed = found->second;
  if (!passed.lines) {
    auto window = input::FileWindow::open(file);
    passed.lines = window ? input::count_lines(*window, passed.bytes) : 0;
  }
  return *passed.lines;
}

}  // namespace correlator::pipeline
