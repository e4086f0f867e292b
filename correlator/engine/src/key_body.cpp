// SPDX-License-Identifier: Apache-2.0
// The body of a window row:
//
//   1 byte     version
//   1 byte     which parts follow, see Part
//   varint     length of the packed key, then the key (key_text.h)
//   lines      the trail (Evidence::encode)
//   newest     as difference from the time of the last line, which it nearly always is
//   decided_at
//   frozen     length, then JSON
//   state      length, then the operation's own (Operation::encode)
//
// Bytes from a database are hostile: nothing here trusts a length.

#include "key_body.h"

#include <utility>

#include "base/json.h"
#include "base/varint.h"
#include "rows.h"

namespace correlator::engine {
namespace {

constexpr char kVersion = 1;
constexpr char kJson = '{';

enum Part : std::uint8_t { kLines = 1, kNewest = 2, kUntrusted = 4, kDecidedAt = 8, kFrozen = 16, kAll = 31 };

void put_sized(std::string& out, std::string_view text) {
  put_varint(out, text.size());
  out += text;
}

bool take_sized(std::string_view& in, std::string_view& text) {
  std::uint64_t size = 0;
  if (!take_varint(in, size) || size > in.size()) return false;
  text = in.substr(0, static_cast<std::size_t>(size));
  in.remove_prefix(static_cast<std::size_t>(size));
  return true;
}

bool take_time(std::string_view& in, std::int64_t base, std::optional<Timestamp>& time) {
  std::int64_t us = 0;
  if (!take_signed(in, us)) return false;
  time = Timestamp{wrapping_add(base, us)};
  return true;
}

// The time of the last line, or 0.
std::int64_t last_of(const std::optional<Evidence>& lines) {
  return lines && !lines->lines.empty() ? lines->lines.back().time.us : 0;
}

}  // namespace

void write_key_body(const RuleRun& run, const KeyState& key, std::string& out) {
  const auto lines = key.trail.times();
  const std::int64_t last = lines ? lines->second.us : 0;
  const bool newest = !lines || last != key.newest.us;
  const bool frozen = key.extra && !key.extra->frozen.all().empty();
  const int parts = (lines ? kLines : 0) | (newest ? kNewest : 0) | (key.trusted ? 0 : kUntrusted) |
                    (key.extra ? kDecidedAt : 0) | (frozen ? kFrozen : 0);
  out += kVersion;
  out += static_cast<char>(parts);
  put_sized(out, key.key());
  out += key.trail.encoded();
  if (newest) put_signed(out, wrapping_difference(key.newest.us, last));
  if (key.extra) put_signed(out, key.extra->decided_at.us);
  if (frozen) put_sized(out, to_line(fields_json(key.extra->frozen, *run.core.rules)));
  std::string state;
  run.op->encode(key, *run.core.rules, state);
  put_sized(out, state);
}

bool read_key_body(std::string_view body, KeyBody& out) {
  std::optional<Evidence> room = std::exchange(out.lines, std::nullopt);
  out = {};
  if (!body.empty() && body[0] == kJson) return read_json_key_body(body, out);
  if (body.size() < 2 || body[0] != kVersion) return false;
  const auto parts = static_cast<std::uint8_t>(body[1]);
  std::string_view in = body.substr(2);
  if (parts > kAll || !take_sized(in, out.key) || !is_packed(out.key)) return false;
  if ((parts & kLines) != 0) {
    const std::string_view begin = in;
    if (!room) room.emplace();
    if (!Evidence::decode(in, *room)) return false;
    out.lines = std::move(room);
    out.encoded_lines = begin.substr(0, begin.size() - in.size());
  }
  if ((parts & kNewest) != 0 && !take_time(in, last_of(out.lines), out.newest)) return false;
  out.untrusted = (parts & kUntrusted) != 0;
  if ((parts & kDecidedAt) != 0 && !take_time(in, 0, out.decided_at)) return false;
  if ((parts & kFrozen) != 0 && !take_sized(in, out.frozen)) return false;
  return take_sized(in, out.state) && in.empty();
}

}  // namespace correlator::engine
