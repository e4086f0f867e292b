// SPDX-License-Identifier: Apache-2.0
// Live input from /dev/kmsg (Documentation/ABI/testing/dev-kmsg): one record a read.
#include <fcntl.h>
#include <fmt/format.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>

#include "base/text.h"
#include "input/live.h"

namespace correlator::input {
namespace {

// The kernel refuses a read into less than the record (EINVAL); its own limit is CONSOLE_EXT_LOG_MAX, 8 KiB.
constexpr std::size_t kMaxRecord = 16 * 1024;

std::int64_t clock_us(clockid_t id) {
  timespec now{};
  ::clock_gettime(id, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

struct Prefix {
  std::uint64_t priority = 0, number = 0, uptime_us = 0;
};

// "6,339,5140900,-;text": priority, number, time since boot.
std::optional<Prefix> parse_prefix(std::string_view record) {
  Prefix prefix;
  for (std::uint64_t* field : {&prefix.priority, &prefix.number, &prefix.uptime_us}) {
    const auto [end, error] = std::from_chars(record.data(), record.data() + record.size(), *field);
    if (error != std::errc{} || end == record.data() + record.size() || *end != ',') return std::nullopt;
    record.remove_prefix(static_cast<std::size_t>(end - record.data()) + 1);
  }
  return prefix;
}

class KmsgSource final : public LiveSource {
 public:
  KmsgSource(int fd, std::string boot_id) : LiveSource("kmsg"), fd_(fd), boot_id_(std::move(boot_id)) {}
  ~KmsgSource() override { ::close(fd_); }

  int fd() const override { return fd_; }

  Result<Next> next(LiveFrame& frame) override {
    for (;;) {
      if (held_back_) {
        held_back_ = false;
        return give(frame);
      }
      const ssize_t n = ::read(fd_, buffer_.data(), buffer_.size());
      if (n < 0 && errno == EINTR) continue;
      if (n < 0 && errno == EAGAIN) return Next::nothing;
      if (n < 0 && errno == EPIPE) continue;  // overwritten meanwhile; the next number tells how many
      if (n < 0) return make_error("E205", fmt::format("reading the kernel's messages failed: {}", std::strerror(errno)));
      if (n == 0) return Next::end;
      record_ = std::string_view(buffer_.data(), static_cast<std::size_t>(n));
      const auto prefix = parse_prefix(record_);
      if (!prefix) continue;
      if (prefix->number < expected_) continue;  // before the position that was resumed, or out of order
      const std::uint64_t missing = expected_ > 0 ? prefix->number - expected_ : 0;
      at_ = *prefix;
      if (missing > 0) return tell_loss(missing, frame);
      if (prefix->priority >> 3 != 0) {  // not the kernel's
        expected_ = prefix->number + 1;
        continue;
      }
      return give(frame);
    }
  }

  bool is_kernel() const override { return true; }
  std::optional<std::uint64_t> lost() const override { return lost_; }
  std::optional<LivePosition> position() const override { return LivePosition{boot_id_, expected_, {}}; }

  Status resume(const LivePosition& position) override {
    if (position.identity == boot_id_) expected_ = position.offset;  // else another boot, whose ring is read from its start
    return {};
  }

 private:
  Next give(LiveFrame& frame) {
    frame = {};
    frame.bytes = record_;
    if (frame.bytes.ends_with('\n')) frame.bytes.remove_suffix(1);
    frame.id = fmt::format("{}:{}", boot_id_, at_.number);
    frame.arrival = time_of(at_);
    expected_ = at_.number + 1;
    return Next::frame;
  }

  // Says so in the kernel's own words, before the record that showed it.
  Next tell_loss(std::uint64_t missing, LiveFrame& frame) {
    loss_ = fmt::format("4,{},{},-;** {} printk messages dropped **", at_.number, at_.uptime_us, missing);
    frame = {};
    frame.bytes = loss_;
    frame.id = fmt::format("{}:{}-lost-{}", boot_id_, expected_, missing);
    frame.arrival = time_of(at_);
    lost_ += missing;
    expected_ = at_.number;
    held_back_ = at_.priority >> 3 == 0;
    if (!held_back_) ++expected_;
    return Next::frame;
  }

  // printk's clock does not run during a suspend, nor does CLOCK_MONOTONIC; never later than now.
  static Timestamp time_of(const Prefix& at) {
    const std::int64_t age = clock_us(CLOCK_MONOTONIC) - static_cast<std::int64_t>(at.uptime_us);
    return Timestamp{clock_us(CLOCK_REALTIME) - std::max<std::int64_t>(age, 0)};
  }

  int fd_;
  std::string boot_id_;
  std::array<char, kMaxRecord> buffer_;
  std::string_view record_;
  Prefix at_;
  std::string loss_;
  std::uint64_t lost_ = 0;
  std::uint64_t expected_ = 0;  // number of the next record; 0: not known yet
  bool held_back_ = false;      // record_ was read and is to be given next
};

}  // namespace

std::unique_ptr<LiveSource> kmsg_source(int fd, std::string boot_id) {
  return std::make_unique<KmsgSource>(fd, std::move(boot_id));
}

Result<std::unique_ptr<LiveSource>> kmsg_source(const std::filesystem::path& device) {
  const int fd = ::open(device.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    return make_error("E201", fmt::format("cannot open {}: {}", device.string(), std::strerror(errno)),
                      "reading the kernel's messages takes root or CAP_SYSLOG");
  }
  std::string boot_id;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot_id;
  return kmsg_source(fd, std::move(boot_id));
}

}  // namespace correlator::input
