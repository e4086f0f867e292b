// SPDX-License-Identifier: Apache-2.0
#include "trail.h"
#include "base/json.h"

#include <algorithm>

namespace correlator::engine {
namespace {

constexpr std::size_t kFirst = 4;
constexpr std::size_t kLines = 16;

bool before(const TrailLine& a, const TrailLine& b) {
  return a.time != b.time ? a.time < b.time : a.seq < b.seq;
}

// Inserts in order; gives what fell out of the middle, if the list was full.
std::optional<TrailLine> insert(std::vector<TrailLine>& lines, const TrailLine& line) {
  const auto at = std::upper_bound(lines.begin(), lines.end(), line, before);
  if (lines.size() == lines.capacity()) {
    const auto index = at - lines.begin();
    lines.reserve(std::min(lines.size() < 4 ? lines.size() + 1 : lines.size() * 2, kLines + 1));
    lines.insert(lines.begin() + index, line);
  } else {
    lines.insert(at, line);
  }
  if (lines.size() <= kLines) return std::nullopt;
  const TrailLine out = lines[kFirst];
  lines.erase(lines.begin() + kFirst);
  return out;
}

}  // namespace

Trust Evidence::trust() const {
  Trust lowest = Trust::vouched;
  for (const TrailLine& line : lines) lowest = std::min(lowest, line.trust);
  return lowest;
}

void Evidence::add(const TrailLine& line) {
  if (std::find(lines.begin(), lines.end(), line) != lines.end()) return;
  ++total;
  insert(lines, line);
}

void Evidence::add(const Event& event) {
  for (const LineRef& line : event.lines) add(TrailLine{event.time, line.seq, event.trust});
}

void Evidence::merge(const Evidence& other) {
  const std::uint64_t hidden = other.total - other.lines.size();
  for (const TrailLine& line : other.lines) add(line);
  total += hidden;
}

void Evidence::keep(EvidenceStore& store) const {
  for (const TrailLine& line : lines) store.keep(line.seq);
}

void Evidence::release(EvidenceStore& store) const {
  for (const TrailLine& line : lines) store.release(line.seq);
}

// [total, trust, time, seq, then time and seq of each further line as differences]; trust is one digit if it
// is the same for all lines, else a text with one digit a line.
Json Evidence::to_json() const {
  std::string trusts;
  for (const TrailLine& line : lines) trusts += static_cast<char>('0' + static_cast<int>(line.trust));
  const bool same = trusts.find_first_not_of(trusts.empty() ? '0' : trusts[0]) == std::string::npos;
  Json out = Json::array({total});
  if (same) {
    out.push_back(trusts.empty() ? 0 : trusts[0] - '0');
  } else {
    out.push_back(trusts);
  }
  TrailLine last;
  for (const TrailLine& line : lines) {
    out.push_back(line.time.us - last.time.us);
    out.push_back(static_cast<std::int64_t>(line.seq - last.seq));
    last = line;
  }
  return out;
}

std::optional<Evidence> Evidence::from_json(const Json& json) {
  if (!json.is_array() || json.size() < 2 || json.size() % 2 != 0 || !json[0].is_number_unsigned())
    return std::nullopt;
  Evidence out;
  TrailLine line;
  std::string trusts;
  if (json[1].is_string()) trusts = json[1].get<std::string>();
  const int one = json[1].is_number_unsigned() ? json[1].get<int>() : 0;
  for (std::size_t i = 2; i < json.size(); i += 2) {
    if (!json[i].is_number_integer() || !json[i + 1].is_number_integer()) return std::nullopt;
    line.time.us += json[i].get<std::int64_t>();
    line.seq += static_cast<std::uint64_t>(json[i + 1].get<std::int64_t>());
    const int trust = i / 2 - 1 < trusts.size() ? trusts[i / 2 - 1] - '0' : one;
    line.trust = static_cast<Trust>(std::clamp(trust, 0, 2));
    out.lines.push_back(line);
  }
  out.total = std::max(json[0].get<std::uint64_t>(), static_cast<std::uint64_t>(out.lines.size()));
  return out;
}

void Trail::add(const Event& event, EvidenceStore& store) {
  if (event.lines.empty()) return;
  if (!lines_) lines_ = std::make_unique<Evidence>();
  for (const LineRef& ref : event.lines) {
    const TrailLine line{event.time, ref.seq, event.trust};
    // The lines of a record that reached the window before stand there once.
    if (std::find(lines_->lines.begin(), lines_->lines.end(), line) != lines_->lines.end()) continue;
    ++lines_->total;
    store.keep(line.seq);
    if (const auto out = insert(lines_->lines, line)) store.release(out->seq);
  }
}

void Trail::drop_before(Timestamp time, EvidenceStore& store) {
  if (!lines_) return;
  auto& lines = lines_->lines;
  auto end = lines.begin();
  while (end != lines.end() && end->time < time) store.release((end++)->seq);
  lines_->total -= static_cast<std::uint64_t>(end - lines.begin());
  lines.erase(lines.begin(), end);
  if (lines.empty()) lines_.reset();
}

void Trail::clear(EvidenceStore& store) {
  if (!lines_) return;
  lines_->release(store);
  lines_.reset();
}

Evidence Trail::between(Timestamp from, Timestamp to) const {
  Evidence out;
  if (!lines_) return out;
  for (const TrailLine& line : lines_->lines) {
    if (from <= line.time && line.time <= to) out.lines.push_back(line);
  }
  // What was let go stood between the first lines and the last ones.
  out.total = out.lines.size() + (lines_->total - lines_->lines.size());
  return out;
}

void Trail::assign(Evidence lines, EvidenceStore& store) {
  clear(store);
  if (lines.lines.empty()) return;
  lines.keep(store);
  lines_ = std::make_unique<Evidence>(std::move(lines));
}

}  // namespace correlator::engine
