// SPDX-License-Identifier: Apache-2.0
// Which parts of an archive need not be read for a range of time.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "engine/decision.h"
#include "input/sources.h"
#include "syslog/archive_clock.h"
#include "time/timestamp.h"

namespace correlator::pipeline {

// Behind the last anchor that may matter so many are read until the clock has settled what lies before it.
inline constexpr std::size_t kMarksBehind = 3;

struct TimeRange {
  std::optional<Timestamp> begin;  // what is older need not be read
  std::optional<Timestamp> to;     // nor what is later, in files that are in order up to syslog::kLeap
};

struct FilePart {
  bool skip = false;   // nothing of it is read
  bool older = false;  // because it lies before the range
  // Where reading begins, at the start of a line, and a timeline that knows all anchors before. 0: at its beginning.
  std::uint64_t start = 0;
  std::optional<syslog::ArchiveTimeline> timeline;
  // Reading may stop behind this offset, once the clock has passed the range there.
  std::uint64_t may_stop = 0;
};

struct SourceParts {
  std::vector<FilePart> files;    // as in Source::files
  std::uint64_t before = 0;       // bytes of files (as they are on disk) that are passed over because they are older
  std::uint64_t size = 0;         // of all its files
  std::vector<std::string> notes; // for people: why more is read than the range

  void read_from_beginning();     // takes back what is passed over before the range
};

// Looks at the first lines of each file and, of plain files, at one line each 64 KiB; a plain file whose clock goes back is thus
// known, one that is compressed must be in order. Nothing of a pipe is skipped. `clock`: for a file with that mtime.
SourceParts parts_in_range(const input::Source& source, const TimeRange& range,
                           const std::function<syslog::ArchiveClockOptions(std::optional<Timestamp>)>& clock);

// The numbers of lines in files of which the beginning was passed over: known only once its lines are counted, which is done when one is asked for.
class LineNumbers {
 public:
  void passed_over(const std::string& file, std::uint64_t bytes) { files_[file] = {bytes, std::nullopt}; }
  void forget() { files_.clear(); }
  // Numbers of lines of what was read become those of the whole files.
  void correct(engine::StepOutput& out);

 private:
  struct Passed {
    std::uint64_t bytes = 0;
    std::optional<std::uint64_t> lines;
  };
  std::uint64_t before(const std::string& file);
  std::map<std::string, Passed> files_;
};

}  // namespace correlator::pipeline
