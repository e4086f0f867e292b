// SPDX-License-Identifier: Apache-2.0
// Finds the anchors of a stream that comes in blocks. What it finds does not depend on the blocks.
#include <utility>

#include "parts.h"
#include "syslog/archive_clock.h"

namespace correlator::syslog {

ArchiveTimeline::ArchiveTimeline(ArchiveClockOptions options)
    : options_(options), clock_(std::move(options)) {}

std::optional<ArchiveTimeline::Seen> ArchiveTimeline::look_at(std::uint64_t offset, std::string_view bytes) {
  if (!parser_.parse(bytes, message_)) return std::nullopt;
  if (dated(message_)) return Seen{offset, message_.stamp, {}};
  // Uptimes tell the time only as long as no date did.
  if (message_.uptime && !clock_.wall_before(offset)) return Seen{offset, message_.stamp, message_.uptime};
  return std::nullopt;
}

void ArchiveTimeline::add(std::string_view block, std::uint64_t offset, FrameState state,
                          std::optional<BlockTraits> traits) {
  block_ = block;
  block_offset_ = offset;
  // Whole frames only: nothing more is to be expected behind the last one.
  frames_.emplace(block, state, true, traits);
  nearest_ = tail_;
  nearest_known_ = offset;

  std::size_t from = 0;
  if (!clock_.has_wall()) {
    from = walk_until_dated();
  } else {
    span_.append(span_in_block(0));
  }
  if (clock_.has_wall()) search_from_boundary(from);
  if (!span_here_.empty()) span_.assign(std::exchange(span_here_, {}));
  clock_.reach(offset + block.size());
  tail_ = search_back(block.size(), offset, nearest_);
}

// Before the first date every line is looked at. Gives where to go on in the block.
std::size_t ArchiveTimeline::walk_until_dated() {
  Frame frame;
  BlockFrames walk = *frames_;
  while (walk.next(frame)) {
    const auto seen = look_at(block_offset_ + frame.begin, frame.bytes);
    if (!seen) continue;
    if (!seen->uptime) {
      primary(*seen, frame.bytes);
      span_here_ = span_in_block(frame.begin);
      return frame.end;
    }
    clock_.anchor(seen->offset, seen->stamp, seen->uptime);
  }
  return block_.size();
}

// Looks for the first dated line at or after each boundary that lies in the block.
void ArchiveTimeline::search_from_boundary(std::size_t from) {
  while (boundary_ < block_offset_ + block_.size()) {
    if (boundary_ > block_offset_) from = std::max(from, static_cast<std::size_t>(boundary_ - block_offset_));
    Frame frame;
    bool found = false;
    while (from < block_.size() && !found) {
      if (!frames_->at(from, frame)) {
        // Inside the skipped rest of a frame that was cut.
        const std::size_t newline = block_.find('\n', from);
        from = newline == std::string_view::npos ? block_.size() : newline + 1;
        continue;
      }
      from = frame.end;
      if (block_offset_ + frame.begin < boundary_) continue;
      const auto seen = look_at(block_offset_ + frame.begin, frame.bytes);
      if (!seen) continue;
      primary(*seen, frame.bytes);
      span_here_ = span_in_block(frame.begin);
      found = true;
    }
    if (!found) return;
  }
}

void ArchiveTimeline::primary(const Seen& found, std::string_view bytes) {
  if (last_primary_ && needs_every_line(last_primary_->stamp, found.stamp, options_.zone))
    anchor_span(found.offset);
  clock_.anchor(found.offset, found.stamp, {});
  last_primary_ = found;
  boundary_ = (found.offset / kAnchorSpacing + 1) * kAnchorSpacing;
  span_.clear();
  span_here_ = {};
  span_is_export_ = is_journal_export(bytes);
}

// The frames of the block that begin before the boundary, from `begin` on.
std::string_view ArchiveTimeline::span_in_block(std::size_t begin) {
  if (boundary_ <= block_offset_ + begin) return {};
  std::size_t end = block_.size();
  if (boundary_ < block_offset_ + block_.size()) {
    Frame frame;
    const auto last = static_cast<std::size_t>(boundary_ - block_offset_) - 1;
    end = frames_->at(last, frame) ? frame.end : last + 1;
  }
  return block_.substr(begin, end - begin);
}

void ArchiveTimeline::anchor_span(std::uint64_t before) {
  BlockFrames walk(span(), {FrameState::Mode::normal, span_is_export_, 0}, true);
  Frame frame;
  while (walk.next(frame)) {
    const std::uint64_t offset = last_primary_->offset + frame.begin;
    if (frame.begin == 0 || offset >= before) continue;
    if (const auto seen = look_at(offset, frame.bytes)) clock_.anchor(seen->offset, seen->stamp, {});
  }
}

std::optional<ArchiveTimeline::Seen> ArchiveTimeline::last_in_span() {
  BlockFrames walk(span(), {FrameState::Mode::normal, span_is_export_, 0}, true);
  Frame frame;
  std::optional<Seen> last;
  while (walk.next(frame)) {
    if (frame.begin == 0) continue;
    if (const auto seen = look_at(last_primary_->offset + frame.begin, frame.bytes)) last = seen;
  }
  return last;
}

void ArchiveTimeline::end() {
  if (last_primary_) {
    if (const auto last = last_in_span()) primary(*last, {});
  }
  clock_.end();
}

LineTime ArchiveTimeline::mark(const Frame& frame, const Message& message) {
  LineTime line;
  line.offset = block_offset_ + frame.begin;
  line.stamp = message.stamp;
  line.uptime = message.uptime;
  if (dated(message)) {
    nearest_ = Seen{line.offset, message.stamp, {}};
    nearest_known_ = block_offset_ + frame.end;
    return line;
  }
  nearest_ = search_back(frame.begin, nearest_known_, nearest_);
  nearest_known_ = line.offset;
  if (nearest_) {
    line.nearest_offset = nearest_->offset;
    line.nearest = nearest_->stamp;
    line.nearest_uptime = nearest_->uptime;
  }
  return line;
}

// The nearest line with a time that ends at or before `from`; what lies before `known_until` is known.
std::optional<ArchiveTimeline::Seen> ArchiveTimeline::search_back(std::size_t from, std::uint64_t known_until,
                                                                  const std::optional<Seen>& known) {
  Frame frame;
  while (from > 0 && block_offset_ + from > known_until) {
    if (!frames_->at(from - 1, frame)) break;  // the skipped rest of a frame of the block before
    if (const auto seen = look_at(block_offset_ + frame.begin, frame.bytes)) return seen;
    from = frame.begin;
  }
  return known;
}

}  // namespace correlator::syslog
