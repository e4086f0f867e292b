// SPDX-License-Identifier: Apache-2.0
#include "syslog/frame.h"

#include <algorithm>
#include <cstring>

#include "scan.h"

namespace correlator::syslog {
namespace {

constexpr std::string_view kCursor = "__CURSOR=";
// systemd refuses longer names; the kernel's are shorter still.
constexpr std::size_t kMaxKey = 64;
// journald's own limit of a field is 768 MiB. A larger length is not a length but text.
constexpr std::uint64_t kMaxField = std::uint64_t{1} << 30;

std::size_t find_newline(std::string_view block, std::size_t from) {
  if (from >= block.size()) return std::string_view::npos;
  const void* hit = std::memchr(block.data() + from, '\n', block.size() - from);
  return hit == nullptr ? std::string_view::npos
                        : static_cast<std::size_t>(static_cast<const char*>(hit) - block.data());
}

// Where the line that contains `offset` begins.
std::size_t line_begin(std::string_view block, std::size_t offset) {
#ifdef _GNU_SOURCE
  const void* hit = memrchr(block.data(), '\n', offset);
  return hit == nullptr ? 0 : static_cast<std::size_t>(static_cast<const char*>(hit) - block.data()) + 1;
#else
  while (offset > 0 && block[offset - 1] != '\n') --offset;
  return offset;
#endif
}

bool is_key_char(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

std::size_t key_length(std::string_view text) {
  std::size_t n = 0;
  while (n < text.size() && n <= kMaxKey && is_key_char(text[n])) ++n;
  return n;
}

enum class Field : std::uint8_t { text, binary, none, undecided };

// What the bytes at the start of a line of an export entry are. `whole`: the line ends where `line` ends.
Field field_kind(std::string_view line, bool whole) {
  const std::size_t n = key_length(line);
  if (n > kMaxKey) return Field::none;
  if (n < line.size()) return line[n] == '=' && n > 0 ? Field::text : Field::none;
  if (!whole) return Field::undecided;
  return n > 0 ? Field::binary : Field::none;
}

}  // namespace

BlockFrames::BlockFrames(std::string_view block, FrameState state, bool at_eof, std::optional<BlockTraits> traits)
    : block_(block), first_(state), state_(state), at_eof_(at_eof), traits_(traits) {}

const BlockTraits& BlockFrames::traits() {
  if (!traits_) traits_ = scan_block(block_);
  return *traits_;
}

bool BlockFrames::next(Frame& frame) {
  for (;;) {
    const Step done = step(frame);
    if (done == Step::frame) return true;
    if (done == Step::incomplete) return false;
  }
}

std::size_t BlockFrames::finish() {
  // Nearly every block is whole lines and nothing else: then only its last line matters.
  if (plain_lines_only()) {
    position_ = block_.size();
    state_.after_blank = block_.size() == 1 || block_[block_.size() - 2] == '\n';
    return position_;
  }
  for (Frame frame; next(frame);) {
  }
  return position_;
}

bool BlockFrames::plain_lines_only() {
  if (position_ != 0 || state_.mode != FrameState::Mode::normal || block_.empty() || block_.size() > kMaxFrame ||
      block_.back() != '\n' || (state_.after_blank && block_.starts_with(kCursor))) {
    return false;
  }
  // A record at the very end may have its dictionary in the next block.
  const std::size_t last = line_begin(block_, block_.size() - 1);
  return !is_kmsg_record(block_.substr(last, block_.size() - 1 - last)) && !traits().multi_line;
}

BlockFrames::Step BlockFrames::step(Frame& frame) {
  if (position_ >= block_.size()) return Step::incomplete;
  if (state_.mode != FrameState::Mode::normal) return skip();
  if (state_.after_blank && block_.substr(position_).starts_with(kCursor)) return export_entry(frame);
  return line(frame);
}

BlockFrames::Step BlockFrames::line(Frame& frame) {
  const std::size_t begin = position_;
  std::size_t end = find_newline(block_, begin);
  const bool whole = end != std::string_view::npos;
  if (!whole) {
    if (block_.size() - begin > kMaxFrame) {
      return cut(begin, {FrameState::Mode::skip_line, false, 0}, begin + kMaxFrame, frame);
    }
    if (!at_eof_) return Step::incomplete;
    end = block_.size();
  }
  if (end - begin > kMaxFrame) {
    return cut(begin, {FrameState::Mode::skip_line, false, 0}, begin + kMaxFrame, frame);
  }
  if (is_kmsg_record(block_.substr(begin, end - begin))) return kmsg_record(end, frame);
  frame = {block_.substr(begin, end - begin), begin, whole ? end + 1 : end, false};
  position_ = frame.end;
  state_.after_blank = end == begin;
  return Step::frame;
}

// The record line ends at `line_end`; its dictionary is the lines behind it that begin with a blank.
BlockFrames::Step BlockFrames::kmsg_record(std::size_t line_end, Frame& frame) {
  const std::size_t begin = position_;
  std::size_t end = line_end;
  for (;;) {
    const std::size_t next = std::min(end + 1, block_.size());
    const std::string_view rest = block_.substr(next);
    if (rest.empty() && !at_eof_) return Step::incomplete;
    if (rest.empty() || rest[0] != ' ') break;
    const std::size_t newline = find_newline(block_, next);
    const bool whole = newline != std::string_view::npos || at_eof_;
    if (!whole && rest.size() <= kMaxKey + 2) return Step::incomplete;
    if (!is_kmsg_continuation(rest)) break;
    const std::size_t line_stop = newline == std::string_view::npos ? block_.size() : newline;
    if (line_stop - begin > kMaxFrame) {
      return cut(begin, {FrameState::Mode::skip_dict_line, false, 0}, next, frame);
    }
    if (!whole) return Step::incomplete;
    end = line_stop;
  }
  frame = {block_.substr(begin, end - begin), begin, std::min(end + 1, block_.size()), false};
  position_ = frame.end;
  state_.after_blank = false;
  return Step::frame;
}

BlockFrames::Step BlockFrames::export_entry(Frame& frame) {
  const std::size_t begin = position_;
  const FrameState overflow{FrameState::Mode::skip_entry, false, 0};
  std::size_t at = begin;
  auto whole_entry = [&](std::size_t end, bool blank) {
    const std::size_t text_end = end > begin && block_[end - 1] == '\n' ? end - 1 : end;
    frame = {block_.substr(begin, text_end - begin), begin, blank ? end + 1 : end, false};
    position_ = frame.end;
    state_.after_blank = blank;
    return Step::frame;
  };
  for (;;) {
    if (at >= block_.size()) return at_eof_ ? whole_entry(block_.size(), false) : Step::incomplete;
    const std::size_t newline = find_newline(block_, at);
    const bool whole = newline != std::string_view::npos || at_eof_;
    const std::size_t stop = newline == std::string_view::npos ? block_.size() : newline;
    if (stop == at && whole) return whole_entry(at, true);
    std::uint64_t end = stop + 1;
    switch (field_kind(block_.substr(at, stop - at), whole)) {
      case Field::undecided:
        return Step::incomplete;
      case Field::none:
        return whole_entry(at, false);
      case Field::text:
        break;
      case Field::binary: {
        if (block_.size() - stop < 9) {
          if (!at_eof_) return Step::incomplete;
          return whole_entry(block_.size(), false);
        }
        const std::uint64_t length = little_endian(block_.substr(stop + 1, 8));
        if (length > kMaxField) return whole_entry(at, false);
        end = stop + 1 + 8 + length + 1;
        break;
      }
    }
    // The last byte, the line end, does not count: it is not part of the frame.
    if (end - 1 - begin > kMaxFrame) return cut(begin, overflow, at, frame);
    if (end > block_.size()) {
      if (!at_eof_) return Step::incomplete;
      end = block_.size();
    }
    at = static_cast<std::size_t>(end);
  }
}

// The frame's first kMaxFrame bytes are all that is kept; what follows from `resume` on is skipped.
BlockFrames::Step BlockFrames::cut(std::size_t begin, FrameState rest, std::size_t resume, Frame& frame) {
  if (block_.size() - begin < kMaxFrame && !at_eof_) return Step::incomplete;
  frame = {block_.substr(begin, kMaxFrame), begin, 0, true};
  state_ = rest;
  position_ = resume;
  // What can be skipped within this block belongs to the frame's extent.
  while (position_ < block_.size() && state_.mode != FrameState::Mode::normal && skip() == Step::skipped) {
  }
  frame.end = position_;
  return Step::frame;
}

BlockFrames::Step BlockFrames::skip() {
  using Mode = FrameState::Mode;
  switch (state_.mode) {
    case Mode::skip_line:
      return skip_rest_of_line(Mode::normal);
    case Mode::skip_dict_line:
      return skip_rest_of_line(Mode::skip_dict);
    case Mode::skip_entry_line:
      return skip_rest_of_line(Mode::skip_entry);
    case Mode::skip_dict:
      return skip_dict();
    case Mode::skip_entry:
      return skip_field();
    case Mode::normal:
      break;
  }
  return Step::skipped;
}

BlockFrames::Step BlockFrames::skip_rest_of_line(FrameState::Mode then) {
  const std::size_t newline = find_newline(block_, position_);
  if (newline == std::string_view::npos) {
    position_ = block_.size();
  } else {
    position_ = newline + 1;
    state_ = {then, false, 0};
  }
  return Step::skipped;
}

BlockFrames::Step BlockFrames::skip_dict() {
  const std::string_view rest = block_.substr(position_, kMaxKey + 3);
  const bool decided =
      at_eof_ || rest[0] != ' ' || rest.size() > kMaxKey + 2 || rest.find('\n') != std::string_view::npos;
  if (!decided) return Step::incomplete;
  state_.mode = is_kmsg_continuation(rest) ? FrameState::Mode::skip_dict_line : FrameState::Mode::normal;
  return Step::skipped;
}

BlockFrames::Step BlockFrames::skip_field() {
  using Mode = FrameState::Mode;
  if (state_.binary_left > 0) {
    const std::uint64_t take = std::min<std::uint64_t>(state_.binary_left, block_.size() - position_);
    position_ += static_cast<std::size_t>(take);
    state_.binary_left -= take;
    return Step::skipped;
  }
  // Only the beginning of the line matters, and a key is short.
  const std::string_view head = block_.substr(position_, kMaxKey + 2);
  const std::size_t newline = head.find('\n');
  if (newline == 0) {
    position_ += 1;
    state_ = {Mode::normal, true, 0};
    return Step::skipped;
  }
  const bool whole = newline != std::string_view::npos || at_eof_;
  switch (field_kind(head.substr(0, newline), whole)) {
    case Field::undecided:
      return Step::incomplete;
    case Field::none:
      state_ = {Mode::normal, false, 0};
      return Step::skipped;
    case Field::text:
      state_ = {Mode::skip_entry_line, false, 0};
      return Step::skipped;
    case Field::binary:
      break;
  }
  if (newline == std::string_view::npos || block_.size() - position_ - newline < 9) {
    if (!at_eof_) return Step::incomplete;
    position_ = block_.size();
    return Step::skipped;
  }
  const std::uint64_t length = little_endian(block_.substr(position_ + newline + 1, 8));
  if (length > kMaxField) {
    state_ = {Mode::normal, false, 0};
    return Step::skipped;
  }
  position_ += newline + 1 + 8;
  state_.binary_left = length + 1;  // and the line end behind it
  return Step::skipped;
}

bool BlockFrames::at(std::size_t offset, Frame& frame) {
  if (offset >= block_.size()) return false;
  if (offset >= last_.begin && offset < last_.end) {
    frame = last_;
    return true;
  }
  if (!have_specials_) {
    const bool starts_plain =
        first_.mode == FrameState::Mode::normal && !(first_.after_blank && block_.starts_with(kCursor));
    plain_only_ = starts_plain && !traits().multi_line;
    if (!plain_only_) find_specials();
    have_specials_ = true;
  }
  if (!plain_only_) {
    if (offset >= complete_) return false;
    auto special = std::upper_bound(specials_.begin(), specials_.end(), offset,
                                    [](std::size_t o, const Extent& e) { return o < e.frame.begin; });
    if (special != specials_.begin() && offset < std::prev(special)->frame.end) {
      if (std::prev(special)->skipped) return false;
      frame = last_ = std::prev(special)->frame;
      return true;
    }
  }
  return plain_line_at(offset, frame);
}

bool BlockFrames::plain_line_at(std::size_t offset, Frame& frame) {
  const std::size_t begin = line_begin(block_, offset);
  BlockFrames from_here(block_, {FrameState::Mode::normal, false, 0}, at_eof_);
  from_here.position_ = begin;
  if (from_here.step(frame) != Step::frame) return false;
  last_ = frame;
  return true;
}

void BlockFrames::find_specials() {
  BlockFrames walk(block_, first_, at_eof_);
  Frame frame;
  for (;;) {
    const std::size_t before = walk.position_;
    const Step done = walk.step(frame);
    if (done == Step::incomplete) break;
    if (done == Step::skipped) {
      if (walk.position_ > before) {
        specials_.push_back({{{}, before, walk.position_, false}, true});
      }
    } else if (frame.truncated || frame.bytes.find('\n') != std::string_view::npos ||
               frame.bytes.starts_with(kCursor)) {
      specials_.push_back({frame, false});
    }
  }
  complete_ = walk.position_;
}

}  // namespace correlator::syslog
