// SPDX-License-Identifier: Apache-2.0
// Archived logs through a session: streams merged by time, positions remembered, the end said.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "pipeline/range.h"
#include "pipeline/session.h"
#include "pipeline/stream.h"

namespace correlator::pipeline {

struct Progress {
  std::uint64_t done = 0, size = 0;  // compressed bytes
  std::uint64_t lines = 0;
  Timestamp at;  // log time
};

struct ReplayOptions {
  StreamOptions stream;         // scan_ahead follows from `threads`
  unsigned threads = 1;         // that scan, the caller's included; they change nothing in the result
  std::optional<Timestamp> to;  // lines after it are not stepped
  // With `skip`, what is not needed for what happens in [from, to] is not read: only without a database, and only what is
  // decided from `from` on is that of the whole log, unless the result names a doubt. See replay_range, which sees to that.
  std::optional<Timestamp> from;
  bool skip = false;
  std::function<void()> sure;                   // from now on what is decided is that of the whole log
  std::function<bool()> enough;                 // asked while it is in doubt; true gives up, with a doubt
  LineNumbers* numbers = nullptr;               // of lines in files of which the beginning was not read
  std::string host;             // of lines that name none
  // Records that wait are written when they have so many bytes: their memory is used again while a core's cache still has it.
  std::uint64_t record_bytes = std::uint64_t{1} << 20;
  // What is read between two commits of the state, at most: a window that changes often is written once for each. The records behind a state, which a
  // start steps again, are bounded as well, and so is the time.
  std::uint64_t commit_bytes = std::uint64_t{1} << 30;
  std::uint64_t commit_waiting = std::uint64_t{16} << 20;  // bytes of records
  Duration commit_every = Duration::seconds(1);            // of wall time
  bool profile = false;                           // count what patterns and rules cost
  std::function<Status()> after_commit;           // decisions are durable now; an error ends the replay
  std::function<void(const Progress&)> progress;  // called at most some ten times a second
  std::function<bool()> stop;                     // asked now and then; true ends the replay after a commit
};

struct ReplayResult {
  std::uint64_t lines = 0;  // read in all
  std::uint64_t bytes = 0;  // decompressed
  bool stopped = false;
  std::optional<Profile> profile;  // if it was asked for
  std::uint64_t size = 0;         // of all files, on disk
  std::uint64_t passed_over = 0;  // of it: not read
  std::vector<std::string> notes; // why more was read than the range asks for
  std::optional<std::string> doubt;  // why what was decided may not be that of the whole log
  Diagnostics problems;  // files that could not be read to their end
};

// With a database the replay goes on where an earlier one of the same sources stopped. The result holds what
// could be read even where some files could not; an error only where the state could not be written or does
// not fit the files.
Result<ReplayResult> replay(Session& session, std::vector<input::Source> sources,
                            const ReplayOptions& options);

}  // namespace correlator::pipeline
