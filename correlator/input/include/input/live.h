// SPDX-License-Identifier: Apache-2.0
// LiveSource: an input that goes on while we run. One frame at a time, each answered when it is done with.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "input/reader.h"
#include "time/timestamp.h"

namespace correlator::input {

struct LiveFrame {
  std::string_view bytes;  // without its line end; valid until the next call of next()
  bool truncated = false;  // only the beginning of a longer frame: kMaxFrame of syslog/frame.h
  std::string id;          // identity that the input itself gives it (boot id and number, cursor); empty: it gives none
  std::optional<Timestamp> arrival;  // when the input says it came, where that is better than the time of our read
};

// Where an input goes on after a restart. What it holds is the source's own affair.
struct LivePosition {
  std::string identity;
  std::uint64_t offset = 0;
  std::string extra;
};

class LiveSource {
 public:
  enum class Next : std::uint8_t { frame, nothing, end };

  virtual ~LiveSource() = default;
  LiveSource(const LiveSource&) = delete;
  LiveSource& operator=(const LiveSource&) = delete;

  // The name of the stream in evidence and positions: "omprog", "stdin", a file's path, "kmsg", "journal".
  const std::string& name() const { return name_; }

  // To poll for reading before the next call of next(); -1: ask again now and then.
  virtual int fd() const = 0;
  // The next frame, without waiting. `nothing`: none is complete by now. `end`: none will come. An error ends the
  // source, too, and is given again.
  virtual Result<Next> next(LiveFrame& frame) = 0;
  // The frame given last is durable, or means nothing. False: it could not be made durable and shall come again, where
  // the input can do that. Answers may be sent with the next call of next().
  virtual void answer(bool accepted) { static_cast<void>(accepted); }
  // Whether somebody waits for an answer, who can go on while its line is still worked on.
  virtual bool answers_early() const { return false; }
  // Sends what answers there are, now.
  virtual Status send_answers() { return {}; }
  virtual bool may_refuse() const { return false; }
  // True for the kernel's own ring: what it gives with facility kern is the kernel's.
  virtual bool is_kernel() const { return false; }
  // True where clock marks come in-band (rsyslog's immark); other inputs have one recorded when they are found empty.
  virtual bool has_marks() const { return false; }
  // Entries that the source's own numbering shows as lost since the start; nothing where it does not number.
  virtual std::optional<std::uint64_t> lost() const { return std::nullopt; }
  // Behind the frame that was given last; nothing where reading cannot go on, as with a pipe.
  virtual std::optional<LivePosition> position() const { return std::nullopt; }
  // Before the first next(): go on behind this position. What is not there any more is said in the Status, and reading
  // begins with what is there.
  virtual Status resume(const LivePosition& position) {
    static_cast<void>(position);
    return {};
  }

 protected:
  explicit LiveSource(std::string name) : name_(std::move(name)) {}

 private:
  std::string name_;
};

// rsyslog's omprog with confirmMessages: a frame is a line, each answer one line on `out`, the first before any line came.
// A line that is cut off by the end of the pipe was never answered and is dropped: it will come again.
// Does not own the descriptors.
// `greeted`: the first answer was given before we were started.
std::unique_ptr<LiveSource> omprog_source(int in, int out, bool greeted = false);

// A pipe, a terminal or a file as it comes, in any format of syslog/frame.h, without answers. Does not own it.
std::unique_ptr<LiveSource> pipe_source(int in, std::string name);

// The bytes of a Reader, never waiting: for stdin that is a compressed file, and for tests.
std::unique_ptr<LiveSource> reader_source(std::unique_ptr<Reader> reader);

// A file that others append to, through rotation by rename and by truncation. Without resume() it begins at the end of the file
// (or at its start, with `from_start`); with it, where reading stopped, also if the file has been rotated or compressed since.
// The file need not exist yet. E201 if its directory does not.
struct FollowOptions {
  bool from_start = false;
};
Result<std::unique_ptr<LiveSource>> follow_source(const std::filesystem::path& file, const FollowOptions& options = {});

// The kernel's ring buffer. Records of facility kern alone: what user space writes there is passed over. Records that were
// overwritten before they were read are told by a record of our own, in the kernel's words for it: "** 3 printk messages
// dropped **". Ids are boot id and number, so that nothing is taken twice in one boot.
Result<std::unique_ptr<LiveSource>> kmsg_source(const std::filesystem::path& device = "/dev/kmsg");
// The same from a descriptor that gives one record a read, which is then owned.
std::unique_ptr<LiveSource> kmsg_source(int fd, std::string boot_id);

// The systemd journal (or, for tests, that of a directory), entries as in its export format, from now on or behind the cursor of
// resume(). E202-like damage is passed over by the library. E209 if this build has no libsystemd.
Result<std::unique_ptr<LiveSource>> journal_source(const std::filesystem::path& directory = {});

}  // namespace correlator::input
