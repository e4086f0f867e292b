// SPDX-License-Identifier: Apache-2.0
// AbsenceWait: answers that did not come. Heartbeat: when a key spoke last.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "time/timestamp.h"

namespace correlator::window {

// Waits and answers of one key. A wait that begins at t is satisfied by an answer a with t <= a < t + within,
// whichever of the two came first.
class AbsenceWait {
 public:
  static constexpr std::size_t kMaxWaits = 64;
  static constexpr std::size_t kMaxAnswers = 8;

  enum class Outcome : std::uint8_t {
    waiting,   // a wait was opened
    answered,  // a kept answer satisfies it already
    full,      // there are 64 waits: not kept
  };
  Outcome after(Timestamp t, Duration within);
  // Ends the waits that it satisfies and says how many.
  std::size_t answer(Timestamp a, Duration within);

  // The earliest wait, which runs out at its begin + within. None when nothing is waited for.
  std::optional<Timestamp> first_wait() const;
  void pop_wait();  // it ran out; only when first_wait() gave one
  void forget_answers_until(Timestamp time);
  void clear();

  std::span<const Timestamp> waits() const { return waits_; }      // ascending
  std::span<const Timestamp> answers() const { return answers_; }  // ascending, different
  bool empty() const { return waits_.empty() && answers_.empty(); }

  void encode(std::string& out) const;  // "[[wait,…],[answer,…]]"
  static std::optional<AbsenceWait> decode(std::string_view& text);

 private:
  std::vector<Timestamp> waits_;
  std::vector<Timestamp> answers_;
};

class Heartbeat {
 public:
  void beat(Timestamp t) {
    if (!last_ || *last_ < t) last_ = t;
  }
  std::optional<Timestamp> last() const { return last_; }
  bool empty() const { return !last_; }

  void encode(std::string& out) const;  // "[last]", "[]" before the first beat
  static std::optional<Heartbeat> decode(std::string_view& text);

 private:
  std::optional<Timestamp> last_;
};

}  // namespace correlator::window
