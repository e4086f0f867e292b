// SPDX-License-Identifier: Apache-2.0
// Live input from a descriptor: rsyslog's omprog, or plain stdin.
#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>
#include <vector>

#include "input/live.h"
#include "syslog/frame.h"

namespace correlator::input {
namespace {

constexpr std::size_t kReadSize = 256 * 1024;
constexpr std::string_view kOk = "OK\n";
// rsyslog takes any other line for "try again later" and shows it in its own log.
constexpr std::string_view kNotNow = "the state cannot be written; see the log of correlator\n";

// Bytes that were read and are not frames yet: whole frames are taken from the front, reads go to the back.
class Buffer {
 public:
  std::string_view bytes() const { return {data_.data() + begin_, end_ - begin_}; }
  void take(std::size_t count) { begin_ += count; }
  bool empty() const { return begin_ == end_; }

  // The next read need not wait for poll(2).
  void expect_more() { filled_ = false; }

  enum class Filled : std::uint8_t { some, nothing, end, failed };
  // At most one read(2) for each time that poll(2) told there is something: with one line in flight a second one would
  // only find nothing.
  Filled fill(int fd) {
    if (std::exchange(filled_, false)) return Filled::nothing;
    const std::span<char> room = make_room();
    const ssize_t n = ::read(fd, room.data(), room.size());
    const int error = errno;
    end_ += static_cast<std::size_t>(std::max<ssize_t>(n, 0));
    filled_ = n > 0;
    if (n > 0) return Filled::some;
    if (n == 0) return Filled::end;
    if (error == EINTR || error == EAGAIN) return Filled::nothing;
    errno = error;
    return Filled::failed;
  }
  Result<std::size_t> fill(Reader& reader) {
    auto n = reader.read(make_room());
    end_ += n ? *n : 0;
    return n;
  }

 private:
  // Room behind what is kept. It is made and cleared once, not for each line.
  std::span<char> make_room() {
    std::copy(data_.data() + begin_, data_.data() + end_, data_.data());
    end_ -= std::exchange(begin_, 0);
    if (data_.size() < end_ + kReadSize) data_.resize(end_ + kReadSize);
    return std::span(data_).subspan(end_, kReadSize);
  }

  std::vector<char> data_;
  std::size_t begin_ = 0, end_ = 0;  // of what is there
  bool filled_ = false;
};

// A read must never wait: the caller polls.
void set_nonblocking(int fd) {
  const int flags = ::fcntl(fd, F_GETFL);
  if (flags >= 0) ::fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

class OmprogSource final : public LiveSource {
 public:
  OmprogSource(int in, int out, bool greeted) : LiveSource("omprog"), in_(in), out_(out), answers_(greeted ? "" : kOk) {
    set_nonblocking(in_);
  }

  int fd() const override { return in_; }

  Result<Next> next(LiveFrame& frame) override {
    for (;;) {
      if (take_line(frame)) return Next::frame;
      // rsyslog sends the next line only when it has its answer.
      if (auto status = write_answers(); !status) return status.error();
      switch (buffer_.fill(in_)) {
        case Buffer::Filled::some: continue;
        case Buffer::Filled::nothing: return Next::nothing;
        case Buffer::Filled::end: return Next::end;
        case Buffer::Filled::failed:
          return make_error("E205", fmt::format("reading from rsyslog failed: {}", std::strerror(errno)));
      }
    }
  }

  void answer(bool accepted) override { answers_ += accepted ? kOk : kNotNow; }
  bool answers_early() const override { return true; }
  // By the time that the line is done with, rsyslogd may have sent the next one.
  Status send_answers() override {
    buffer_.expect_more();
    return write_answers();
  }
  bool may_refuse() const override { return true; }
  bool has_marks() const override { return true; }

 private:
  Status write_answers() {
    for (std::size_t done = 0; done < answers_.size();) {
      const ssize_t n = ::write(out_, answers_.data() + done, answers_.size() - done);
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) {
        pollfd ready{out_, POLLOUT, 0};
        ::poll(&ready, 1, 1000);
        continue;
      }
      if (n < 0) return make_error("E205", fmt::format("answering rsyslog failed: {}", std::strerror(errno)));
      done += static_cast<std::size_t>(n);
    }
    answers_.clear();
    return {};
  }
  // A line of up to kMaxFrame bytes, or the beginning of a longer one whose rest is skipped.
  bool take_line(LiveFrame& frame) {
    const std::string_view bytes = buffer_.bytes();
    const std::size_t end = bytes.find('\n', searched_);
    if (skipping_) {
      buffer_.take(end == std::string_view::npos ? bytes.size() : end + 1);
      searched_ = 0;
      if (end == std::string_view::npos) return false;
      skipping_ = false;
      frame = {};
      frame.bytes = long_line_;
      frame.truncated = true;
      return true;
    }
    if (end == std::string_view::npos && bytes.size() <= syslog::kMaxFrame) {
      searched_ = bytes.size();
      return false;
    }
    searched_ = 0;
    if (end != std::string_view::npos && end <= syslog::kMaxFrame) {
      frame = {};
      frame.bytes = bytes.substr(0, end);
      buffer_.take(end + 1);
      return true;
    }
    // Too long. It is one line for rsyslog and gets one answer, when all of it is there.
    long_line_ = bytes.substr(0, syslog::kMaxFrame);
    buffer_.take(syslog::kMaxFrame);
    skipping_ = true;
    return take_line(frame);
  }

  int in_, out_;
  Buffer buffer_;
  std::size_t searched_ = 0;  // bytes at the front known to hold no newline
  bool skipping_ = false;     // inside the rest of a line that is too long
  std::string long_line_;
  std::string answers_;  // not sent yet
};

// Frames of a stream of bytes, from a descriptor or from a Reader.
class PipeSource final : public LiveSource {
 public:
  PipeSource(int in, std::string name) : LiveSource(std::move(name)), in_(in) {
    set_nonblocking(in_);
  }
  explicit PipeSource(std::unique_ptr<Reader> reader) : LiveSource(reader->name()), reader_(std::move(reader)) {}

  int fd() const override { return in_; }

  Result<Next> next(LiveFrame& frame) override {
    for (;;) {
      if (take_frame(frame)) return Next::frame;
      if (ended_) return Next::end;
      if (reader_ != nullptr) {
        auto n = buffer_.fill(*reader_);
        if (!n) return n.error();
        ended_ = *n == 0;
        continue;
      }
      switch (buffer_.fill(in_)) {
        case Buffer::Filled::some: continue;
        case Buffer::Filled::nothing: return Next::nothing;
        case Buffer::Filled::end: ended_ = true; continue;
        case Buffer::Filled::failed:
          return make_error("E205", fmt::format("reading {} failed: {}", name(), std::strerror(errno)));
      }
    }
  }

 private:
  bool take_frame(LiveFrame& frame) {
    syslog::BlockFrames frames(buffer_.bytes(), state_, ended_);
    syslog::Frame found;
    const bool some = frames.next(found);
    state_ = frames.state();
    buffer_.take(frames.consumed());
    if (!some) return false;
    frame = {};
    frame.bytes = found.bytes;
    frame.truncated = found.truncated;
    return true;
  }

  int in_ = -1;
  std::unique_ptr<Reader> reader_;
  Buffer buffer_;
  syslog::FrameState state_;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<LiveSource> omprog_source(int in, int out, bool greeted) {
  return std::make_unique<OmprogSource>(in, out, greeted);
}
std::unique_ptr<LiveSource> pipe_source(int in, std::string name) {
  return std::make_unique<PipeSource>(in, std::move(name));
}
std::unique_ptr<LiveSource> reader_source(std::unique_ptr<Reader> reader) {
  return std::make_unique<PipeSource>(std::move(reader));
}

}  // namespace correlator::input
