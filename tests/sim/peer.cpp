// SPDX-License-Identifier: Apache-2.0
#include "peer.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace correlator::sim {
namespace {

void close_end(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

}  // namespace

Peer::Peer(const std::vector<Step>& steps, const SimulatedClock& clock, Random random) : steps_(steps), clock_(clock), random_(random) {
  answered.resize(steps.size());
}

Peer::~Peer() {
  hang_up();
  close_plugin_side();
}

std::unique_ptr<input::LiveSource> Peer::connect() {
  hang_up();
  close_plugin_side();
  if (::pipe2(to_, O_CLOEXEC | O_NONBLOCK) != 0 || ::pipe2(from_, O_CLOEXEC | O_NONBLOCK) != 0) protocol_error = "no pipe";
  greeted_ = false;
  heard_.clear();
  // A queue on disk gives again what it had not yet taken off when rsyslogd itself was restarted.
  const std::int64_t back = random_.chance(20) ? random_.between(1, 3) : 0;
  for (std::int64_t i = 0; i < back && next_ > 0 && steps_[next_ - 1].kind == Step::Kind::line; ++i) --next_, ++repeated;
  return input::omprog_source(to_[0], from_[1]);
}

void Peer::hang_up() {
  if (from_[0] >= 0) hear();
  close_end(to_[1]);
  close_end(from_[0]);
  in_flight_ = false;
}

void Peer::close_plugin_side() {
  close_end(to_[0]);
  close_end(from_[1]);
}

void Peer::close_input() { close_end(to_[1]); }

void Peer::hear() {
  std::array<char, 4096> buffer;
  for (ssize_t n = 0; (n = ::read(from_[0], buffer.data(), buffer.size())) > 0;) heard_.append(buffer.data(), static_cast<std::size_t>(n));
  for (std::size_t end = 0; (end = heard_.find('\n')) != std::string::npos; heard_.erase(0, end + 1)) {
    const std::string line = heard_.substr(0, end);
    if (!greeted_) {
      greeted_ = true;
      if (line != "OK") protocol_error = "the greeting was: " + line;
    } else if (!in_flight_) {
      protocol_error = "an answer to nothing: " + line;
    } else {
      in_flight_ = false;
      if (line == "OK") {
        if (!answered[next_]) answered[next_] = clock_.now();
        ++next_;
      } else {
        ++refused;
        not_before_ = clock_.now() + Duration::seconds(1);
      }
    }
  }
}

void Peer::send() {
  const std::string line = steps_[next_].text + "\n";
  if (::write(to_[1], line.data(), line.size()) != static_cast<ssize_t>(line.size())) protocol_error = "the pipe is full";
  in_flight_ = true;
  sent_at_ = clock_.now();
}

bool Peer::turn(bool may_send) {
  if (from_[0] < 0) return false;
  const std::size_t before = next_;
  const bool waited = in_flight_, was_greeted = greeted_;
  hear();
  const bool line = next_ < steps_.size() && steps_[next_].kind == Step::Kind::line;
  const bool sends = may_send && greeted_ && !in_flight_ && line && to_[1] >= 0 && steps_[next_].due <= clock_.now() && not_before_ <= clock_.now();
  if (sends) send();
  return sends || next_ != before || waited != in_flight_ || was_greeted != greeted_;
}

Timestamp Peer::next_due() const {
  return next_ < steps_.size() ? std::max(steps_[next_].due, not_before_) : Timestamp::max();
}

}  // namespace correlator::sim
