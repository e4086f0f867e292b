// SPDX-License-Identifier: Apache-2.0
// The anchors of a stream without what lies between them.
#include <algorithm>

#include "syslog/archive_clock.h"

namespace correlator::syslog {
namespace {

constexpr std::size_t kLook = 4096;  // bytes: some lines

// Whole lines: from the first that begins at or after `from` to the last that ends within `size` bytes, or with the stream.
struct Lines {
  std::uint64_t offset = 0;
  std::string_view bytes;
  bool at_end = false;  // of the stream
};

Lines lines_at(std::uint64_t from, std::size_t size, const ArchiveTimeline::Bytes& bytes) {
  // A line begins behind a newline: the byte before is looked at, too.
  const std::uint64_t before = from == 0 ? 0 : from - 1;
  std::string_view text = bytes(before, size);
  Lines out;
  out.at_end = text.size() < size;
  std::size_t begin = 0;
  if (from > 0) {
    const std::size_t newline = text.find('\n');
    begin = newline == std::string_view::npos ? text.size() : newline + 1;
  }
  const std::size_t last = text.rfind('\n');
  const std::size_t end = out.at_end ? text.size() : last == std::string_view::npos || last < begin ? begin : last + 1;
  out.offset = before + begin;
  out.bytes = text.substr(begin, end - begin);
  return out;
}

}  // namespace

std::optional<ArchiveTimeline::Dated> ArchiveTimeline::first_dated(std::uint64_t from, const Bytes& bytes, bool& several_lines) {
  for (std::size_t size = kLook;;) {
    const Lines lines = lines_at(from, size, bytes);
    several_lines = scan_block(lines.bytes).multi_line;
    if (several_lines) return std::nullopt;
    BlockFrames frames(lines.bytes, {FrameState::Mode::normal, false, 0}, true);
    Frame frame;
    while (frames.next(frame)) {
      const std::uint64_t offset = lines.offset + frame.begin;
      if (const auto seen = look_at(offset, frame.bytes)) {
        return Dated{*seen, lines.offset + frame.end, std::string(lines.bytes.substr(frame.begin, frame.end - frame.begin))};
      }
    }
    if (lines.at_end) return std::nullopt;
    if (lines.bytes.empty()) {
      // One line is longer. A longer one than any frame is none that could be skipped with certainty.
      if (size > 2 * kMaxFrame) return several_lines = true, std::nullopt;
      size *= 4;
    } else {
      from = lines.offset + lines.bytes.size();
      size = static_cast<std::size_t>(kAnchorSpacing);
    }
  }
}

std::optional<std::uint64_t> ArchiveTimeline::skim(std::uint64_t until, const Bytes& bytes) {
  if (!clock_.has_wall() || !last_primary_) return std::nullopt;
  bool several_lines = false;
  std::optional<Dated> at = first_dated(last_primary_->offset, bytes, several_lines);
  if (!at) return std::nullopt;
  std::uint64_t end = at->end;
  span_ = at->bytes;
  while (boundary_ < until) {
    std::optional<Dated> next = first_dated(boundary_, bytes, several_lines);
    if (several_lines) return std::nullopt;
    if (!next || next->seen.offset >= until) break;
    if (needs_every_line(last_primary_->stamp, next->seen.stamp, options_.zone)) {
      // Up to the end of the line that the boundary lies in.
      Lines behind = lines_at(boundary_, kLook, bytes);
      for (std::size_t size = 4 * kLook; behind.bytes.empty() && !behind.at_end; size *= 4) behind = lines_at(boundary_, size, bytes);
      const auto size = static_cast<std::size_t>(behind.offset - last_primary_->offset);
      span_.assign(bytes(last_primary_->offset, size));
      if (scan_block(span_).multi_line) return std::nullopt;
    }
    primary(next->seen, next->bytes);
    span_ = std::move(next->bytes);
    end = next->end;
  }
  tail_ = last_primary_;
  clock_.reach(end);
  return end;
}

}  // namespace correlator::syslog
