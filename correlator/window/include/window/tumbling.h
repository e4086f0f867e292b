// SPDX-License-Identifier: Apache-2.0
// TumblingWindow: a total per fixed bucket of time, counted from 1970-01-01T00:00:00Z. Streak: a run without
// a break.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "time/timestamp.h"

namespace correlator::window {

class TumblingWindow {
 public:
  enum class Outcome : std::uint8_t {
    late,     // the bucket is older than the one that is kept: dropped
    counted,  // the total is below n
    reached,  // the total is n or more
  };
  struct Added {
    Outcome outcome = Outcome::counted;
    std::optional<Timestamp> closed;  // the end of the bucket that this event closed
  };
  Added add(Timestamp t, std::uint64_t w, std::uint64_t n, Duration within);

  std::uint64_t total() const { return total_; }
  bool empty() const { return !used_; }
  Timestamp begin() const { return begin_; }  // of the bucket; only when !empty()
  Timestamp end(Duration within) const { return begin_ + within; }
  void restart() { total_ = 0; }  // rearm = "at-once": the bucket counts from 0 again
  void clear() { *this = {}; }

  void encode(std::string& out) const;  // "[begin,total]", "[]" when empty
  static std::optional<TumblingWindow> decode(std::string_view& text);

 private:
  Timestamp begin_;
  std::uint64_t total_ = 0;
  bool used_ = false;
};

// The beginning of the bucket [k·within, (k+1)·within) that holds t; also for times before 1970.
Timestamp bucket_begin(Timestamp t, Duration within);

class Streak {
 public:
  // Whether the run is now n or longer.
  bool add(std::uint64_t w, std::uint64_t n);
  void broken() { length_ = 0; }
  std::uint64_t length() const { return length_; }
  bool empty() const { return length_ == 0; }

  void encode(std::string& out) const;  // "[length]"
  static std::optional<Streak> decode(std::string_view& text);

 private:
  std::uint64_t length_ = 0;
};

}  // namespace correlator::window
