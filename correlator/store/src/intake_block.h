// SPDX-License-Identifier: Apache-2.0
// Many intake records in one row, because a row of its own for each is most of what a replay pays for its database. The
// numbers are JSON, so that SQL can take a block apart (view `lines`); the bytes stand behind one another in a blob:
//
//   records   [[kind, microseconds since the block's time, stream, line, begin, frame, extra, line id], …]
//             begin: where the record's bytes begin in the blob; the last three are their lengths, in that order.
//             Zeros at the end are left out.
//
// A database is hostile once it was on a disk: nothing here trusts a number.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "store/engine_db.h"

namespace correlator::store {

// A record with views into what it was read from. `stream` is an id of the table `stream`; 0: none.
struct IntakePart {
  std::uint64_t seq = 0;
  IntakeKind kind = IntakeKind::line;
  Timestamp time;
  std::int64_t stream = 0;
  std::uint64_t line_number = 0;
  std::string_view frame, extra, line_id;
};

// Puts records whose numbers follow one another into blocks.
class IntakePacker {
 public:
  explicit IntakePacker(std::vector<IntakeBlock>& blocks) : blocks_(blocks) {}
  void add(const IntakeRow& row, std::int64_t stream);

 private:
  static constexpr std::size_t kFull = 32 << 10;  // bytes: a few pages, of which a single line is read in microseconds
  static constexpr std::uint64_t kMost = 1024;    // records

  std::vector<IntakeBlock>& blocks_;
};

// Takes a stored block apart.
class IntakeBlockReader {
 public:
  IntakeBlockReader(std::uint64_t first, std::uint64_t last, Timestamp time, std::string_view records, std::string_view bytes);
  // False at the end, and where the block is damaged. The views last as long as the block's.
  bool next(IntakePart& part);
  // The next record will be number `seq`; what stands before it is not looked at.
  void skip_to(std::uint64_t seq);
  bool damaged() const { return damaged_; }

 private:
  static constexpr std::size_t kNumbers = 8;
  bool numbers(std::array<std::int64_t, kNumbers>& out);
  bool bytes_of(std::uint64_t& at, std::int64_t size, std::string_view& out) const;

  std::uint64_t next_, last_;
  Timestamp time_;
  std::string_view records_, bytes_;
  bool damaged_ = false;
};

}  // namespace correlator::store
