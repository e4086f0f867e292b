// SPDX-License-Identifier: Apache-2.0
#include "trail.h"

#include <algorithm>
#include <cstring>

#include "base/json.h"
#include "base/varint.h"

namespace correlator::engine {
namespace {

constexpr std::size_t kFirst = 4;
constexpr std::size_t kLines = Evidence::kLines;

bool before(const TrailLine& a, const TrailLine& b) {
  return a.time != b.time ? a.time < b.time : a.seq < b.seq;
}

// Inserts in order; gives what fell out of the middle, if the list was full.
std::optional<TrailLine> insert(std::vector<TrailLine>& lines, const TrailLine& line) {
  lines.insert(std::upper_bound(lines.begin(), lines.end(), line, before), line);
  if (lines.size() <= kLines) return std::nullopt;
  const TrailLine out = lines[kFirst];
  lines.erase(lines.begin() + kFirst);
  return out;
}

// Trust of the lines of a trail in one byte where all have the same, which is nearly always.
constexpr std::uint8_t kMixedTrust = 3;

std::uint8_t common_trust(const std::vector<TrailLine>& lines) {
  const Trust first = lines.front().trust;
  const bool same = std::all_of(lines.begin(), lines.end(), [&](const TrailLine& l) { return l.trust == first; });
  return same ? static_cast<std::uint8_t>(first) : kMixedTrust;
}

// The lines of a trail one after the other, of bytes that Evidence::encode() wrote: without room for all of them.
class TrailCursor {
 public:
  explicit TrailCursor(std::string_view in) : in_(in) {
    if (in_.empty()) return;
    take_varint(in_, left_), take_varint(in_, gone_);
    trust_ = take_byte();
  }
  std::uint64_t left() const { return left_; }
  std::uint64_t gone() const { return gone_; }    // lines that were let go
  std::uint8_t common() const { return trust_; }  // trust of all lines, or kMixedTrust
  std::string_view rest() const { return in_; }   // the lines that are left, as they are encoded
  bool next(TrailLine& line) {
    if (left_ == 0) return false;
    --left_;
    line.trust = static_cast<Trust>(trust_ == kMixedTrust ? take_byte() : trust_);
    std::int64_t time = 0, seq = 0;
    take_signed(in_, time), take_signed(in_, seq);
    line.time.us = wrapping_add(line.time.us, time);
    line.seq += static_cast<std::uint64_t>(seq);
    return true;
  }

 private:
  std::uint8_t take_byte() {
    const auto byte = static_cast<std::uint8_t>(in_.front());
    in_.remove_prefix(1);
    return byte;
  }

  std::string_view in_;
  std::uint64_t left_ = 0, gone_ = 0;
  std::uint8_t trust_ = 0;
};

bool take_trust(std::string_view& in, std::uint8_t most, std::uint8_t& trust) {
  if (in.empty()) return false;
  trust = static_cast<std::uint8_t>(in.front());
  in.remove_prefix(1);
  return trust <= most;
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

// Number of lines, how many were let go, trust (one for all, or kMixedTrust and one before each line), then time and
// intake number of each line as differences from the line before.
void Evidence::encode(std::string& out) const {
  const std::uint8_t trust = common_trust(lines);
  put_varint(out, lines.size());
  put_varint(out, total - lines.size());
  out += static_cast<char>(trust);
  TrailLine last;
  for (const TrailLine& line : lines) {
    if (trust == kMixedTrust) out += static_cast<char>(line.trust);
    put_signed(out, wrapping_difference(line.time.us, last.time.us));
    put_signed(out, static_cast<std::int64_t>(line.seq - last.seq));
    last = line;
  }
}

std::optional<Evidence> Evidence::decode(std::string_view& in) {
  Evidence out;
  if (!decode(in, out)) return std::nullopt;
  return out;
}

bool Evidence::decode(std::string_view& in, Evidence& out) {
  std::uint64_t count = 0, gone = 0;
  std::uint8_t trust = 0;
  out.lines.clear();
  if (!take_varint(in, count) || count == 0 || count > kLines || !take_varint(in, gone) ||
      gone > UINT64_MAX - count || !take_trust(in, kMixedTrust, trust)) {
    return false;
  }
  out.total = gone + count;
  out.lines.reserve(kLines + 1);  // most are decoded to add a line
  TrailLine line;
  for (; count > 0; --count) {
    std::uint8_t own = trust;
    std::int64_t time = 0, seq = 0;
    if (trust == kMixedTrust && !take_trust(in, kMixedTrust - 1, own)) return false;
    if (!take_signed(in, time) || !take_signed(in, seq)) return false;
    line.time.us = wrapping_add(line.time.us, time);
    line.seq += static_cast<std::uint64_t>(seq);
    line.trust = static_cast<Trust>(own);
    if (!out.lines.empty() && before(line, out.lines.back())) return false;
    out.lines.push_back(line);
  }
  return true;
}

// The usual event: of one line, newer than all that is there, which is not full and of the same trust. Its bytes go behind the others.
bool Trail::append(const TrailLine& line) {
  const std::string_view have = encoded();
  TrailCursor cursor(have);
  if (cursor.left() == 0 || cursor.left() >= kLines || cursor.common() != static_cast<std::uint8_t>(line.trust)) return false;
  TrailLine last;
  while (cursor.next(last)) {}
  if (!before(last, line)) return false;
  std::string more;  // at most 20 bytes
  put_signed(more, wrapping_difference(line.time.us, last.time.us));
  put_signed(more, static_cast<std::int64_t>(line.seq - last.seq));
  put(have, more);
  ++bytes_[sizeof(std::uint16_t)];  // their number, which is one byte
  return true;
}

void Trail::add(const Event& event, EvidenceStore& store) {
  if (event.lines.empty()) return;
  if (event.lines.size() == 1 && append({event.time, event.lines.front().seq, event.trust})) {
    return store.keep(event.lines.front().seq);
  }
  Evidence now = all();
  for (const LineRef& ref : event.lines) {
    const TrailLine line{event.time, ref.seq, event.trust};
    // The lines of a record that reached the window before stand there once.
    if (std::find(now.lines.begin(), now.lines.end(), line) != now.lines.end()) continue;
    ++now.total;
    store.keep(line.seq);
    if (const auto out = insert(now.lines, line)) store.release(out->seq);
  }
  put(now);
}

void Trail::drop_before(Timestamp time, EvidenceStore& store) {
  TrailCursor cursor(encoded());
  TrailLine line;
  if (!cursor.next(line) || time <= line.time) return;
  do store.release(line.seq);
  while (cursor.next(line) && line.time < time);
  if (line.time < time) return bytes_.reset();  // it was the last one
  // The first line that stays stands for itself; those behind it as differences from the one before, as they did.
  std::string front;
  front.reserve(48);
  put_varint(front, cursor.left() + 1);
  put_varint(front, cursor.gone());
  front += static_cast<char>(cursor.common());
  if (cursor.common() == kMixedTrust) front += static_cast<char>(line.trust);
  put_signed(front, line.time.us);
  put_signed(front, static_cast<std::int64_t>(line.seq));
  put(front, cursor.rest());
}

void Trail::clear(EvidenceStore& store) {
  TrailLine line;
  for (TrailCursor cursor(encoded()); cursor.next(line);) store.release(line.seq);
  bytes_.reset();
}

Evidence Trail::all() const {
  std::string_view in = encoded();
  return in.empty() ? Evidence{} : *Evidence::decode(in);
}

Evidence Trail::between(Timestamp from, Timestamp to) const {
  const Evidence now = all();
  Evidence out;
  for (const TrailLine& line : now.lines) {
    if (from <= line.time && line.time <= to) out.lines.push_back(line);
  }
  // What was let go stood between the first lines and the last ones.
  out.total = out.lines.size() + (now.total - now.lines.size());
  return out;
}

std::optional<std::pair<Timestamp, Timestamp>> Trail::times() const {
  TrailCursor cursor(encoded());
  TrailLine first;
  if (!cursor.next(first)) return std::nullopt;
  TrailLine last = first;
  while (cursor.next(last)) {}
  return std::pair(first.time, last.time);
}

std::string_view Trail::encoded() const {
  if (!bytes_) return {};
  std::uint16_t size = 0;
  std::memcpy(&size, bytes_.get(), sizeof size);
  return {bytes_.get() + sizeof size, size};
}

void Trail::put(const Evidence& lines) {
  if (lines.lines.empty()) return bytes_.reset();
  std::string encoded;
  encoded.reserve(128);
  lines.encode(encoded);
  put(encoded);
}

void Trail::put(std::string_view encoded, std::string_view more) {
  const auto size = static_cast<std::uint16_t>(encoded.size() + more.size());  // at most 16 lines of at most 21 bytes
  std::unique_ptr<char[]> fresh(new char[sizeof size + size]);
  std::memcpy(fresh.get(), &size, sizeof size);
  std::memcpy(fresh.get() + sizeof size, encoded.data(), encoded.size());
  if (!more.empty()) std::memcpy(fresh.get() + sizeof size + encoded.size(), more.data(), more.size());
  bytes_ = std::move(fresh);  // which `encoded` and `more` may be part of until here
}

bool Trail::assign(const Evidence& lines, EvidenceStore& store, std::string_view encoded) {
  if (lines.lines.size() > kLines || !std::is_sorted(lines.lines.begin(), lines.lines.end(), before)) return false;
  lines.keep(store);
  clear(store);
  if (encoded.empty() || lines.lines.empty()) {
    put(lines);
  } else {
    put(encoded);
  }
  return true;
}

}  // namespace correlator::engine
