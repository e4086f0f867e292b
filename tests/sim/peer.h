// SPDX-License-Identifier: Apache-2.0
// rsyslog's side of omprog's pipe: one line in flight, the next after its OK, and after the plug-in's end again from the line
// that was not answered, sometimes from a few before it.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "input/live.h"
#include "random.h"
#include "script.h"
#include "time/clock.h"

namespace correlator::sim {

class Peer {
 public:
  Peer(const std::vector<Step>& steps, const SimulatedClock& clock, Random random);
  ~Peer();
  Peer(const Peer&) = delete;
  Peer& operator=(const Peer&) = delete;

  // A new plug-in; what it reads from.
  std::unique_ptr<input::LiveSource> connect();
  // It died, or is to end: what it has said is heard, nothing after.
  void hang_up();
  void close_plugin_side();  // when nothing of it uses the pipe any more
  void close_input();  // end of file for the plug-in

  // Hears answers; sends the next line if it may. Whether anything was done. With `send` false nothing new is sent.
  bool turn(bool send = true);

  std::size_t next() const { return next_; }     // the first step that is not answered
  bool in_flight() const { return in_flight_; }
  bool connected() const { return to_[1] >= 0; }
  void pass() { ++next_; }                       // a step that is no line is done
  std::optional<Timestamp> waits_since() const { return in_flight_ ? std::optional(sent_at_) : std::nullopt; }
  Timestamp next_due() const;

  std::vector<std::optional<Timestamp>> answered;  // by step: when OK was given
  std::uint64_t refused = 0, repeated = 0;
  std::string protocol_error;

 private:
  void hear();
  void send();

  const std::vector<Step>& steps_;
  const SimulatedClock& clock_;
  Random random_;
  int to_[2] = {-1, -1}, from_[2] = {-1, -1};
  std::string heard_;
  bool greeted_ = false, in_flight_ = false;
  std::size_t next_ = 0;
  Timestamp sent_at_, not_before_ = Timestamp::min();
};

}  // namespace correlator::sim
