// SPDX-License-Identifier: Apache-2.0
// Live input from a file that others append to and rotate.
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <deque>
#include <span>

#include "base/hash.h"
#include "input/identity.h"
#include "input/live.h"
#include "input/reader.h"
#include "input/sources.h"
#include "syslog/frame.h"

namespace correlator::input {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kReadSize = 256 * 1024;
constexpr std::size_t kHead = 4096;  // what an identity is made of

// The file that is open now.
struct Open {
  int fd = -1;
  dev_t device = 0;
  ino_t inode = 0;
  std::uint64_t read = 0;  // bytes read so far
  std::string head;        // its first bytes, up to kHead

  Open() = default;
  Open(const Open&) = delete;
  Open& operator=(const Open&) = delete;
  ~Open() { close(); }
  void close() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
  bool is(const struct stat& info) const { return fd >= 0 && info.st_dev == device && info.st_ino == inode; }
};

class FollowSource final : public LiveSource {
 public:
  FollowSource(const fs::path& file, int inotify, const FollowOptions& options)
      : LiveSource(file.string()), path_(file), inotify_(inotify), options_(options) {}
  ~FollowSource() override { ::close(inotify_); }

  int fd() const override { return inotify_; }

  Result<Next> next(LiveFrame& frame) override {
    if (!started_) start();
    for (;;) {
      if (take_frame(frame)) return Next::frame;
      if (read_backlog() || read_file() || switch_file()) continue;
      if (drain_events()) continue;  // something happened while we looked
      return Next::nothing;
    }
  }

  std::optional<LivePosition> position() const override {
    if (!started_) return std::nullopt;
    return LivePosition{identity_, given_, {}};
  }

  Status resume(const LivePosition& position) override {
    started_ = true;
    const std::vector<fs::path> files = rotated_set();
    for (std::size_t i = 0; i < files.size(); ++i) {
      const auto same = same_file(files[i], {position.identity});
      if (!same || !*same || position.identity == "0:") continue;
      if (files[i] == path_) {
        open_file(position.offset);
        return {};
      }
      // Rotated meanwhile: the rest of it, then all that came after it.
      for (std::size_t later = i; later < files.size() && files[later] != path_; ++later) {
        backlog_.push_back({files[later], later == i ? position.offset : 0});
      }
      return {};
    }
    return make_error("E207", fmt::format("no file of the rotation of {} is the one that was read before", path_.string()),
                      "it was deleted or truncated; reading goes on at the start of the one that is there");
  }

 private:
  struct Backlog {
    fs::path file;
    std::uint64_t offset;
  };

  void start() {
    started_ = true;
    struct stat info {};
    const bool there = ::stat(path_.c_str(), &info) == 0;
    open_file(there && !options_.from_start ? static_cast<std::uint64_t>(info.st_size) : 0);
  }

  // The files of the rotation that `path_` belongs to, oldest first, itself last.
  std::vector<fs::path> rotated_set() const {
    const fs::path dir = path_.has_parent_path() ? path_.parent_path() : fs::path(".");
    std::vector<std::string> names;
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(dir, failure)) {
      const std::string name = entry.path().filename();
      if (name == path_.filename() || parse_rotated_name(name).base == path_.filename()) names.push_back(entry.path().string());
    }
    std::sort(names.begin(), names.end());
    for (const Source& source : expand_sources(names).sources) {
      if (std::any_of(source.files.begin(), source.files.end(), [&](const fs::path& f) { return f.filename() == path_.filename(); })) {
        std::vector<fs::path> files;
        for (const fs::path& f : source.files) files.push_back(f.filename() == path_.filename() ? path_ : f);
        return files;
      }
    }
    return {};
  }

  bool open_file(std::uint64_t offset) {
    file_.close();
    file_.fd = ::open(path_.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    struct stat info {};
    if (file_.fd < 0 || ::fstat(file_.fd, &info) != 0) return false;
    file_.device = info.st_dev;
    file_.inode = info.st_ino;
    begin_stream(offset);
    file_.read = offset;
    file_.head.clear();
    read_head();
    if (::inotify_add_watch(inotify_, path_.c_str(), IN_MODIFY | IN_ATTRIB | IN_MOVE_SELF | IN_DELETE_SELF) < 0) return true;
    return true;
  }

  // A new file begins: what was left of the one before has been given.
  void begin_stream(std::uint64_t offset) {
    buffer_.clear();
    state_ = {};
    at_end_ = false;
    given_ = offset;
    identity_ = "0:";
  }

  void read_head() {
    if (file_.head.size() >= kHead) return;
    std::array<char, kHead> bytes;
    const ssize_t n = ::pread(file_.fd, bytes.data(), bytes.size(), 0);
    if (n <= static_cast<ssize_t>(file_.head.size())) return;
    file_.head.assign(bytes.data(), static_cast<std::size_t>(n));
    identity_ = fmt::format("{}:{}", file_.head.size(), Sha256().add(file_.head).hex(16));
  }

  bool take_frame(LiveFrame& frame) {
    if (buffer_.empty()) return false;
    syslog::BlockFrames frames(buffer_.bytes(), state_, at_end_);
    syslog::Frame found;
    const bool some = frames.next(found);
    state_ = frames.state();
    given_ += frames.consumed();
    buffer_.take(frames.consumed());
    if (!some) return false;
    frame = {};
    frame.bytes = found.bytes;
    frame.truncated = found.truncated;
    return true;
  }

  // What was written between the position and the last rotation.
  bool read_backlog() {
    if (reader_ == nullptr) {
      if (backlog_.empty()) return false;
      const Backlog next = backlog_.front();
      backlog_.pop_front();
      auto reader = open_reader(next.file);
      if (!reader) return true;
      const auto identity = identify(next.file);
      if (next.offset > 0 && !(*reader)->skip(next.offset)) return true;
      begin_stream(next.offset);
      if (identity) identity_ = identity->id;
      reader_ = std::move(*reader);
      return true;
    }
    const auto n = reader_->read(buffer_.room());
    if (n && *n > 0) {
      buffer_.filled(*n);
      return true;
    }
    if (!at_end_) {
      at_end_ = true;  // a last line without its end is a line now
      return true;
    }
    reader_.reset();
    if (backlog_.empty()) open_file(0);
    return true;
  }

  bool read_file() {
    if (file_.fd < 0) return false;
    if (was_truncated()) {
      ::lseek(file_.fd, 0, SEEK_SET);
      file_.read = 0;
      file_.head.clear();
      begin_stream(0);
      read_head();
    }
    const std::span<char> room = buffer_.room();
    const ssize_t n = ::pread(file_.fd, room.data(), room.size(), static_cast<off_t>(file_.read));
    if (n <= 0) return false;
    buffer_.filled(static_cast<std::size_t>(n));
    file_.read += static_cast<std::uint64_t>(n);
    read_head();
    return true;
  }

  // Shorter than what was read, or with another beginning: copytruncate, also where it has grown beyond our place since.
  bool was_truncated() const {
    struct stat info {};
    if (::fstat(file_.fd, &info) != 0) return false;
    if (static_cast<std::uint64_t>(info.st_size) < file_.read) return true;
    std::array<char, kHead> bytes;
    const ssize_t n = ::pread(file_.fd, bytes.data(), file_.head.size(), 0);
    return n >= 0 && std::string_view(bytes.data(), static_cast<std::size_t>(n)) != file_.head;
  }

  // Another file has the name now. The old one is read until the new one holds something: until then its writer may not
  // have reopened.
  bool switch_file() {
    struct stat info {};
    if (::stat(path_.c_str(), &info) != 0 || file_.is(info)) return false;
    if (file_.fd >= 0 && info.st_size == 0) return false;
    if (file_.fd >= 0 && !at_end_) {
      at_end_ = true;
      return true;  // what is left of the old one first
    }
    return open_file(0);
  }

  bool drain_events() {
    alignas(inotify_event) std::array<char, 4096> events;
    bool some = false;
    while (::read(inotify_, events.data(), events.size()) > 0) some = true;
    return some;
  }

  // Bytes that were read and are no frames yet.
  class Buffer {
   public:
    bool empty() const { return begin_ == end_; }
    std::string_view bytes() const { return std::string_view(data_).substr(begin_, end_ - begin_); }
    void take(std::size_t n) { begin_ += n; }
    void clear() { begin_ = end_ = 0; }
    std::span<char> room() {
      data_.erase(0, begin_);
      end_ -= begin_;
      begin_ = 0;
      data_.resize(end_ + kReadSize);
      return std::span<char>(data_).subspan(end_);
    }
    void filled(std::size_t n) { end_ += n; }

   private:
    std::string data_;
    std::size_t begin_ = 0, end_ = 0;
  };

  fs::path path_;
  int inotify_;
  FollowOptions options_;
  bool started_ = false;
  Open file_;
  std::deque<Backlog> backlog_;
  std::unique_ptr<Reader> reader_;  // of the backlog's first file
  Buffer buffer_;
  syslog::FrameState state_;
  bool at_end_ = false;       // nothing will be added to what the buffer holds
  std::uint64_t given_ = 0;   // offset behind the frame given last
  std::string identity_ = "0:";
};

}  // namespace

Result<std::unique_ptr<LiveSource>> follow_source(const fs::path& file, const FollowOptions& options) {
  const fs::path dir = file.has_parent_path() ? file.parent_path() : fs::path(".");
  const int inotify = ::inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  // The directory tells of new files under the name; the file itself of what is written to it.
  if (inotify < 0 || ::inotify_add_watch(inotify, dir.c_str(), IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) < 0) {
    const int error = errno;
    if (inotify >= 0) ::close(inotify);
    return make_error("E201", fmt::format("cannot watch {}: {}", dir.string(), std::strerror(error)),
                      "the directory of a followed file must exist and be readable");
  }
  return std::unique_ptr<LiveSource>(new FollowSource(file, inotify, options));
}

}  // namespace correlator::input
