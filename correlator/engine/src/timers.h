// SPDX-License-Identifier: Apache-2.0
// The timers of the diagnosing half, in the order in which they fire (semantics.md, section 2).
#pragma once

#include <cstdint>
#include <set>
#include <string_view>

#include "time/timestamp.h"

namespace correlator::engine {

// In the order in which timers of one deadline fire. Record time-outs live in the decoder.
enum class TimerKind : std::uint8_t {
  record,
  hold,
  absence,
  clear,
  context,
  schedule,
  delayed,
  held,
  forget
};

struct Timer {
  Timestamp deadline;
  TimerKind kind = TimerKind::forget;
  std::uint32_t rule = 0;  // index; of a context or a mute: 0
  std::string_view key;    // orders timers of one rule; lives as long as the timer is armed
  std::uint64_t id = 0;    // of the object, for equal keys
  void* owner = nullptr;   // what `kind` says
};

// Whoever arms a timer cancels it before its key dies. Arming is for what will be due: an event that only
// moves a deadline into the future does not touch the queue, the owner looks again when the old deadline
// comes.
class TimerQueue {
 public:
  void arm(const Timer& timer) { timers_.insert(timer); }
  void cancel(const Timer& timer) { timers_.erase(timer); }
  const Timer* next() const { return timers_.empty() ? nullptr : &*timers_.begin(); }
  Timer pop() {
    const Timer first = *timers_.begin();
    timers_.erase(timers_.begin());
    return first;
  }
  std::size_t size() const { return timers_.size(); }
  void clear() { timers_.clear(); }

 private:
  struct Order {
    bool operator()(const Timer& a, const Timer& b) const {
      if (a.deadline != b.deadline) return a.deadline < b.deadline;
      if (a.kind != b.kind) return a.kind < b.kind;
      if (a.rule != b.rule) return a.rule < b.rule;
      if (const int c = a.key.compare(b.key); c != 0) return c < 0;
      return a.id < b.id;
    }
  };
  std::set<Timer, Order> timers_;
};

}  // namespace correlator::engine
