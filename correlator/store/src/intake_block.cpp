// SPDX-License-Identifier: Apache-2.0
#include "intake_block.h"

#include <algorithm>
#include <charconv>

#include "base/varint.h"

namespace correlator::store {

void IntakePacker::add(const IntakeRow& row, std::int64_t stream) {
  if (blocks_.empty() || row.seq != blocks_.back().first + blocks_.back().count || blocks_.back().count >= kMost || blocks_.back().bytes.size() >= kFull) {
    blocks_.push_back({row.seq, 0, row.time, {}, {}});
    blocks_.back().bytes.reserve(kFull + 1024);
    blocks_.back().records.reserve(kFull / 4);
  }
  IntakeBlock& block = blocks_.back();
  const std::array<std::int64_t, 8> numbers = {static_cast<std::int64_t>(row.kind),
                                               wrapping_difference(row.time.us, block.time.us),
                                               stream,
                                               static_cast<std::int64_t>(row.line_number),
                                               static_cast<std::int64_t>(block.bytes.size()),
                                               static_cast<std::int64_t>(row.frame.size()),
                                               static_cast<std::int64_t>(row.extra.size()),
                                               static_cast<std::int64_t>(row.line_id.size())};
  block.bytes += row.frame;
  block.bytes += row.extra;
  block.bytes += row.line_id;
  // Where nothing begins nobody needs to know where.
  std::size_t used = numbers.size();
  while (used > 1 && (numbers[used - 1] == 0 || used == 5)) --used;
  char text[8 * 21 + 4];
  char* at = text;
  *at++ = block.count == 0 ? '[' : ',';
  *at++ = '[';
  for (std::size_t i = 0; i < used; ++i) {
    if (i > 0) *at++ = ',';
    at = std::to_chars(at, text + sizeof text, numbers[i]).ptr;
  }
  *at++ = ']';
  if (block.count > 0) block.records.pop_back();  // the end of the list
  block.records.append(text, at);
  block.records += ']';
  ++block.count;
}

IntakeBlockReader::IntakeBlockReader(std::uint64_t first, std::uint64_t last, Timestamp time, std::string_view records, std::string_view bytes)
    : next_(first), last_(last), time_(time), records_(records), bytes_(bytes) {
  damaged_ = !records_.starts_with("[[") || last < first;
  if (!damaged_) records_.remove_prefix(1);
}

// "[1,2,3]" and what follows it, "," or "]".
bool IntakeBlockReader::numbers(std::array<std::int64_t, kNumbers>& out) {
  out.fill(0);
  if (!records_.starts_with('[')) return false;
  const char* at = records_.data();
  const char* const end = at + records_.size();
  for (std::int64_t& number : out) {
    const auto read = std::from_chars(at + 1, end, number);
    if (read.ec != std::errc() || read.ptr == end || (*read.ptr != ',' && *read.ptr != ']')) return false;
    at = read.ptr;
    if (*at == ']') break;
  }
  if (*at != ']' || end - at < 2) return false;
  records_.remove_prefix(static_cast<std::size_t>(at + 2 - records_.data()));
  return true;
}

bool IntakeBlockReader::bytes_of(std::uint64_t& at, std::int64_t size, std::string_view& out) const {
  if (size < 0 || at > bytes_.size() || static_cast<std::uint64_t>(size) > bytes_.size() - at) return false;
  out = bytes_.substr(static_cast<std::size_t>(at), static_cast<std::size_t>(size));
  at += static_cast<std::uint64_t>(size);
  return true;
}

bool IntakeBlockReader::next(IntakePart& part) {
  if (damaged_ || next_ > last_) return false;
  std::array<std::int64_t, kNumbers> n{};
  damaged_ = !numbers(n);
  if (damaged_) return false;
  part.seq = next_++;
  // A kind that no version has is the reader's to refuse.
  part.kind = static_cast<IntakeKind>(std::clamp<std::int64_t>(n[0], 0, UINT8_MAX));
  part.time = Timestamp{wrapping_add(time_.us, n[1])};
  part.stream = n[2];
  part.line_number = static_cast<std::uint64_t>(n[3]);
  auto at = static_cast<std::uint64_t>(n[4]);
  damaged_ = !bytes_of(at, n[5], part.frame) || !bytes_of(at, n[6], part.extra) || !bytes_of(at, n[7], part.line_id);
  return !damaged_;
}

void IntakeBlockReader::skip_to(std::uint64_t seq) {
  for (; !damaged_ && next_ < seq && next_ <= last_; ++next_) {
    const std::size_t end = records_.find(']');
    damaged_ = end == std::string_view::npos || records_.size() - end < 2;
    if (!damaged_) records_.remove_prefix(end + 2);
  }
}

}  // namespace correlator::store
