// SPDX-License-Identifier: Apache-2.0
#include "window/tumbling.h"

#include "ints.h"
#include "sums.h"

namespace correlator::window {

Timestamp bucket_begin(Timestamp t, Duration within) {
  std::int64_t k = t.us / within.us;
  if (t.us % within.us < 0) --k;
  return {k * within.us};
}

TumblingWindow::Added TumblingWindow::add(Timestamp t, std::uint64_t w, std::uint64_t n, Duration within) {
  Added added;
  const Timestamp begin = bucket_begin(t, within);
  if (used_ && begin < begin_) return {Outcome::late, std::nullopt};
  if (used_ && begin_ < begin) {
    added.closed = begin_ + within;
    total_ = 0;
  }
  begin_ = begin;
  used_ = true;
  total_ = add_saturating(total_, w);
  added.outcome = total_ >= n ? Outcome::reached : Outcome::counted;
  return added;
}

void TumblingWindow::encode(std::string& out) const {
  out += '[';
  if (used_) {
    put_int(out, begin_.us);
    out += ',';
    put_int(out, total_);
  }
  out += ']';
}

std::optional<TumblingWindow> TumblingWindow::decode(std::string_view& text) {
  TumblingWindow window;
  const bool read = take_array(text, [&](std::string_view& rest) {
    if (window.used_) return false;
    window.used_ = true;
    return take_int(rest, window.begin_.us) && take(rest, ',') && take_int(rest, window.total_);
  });
  if (!read) return std::nullopt;
  return window;
}

bool Streak::add(std::uint64_t w, std::uint64_t n) {
  length_ = add_saturating(length_, w);
  return length_ >= n;
}

void Streak::encode(std::string& out) const {
  out += '[';
  put_int(out, length_);
  out += ']';
}

std::optional<Streak> Streak::decode(std::string_view& text) {
  Streak streak;
  if (!take(text, '[') || !take_int(text, streak.length_) || !take(text, ']')) return std::nullopt;
  return streak;
}

}  // namespace correlator::window
