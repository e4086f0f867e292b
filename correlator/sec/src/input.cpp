// SPDX-License-Identifier: Apache-2.0
// One input.
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <ctime>

#include "inputs.h"

namespace correlator::sec {
namespace {

constexpr std::size_t kChunk = 1 << 20;
constexpr std::uint32_t kLargestBlock = 1 << 24;  // memory for it is there before it is known to be needed
constexpr std::int64_t kTimelineStart = 1'700'000'000;

}  // namespace

Clock::Clock(bool timeline) : timeline_(timeline) {
  if (!timeline) return;
  const char* base = std::getenv("SEC_VT_BASE");
  start_ = base != nullptr ? std::strtoll(base, nullptr, 10) : kTimelineStart;
  now_ = start_;
}

std::int64_t Clock::now() const { return timeline_ ? now_ : static_cast<std::int64_t>(::time(nullptr)); }

Input::Input(std::string name, std::string given, const Options& options, const Clock& clock)
    : context(std::move(given)), name_(std::move(name)), options_(options), clock_(clock) {}

bool Input::open(std::int64_t offset) {
  tried = clock_.now();
  heard = tried;
  ended_ = renamed_ = false;
  if (name_ == "-") {
    if (clock_.is_timeline()) {
      read_timeline();
      return true;
    }
    fd_.reset(::dup(STDIN_FILENO));
    if (fd_) {
      ::fstat(fd_.get(), &info_);
      if (!S_ISREG(info_.st_mode)) ::fcntl(fd_.get(), F_SETFL, ::fcntl(fd_.get(), F_GETFL) | O_NONBLOCK);
    }
    was_there = true;
    return static_cast<bool>(fd_);
  }
  struct stat before {};
  if (::stat(name_.c_str(), &before) != 0) return false;
  const bool fifo = S_ISFIFO(before.st_mode);
  fd_.reset(::open(name_.c_str(), (fifo && options_.rw_fifo ? O_RDWR : O_RDONLY) | O_NONBLOCK | O_CLOEXEC));
  if (!fd_ || ::fstat(fd_.get(), &info_) != 0) {
    fd_.reset();
    return false;
  }
  was_there = true;
  offset_ = 0;
  if (S_ISREG(info_.st_mode)) {
    offset_ = offset < 0 ? static_cast<std::uint64_t>(info_.st_size) : static_cast<std::uint64_t>(offset);
    ::lseek(fd_.get(), static_cast<off_t>(offset_), SEEK_SET);
  }
  return true;
}

void Input::close() {
  if (fd_) left_ = cursor();
  fd_.reset();
  timeline_ = false;
  data_.clear();
  begin_ = scanned_ = 0;
}

bool Input::reopen() {
  if (name_ == "-" || S_ISREG(info_.st_mode)) return is_open();
  std::string kept = data_.substr(begin_);
  close();
  const bool opened = open(0);
  data_ = std::move(kept);
  return opened;
}

void Input::give(InputLine& line, std::string_view text) {
  line.text = text;
  line.source = name_;
  line.context = context;
  heard = clock_.now();
  ++lines;
}

Input::Next Input::next(InputLine& line, const pattern::PatternSet* filter, bool skipping, std::uint64_t& passed) {
  line = {};
  if (timeline_) {
    if (take_timeline(line)) return Next::line;
    return timeline_ ? Next::nothing : Next::end;
  }
  for (;;) {
    if (take(line, filter, skipping, passed)) return Next::line;
    if (!fd_) return Next::end;
    if (read_more()) continue;
    if (ended_) {
      if (take_partial(line)) return Next::line;
      close();
      return Next::end;
    }
    if ((options_.tail || renamed_) && switched()) continue;
    if (options_.tail || !renamed_) return Next::nothing;
    renamed_ = false;
    ended_ = true;
  }
}

// A complete line of what was read.
bool Input::take(InputLine& line, const pattern::PatternSet* filter, bool skipping, std::uint64_t& passed) {
  if (begin_ >= data_.size()) return false;
  if (filter != nullptr && (filter != scanned_by_ || begin_ >= scanned_)) rescan(*filter);
  if (filter != nullptr && scanned_ <= begin_) return false;  // no complete line
  if (filter != nullptr && skipping) {
    while (hit_ < hits_.size() && hits_[hit_].line_begin < begin_) ++hit_;
    const std::size_t target = hit_ < hits_.size() ? hits_[hit_].line_begin : scanned_;
    if (target > begin_) {
      const auto n = static_cast<std::uint64_t>(std::count(data_.begin() + static_cast<std::ptrdiff_t>(begin_), data_.begin() + static_cast<std::ptrdiff_t>(target), '\n'));
      passed += n;
      lines += n;
      begin_ = target;
      if (begin_ >= scanned_) return take(line, filter, skipping, passed);
    }
  }
  const std::size_t end = data_.find('\n', begin_);
  if (end == std::string::npos) return false;
  if (filter != nullptr) {
    candidates_.clear();
    while (hit_ < hits_.size() && hits_[hit_].line_begin < begin_) ++hit_;
    for (std::size_t i = hit_; i < hits_.size() && hits_[i].line_begin == begin_; ++i) candidates_.push_back(hits_[i].pattern);
    line.candidates = &candidates_;
  }
  give(line, std::string_view(data_).substr(begin_, end - begin_));
  begin_ = end + 1;
  return true;
}

void Input::rescan(const pattern::PatternSet& filter) {
  const std::size_t last = data_.rfind('\n');
  scanned_by_ = &filter;
  if (last == std::string::npos || last < begin_) return;
  data_.erase(0, begin_);
  const std::size_t length = last + 1 - begin_;
  begin_ = 0;
  scanned_ = length;
  filter.scan(std::string_view(data_).substr(0, length), scratch_, hits_);
  hit_ = 0;
}

bool Input::take_partial(InputLine& line) {
  if (begin_ >= data_.size()) return false;
  give(line, std::string_view(data_).substr(begin_));
  begin_ = data_.size();
  return true;
}

bool Input::read_more() {
  if (begin_ > 0) {
    data_.erase(0, begin_);
    begin_ = 0;
  }
  scanned_ = 0;
  hits_.clear();
  hit_ = 0;
  const std::size_t had = data_.size(), wanted = std::min(options_.block_size, kLargestBlock);
  data_.resize(had + wanted);
  const ssize_t n = ::read(fd_.get(), data_.data() + had, wanted);
  data_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
  if (n > 0) {
    offset_ += static_cast<std::uint64_t>(n);
    return true;
  }
  if (n < 0) {
    if (errno != EAGAIN && errno != EINTR) ended_ = true;
    return false;
  }
  // The end. A file that is followed may grow; a pipe without writers may get another one.
  const bool pipe = !S_ISREG(info_.st_mode);
  const bool goes_on = (options_.tail || renamed_) && name_ != "-";
  if (!goes_on) ended_ = true;
  else if (pipe && !data_.empty()) data_ += '\n';  // its writer is gone: what it left is a line
  return pipe && goes_on && !data_.empty();
}

// Rotation: another file has the name, or the file is shorter than what was read.
bool Input::switched() {
  if (name_ == "-") return false;
  struct stat there {};
  if (::stat(name_.c_str(), &there) != 0) return false;
  if (there.st_ino != info_.st_ino || there.st_dev != info_.st_dev) {
    close();
    return open(0);
  }
  if (!S_ISREG(there.st_mode) || static_cast<std::uint64_t>(there.st_size) >= offset_) return false;
  ::lseek(fd_.get(), 0, SEEK_SET);
  offset_ = 0;
  data_.clear();
  begin_ = scanned_ = 0;
  return true;
}

// --- a timeline: "offset<TAB>line" -------------------------------------------------------------------------------------

void Input::read_timeline() {
  data_.clear();
  begin_ = 0;
  for (;;) {
    const std::size_t had = data_.size();
    data_.resize(had + kChunk);
    const ssize_t n = ::read(STDIN_FILENO, data_.data() + had, kChunk);
    data_.resize(had + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
  }
  timeline_ = true;
  was_there = true;
}

namespace {

struct Entry {
  std::int64_t second = 0;
  std::string_view text;
};

std::optional<Entry> entry_of(std::string_view line) {
  Entry out;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), out.second);
  if (error != std::errc() || end == line.data() + line.size() || *end != '\t') return std::nullopt;
  out.text = line.substr(static_cast<std::size_t>(end - line.data()) + 1);
  return out;
}

}  // namespace

bool Input::take_timeline(InputLine& line) {
  while (begin_ < data_.size()) {
    const std::size_t end = std::min(data_.find('\n', begin_), data_.size());
    const auto entry = entry_of(std::string_view(data_).substr(begin_, end - begin_));
    if (entry && entry->second > clock_.now() - clock_.start()) return false;
    begin_ = end + 1;
    if (!entry) continue;
    if (entry->text == "#EOF") break;
    give(line, entry->text);
    return true;
  }
  timeline_ = false;
  return false;
}

std::optional<std::int64_t> Input::next_second() const {
  if (!timeline_) return std::nullopt;
  for (std::size_t at = begin_; at < data_.size();) {
    const std::size_t end = std::min(data_.find('\n', at), data_.size());
    if (const auto entry = entry_of(std::string_view(data_).substr(at, end - at))) return clock_.start() + entry->second;
    at = end + 1;
  }
  return clock_.now();
}

}  // namespace correlator::sec
