// SPDX-License-Identifier: Apache-2.0
#include "window/absence.h"

#include <algorithm>

#include "ints.h"

namespace correlator::window {
namespace {

void put_times(std::string& out, std::span<const Timestamp> times) {
  out += '[';
  for (std::size_t i = 0; i < times.size(); ++i) {
    if (i > 0) out += ',';
    put_int(out, times[i].us);
  }
  out += ']';
}

bool take_times(std::string_view& text, std::vector<Timestamp>& times, std::size_t limit) {
  return take_array(text, [&](std::string_view& rest) {
    Timestamp time;
    if (times.size() == limit || !take_int(rest, time.us)) return false;
    if (!times.empty() && time < times.back()) return false;
    times.push_back(time);
    return true;
  });
}

}  // namespace

AbsenceWait::Outcome AbsenceWait::after(Timestamp t, Duration within) {
  const auto answer = std::lower_bound(answers_.begin(), answers_.end(), t);
  if (answer != answers_.end() && *answer < t + within) return Outcome::answered;
  if (waits_.size() == kMaxWaits) return Outcome::full;
  waits_.insert(std::upper_bound(waits_.begin(), waits_.end(), t), t);
  return Outcome::waiting;
}

std::size_t AbsenceWait::answer(Timestamp a, Duration within) {
  const auto at = std::lower_bound(answers_.begin(), answers_.end(), a);
  if (at == answers_.end() || *at != a) {
    answers_.insert(at, a);
    if (answers_.size() > kMaxAnswers) answers_.erase(answers_.begin());
  }
  // Satisfied: a - within < t <= a.
  const auto first = std::upper_bound(waits_.begin(), waits_.end(), a - within);
  const auto last = std::upper_bound(first, waits_.end(), a);
  const auto satisfied = static_cast<std::size_t>(last - first);
  waits_.erase(first, last);
  return satisfied;
}

std::optional<Timestamp> AbsenceWait::first_wait() const {
  if (waits_.empty()) return std::nullopt;
  return waits_.front();
}

void AbsenceWait::pop_wait() {
  waits_.erase(waits_.begin());
}

void AbsenceWait::forget_answers_until(Timestamp time) {
  answers_.erase(answers_.begin(), std::upper_bound(answers_.begin(), answers_.end(), time));
}

void AbsenceWait::clear() {
  waits_.clear();
  answers_.clear();
}

void AbsenceWait::encode(std::string& out) const {
  out += '[';
  put_times(out, waits_);
  out += ',';
  put_times(out, answers_);
  out += ']';
}

std::optional<AbsenceWait> AbsenceWait::decode(std::string_view& text) {
  AbsenceWait wait;
  if (!take(text, '[') || !take_times(text, wait.waits_, kMaxWaits) || !take(text, ',') ||
      !take_times(text, wait.answers_, kMaxAnswers) || !take(text, ']'))
    return std::nullopt;
  return wait;
}

void Heartbeat::encode(std::string& out) const {
  out += '[';
  if (last_) put_int(out, last_->us);
  out += ']';
}

std::optional<Heartbeat> Heartbeat::decode(std::string_view& text) {
  std::vector<Timestamp> times;
  if (!take_times(text, times, 1)) return std::nullopt;
  Heartbeat heartbeat;
  if (!times.empty()) heartbeat.last_ = times.front();
  return heartbeat;
}

}  // namespace correlator::window
