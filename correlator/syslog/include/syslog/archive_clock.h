// SPDX-License-Identifier: Apache-2.0
// What time it was in an archive whose lines lack a year, a zone or a date altogether.
//
// Everything here is a function of the stream's bytes and of the options, never of rules or block sizes.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "syslog/frame.h"
#include "syslog/message.h"
#include "syslog/parser.h"
#include "time/timestamp.h"
#include "time/zone.h"

namespace correlator::syslog {

struct ArchiveClockOptions {
  Zone zone;                      // of dates without offset
  std::optional<int> year;        // of the first year-less line
  std::optional<Timestamp> boot;  // when a console log's uptime 0 was; 1970-01-01 if unknown
  // The file's mtime: nothing in it is more than a day younger. Without it, and without `year`, year-less
  // lines begin in 1970.
  std::optional<Timestamp> not_after;
};

struct Resolved {
  Timestamp time;
  bool undated = false;  // the line has no time of its own; this is the nearest one's
  bool assumed = false;  // a leap that was not believed, or an uptime without a known boot
};

// What resolving needs to remember of a line once its bytes are gone.
struct LineTime {
  std::uint64_t offset = 0;  // of the frame in the decompressed stream
  Stamp stamp;
  std::optional<Duration> uptime;
  // For lines without a date: the nearest line before that has one (or, in a console log, an uptime), if any.
  std::optional<std::uint64_t> nearest_offset;
  Stamp nearest;
  std::optional<Duration> nearest_uptime;
};

// Of what lies between two anchors nothing is believed to be later than the later of them by more than this.
inline constexpr Duration kLeap = Duration::hours(1);

// The arithmetic: anchors in, times out. ArchiveTimeline below finds the anchors.
class ArchiveClock {
 public:
  explicit ArchiveClock(ArchiveClockOptions options);

  // A dated line, or (before the first dated one) a line with an uptime. In stream order.
  // A leap ahead of more than an hour waits for the next anchor; if that is not at least about as late (an
  // hour less), the leap is dropped: the line takes the time of the anchor before it.
  void anchor(std::uint64_t offset, const Stamp& stamp, std::optional<Duration> uptime);
  // The stream ended: a leap that still waits is believed unless it lies a day or more after not_after.
  void end();

  // Lines that begin before this offset can be resolved; the rest waits for more anchors or for end().
  std::uint64_t settled() const;
  // All anchors before this offset have been given.
  void reach(std::uint64_t offset) { reached_ = offset; }

  // A date in a line that is no anchor takes the year nearest to the anchor before it. If it lies more than
  // an hour after both its neighbours it is not believed.
  Resolved resolve(const LineTime& line) const;
  // The clock's marks: what an anchor says of the time, as soon as it is believed, in stream order. They are the same
  // whatever is matched in between, so that timers of an archive never depend on other rules.
  struct Mark {
    std::uint64_t offset;
    Timestamp time;
  };
  std::optional<Mark> peek_mark() const { return marks_.empty() ? std::nullopt : std::optional(marks_.front()); }
  void pop_mark() { marks_.pop_front(); }

  // Frees anchors that no line at or after `offset` needs.
  void forget(std::uint64_t offset);
  // True if a dated line was given that begins before `offset`.
  bool wall_before(std::uint64_t offset) const { return first_wall_ && *first_wall_ < offset; }
  bool has_wall() const { return first_wall_.has_value(); }

 private:
  struct Anchor {
    std::uint64_t offset;
    Timestamp time;  // of a boot: when its uptime was 0
  };
  Timestamp place(const Stamp& stamp, std::optional<Timestamp> base) const;
  Timestamp first_year(const CivilTime& civil) const;
  Timestamp nearest_year(const CivilTime& civil, Timestamp base) const;
  bool leaps(Timestamp time, std::optional<Timestamp> base) const;
  bool too_young(Timestamp time) const;
  void anchor_wall(std::uint64_t offset, const Stamp& stamp);
  void anchor_uptime(std::uint64_t offset, Duration uptime);
  void settle_pending(bool believed);
  Resolved resolve_dated(std::uint64_t offset, const Stamp& stamp) const;
  std::optional<Resolved> resolve_uptime(std::uint64_t offset, Duration uptime) const;

  ArchiveClockOptions options_;
  std::deque<Mark> marks_;
  std::vector<Anchor> walls_;    // believed, by offset
  std::vector<Anchor> dropped_;  // not believed, with the time they get instead
  std::vector<Anchor> boots_;    // a console's boots, by offset of their first line
  std::optional<Anchor> pending_;
  std::optional<Timestamp> last_;   // of the last believed wall anchor
  std::optional<Timestamp> first_;  // of the first anchor of any kind
  std::optional<std::uint64_t> first_wall_;
  std::optional<Duration> highest_;  // uptime of this boot
  bool ended_ = false;
  std::uint64_t reached_ = 0;
};

// Anchors stand at the first dated line at or after each multiple of this many bytes of the stream.
inline constexpr std::uint64_t kAnchorSpacing = 64 * 1024;

// Must every dated line between these two anchors be an anchor too? Yes if their months differ, if they lie
// more than 30 days apart or if time runs backwards by more than a minute.
bool needs_every_line(const Stamp& before, const Stamp& after, const Zone& zone);

// Walks a stream block by block, finds its anchors and answers for any line:
//   timeline.add(block, offset, state);
//   for each line of interest: pending.push_back(timeline.mark(frame, message));
//   resolve() each as soon as its offset lies before settled(); all of them after end().
// Besides the anchors named above the last dated line of the stream is one.
class ArchiveTimeline {
 public:
  explicit ArchiveTimeline(ArchiveClockOptions options);

  // The next stretch of whole frames of the stream, `offset` bytes from its beginning; `state` is what
  // BlockFrames was given for it, as are `traits`. `block` must stay until the marks of this block are made.
  void add(std::string_view block, std::uint64_t offset, FrameState state, std::optional<BlockTraits> traits = {});
  void end();

  // Bytes [from, from + size) of the stream, fewer at its end only; they stay until the next call.
  using Bytes = std::function<std::string_view(std::uint64_t from, std::size_t size)>;
  // Goes on to the last anchor that begins before `until`, as if all up to its end had been added, but looks at the anchors alone:
  // a few lines each 64 KiB, and where anchors ask for every line, at those between them. The beginning of the stream must have been
  // added and have a date. Gives where that anchor's line ends: what is added next begins there. Nothing if frames of several
  // lines may be there, of which the middle cannot be told from the beginning: the timeline is of no use then.
  std::optional<std::uint64_t> skim(std::uint64_t until, const Bytes& bytes);

  // For a frame of the block added last, in order of offsets. `message` is what the frame was parsed to.
  LineTime mark(const Frame& frame, const Message& message);

  std::uint64_t settled() const { return clock_.settled(); }
  Resolved resolve(const LineTime& line) const { return clock_.resolve(line); }
  std::optional<ArchiveClock::Mark> peek_mark() const { return clock_.peek_mark(); }
  void pop_mark() { clock_.pop_mark(); }
  void forget(std::uint64_t offset) { clock_.forget(offset); }

 private:
  struct Seen {
    std::uint64_t offset = 0;
    Stamp stamp;
    std::optional<Duration> uptime;
  };
  std::optional<Seen> look_at(std::uint64_t offset, std::string_view bytes);
  std::size_t walk_until_dated();
  void search_from_boundary(std::size_t from);
  void primary(const Seen& found, std::string_view bytes);
  std::string_view span_in_block(std::size_t begin);
  void anchor_span(std::uint64_t before);
  std::optional<Seen> last_in_span();
  struct Dated {
    Seen seen;
    std::uint64_t end = 0;  // of its line
    std::string bytes;      // of its line
  };
  // `several_lines`: set if frames may have more than one.
  std::optional<Dated> first_dated(std::uint64_t from, const Bytes& bytes, bool& several_lines);
  std::optional<Seen> search_back(std::size_t from, std::uint64_t known_until,
                                  const std::optional<Seen>& known);

  ArchiveClockOptions options_;
  ArchiveClock clock_;
  Parser parser_;
  Message message_;
  std::uint64_t boundary_ = 0;  // the next anchor is the first dated line at or after this
  std::optional<Seen> last_primary_;
  std::string_view span() const { return span_here_.empty() ? span_ : span_here_; }
  // The frames from the last primary anchor up to the boundary: should the next anchor want every line, their block may
  // be gone. Most anchors come while it is still there, so that little is copied.
  std::string span_;
  std::string_view span_here_;
  bool span_is_export_ = false;  // it begins with an entry of the journal export format
  std::string_view block_;
  std::uint64_t block_offset_ = 0;
  std::optional<BlockFrames> frames_;
  std::optional<Seen> tail_;         // nearest dated line before the end of the block
  std::uint64_t nearest_known_ = 0;  // mark(): the nearest dated line before this offset …
  std::optional<Seen> nearest_;      // … is this
};

}  // namespace correlator::syslog
