// SPDX-License-Identifier: Apache-2.0
// How a stream of bytes splits into frames: one frame per line, except that an entry of the journal export
// format and a /dev/kmsg record with its " KEY=value" lines are one frame each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace correlator::syslog {

inline constexpr std::size_t kMaxFrame = std::size_t{1} << 20;

struct Frame {
  std::string_view bytes;  // without the final line end; at most kMaxFrame
  std::size_t begin = 0;   // in the block
  std::size_t end = 0;     // in the block, behind the line end: where the next frame begins
  bool truncated = false;  // `bytes` is only the beginning of a longer frame
};

// What one block leaves to the next. A new stream starts with FrameState{}.
struct FrameState {
  enum class Mode : std::uint8_t {
    normal,
    skip_line,        // inside the rest of a line that was cut
    skip_dict,        // before a line that may still belong to a kmsg record that was cut
    skip_dict_line,   // inside such a line
    skip_entry,       // before a field of a journal export entry that was cut
    skip_entry_line,  // inside such a field
  };
  Mode mode = Mode::normal;
  bool after_blank = true;        // an export entry may begin here
  std::uint64_t binary_left = 0;  // skip_entry: bytes of a binary field still to come

  bool operator==(const FrameState&) const = default;
};

// What a single fast pass over a block tells. Those of a block hold for each part of it, too: they say what may be there.
struct BlockTraits {
  bool multi_line = false;  // frames of more than one line may exist
  bool json = false;        // a line may be a JSON object
  bool backslash = false;
};
BlockTraits scan_block(std::string_view block);

// The frames of one block. The block must begin where the block before said it was consumed.
// Which frames there are does not depend on how the stream is cut into blocks.
class BlockFrames {
 public:
  // `traits`: of the block, where somebody has looked already.
  BlockFrames(std::string_view block, FrameState state, bool at_eof, std::optional<BlockTraits> traits = {});

  // The next complete frame in order; blank lines are frames too. False at the end of what is complete.
  bool next(Frame& frame);

  // Goes to the end of what is complete without giving the frames, as fast as the block can be read; consumed().
  std::size_t finish();

  // After next() returned false: bytes done with, to be followed by the next block with what is left over,
  // and the state to give to it. Nothing consumed means that the block must grow; kMaxFrame + 64 KiB always
  // suffice.
  std::size_t consumed() const { return position_; }
  FrameState state() const { return state_; }

  const BlockTraits& traits();

  // The frame around an offset of the block, found without walking the lines before it; the same frame as
  // next() gives. False if the offset lies in a frame that is not complete, or in the skipped rest of one
  // that was cut.
  bool at(std::size_t offset, Frame& frame);

 private:
  enum class Step : std::uint8_t { frame, skipped, incomplete };
  struct Extent {
    Frame frame;
    bool skipped;
  };
  Step step(Frame& frame);
  Step skip();
  Step skip_rest_of_line(FrameState::Mode then);
  Step skip_dict();
  Step skip_field();
  Step line(Frame& frame);
  Step kmsg_record(std::size_t line_end, Frame& frame);
  Step export_entry(Frame& frame);
  Step cut(std::size_t begin, FrameState rest, std::size_t resume, Frame& frame);
  bool plain_line_at(std::size_t offset, Frame& frame);
  void find_specials();
  bool plain_lines_only();

  std::string_view block_;
  FrameState first_;
  FrameState state_;
  bool at_eof_;
  std::optional<BlockTraits> traits_;
  std::size_t position_ = 0;
  // For at(): frames of several lines and skipped stretches, sorted; found on first use.
  bool have_specials_ = false;
  std::size_t complete_ = 0;
  std::vector<Extent> specials_;
  bool plain_only_ =
      false;    // no frame of several lines and nothing skipped: lines can be found by their ends
  Frame last_;  // the frame at() found last
};

// True if the bytes of the frame may spell the decoded text differently (escapes of JSON and of /dev/kmsg,
// byte arrays of the journal): a literal prefilter must decode such a frame before it says no.
bool may_hide_literals(std::string_view frame);
// A JSON frame with its escapes undone, so that each decoded text of it can be found in `out`: some ten times cheaper than
// parsing. False if only the parser can tell. `out` is replaced.
bool without_escapes(std::string_view frame, std::string& out);
// A field of the journal that is not UTF-8 is an array of numbers.
bool has_byte_array(std::string_view json);
// False only if no frame of the block may; some ten times faster than asking each frame.
bool block_may_hide_literals(std::string_view block);
bool block_may_hide_literals(std::string_view block, const BlockTraits& traits);

// A record line of /dev/kmsg: "6,369,13119327,-;text".
bool is_kmsg_record(std::string_view line);
// " SUBSYSTEM=pci": belongs to the kmsg record before it.
bool is_kmsg_continuation(std::string_view line);
// The frame is decoded as JSON if it is well-formed.
bool looks_like_json(std::string_view frame);

}  // namespace correlator::syslog
