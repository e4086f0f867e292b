// SPDX-License-Identifier: Apache-2.0
// A replay for a range of time that reads no more than it needs, and gives what the whole log would.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "pipeline/replay.h"
#include "pipeline/session.h"

namespace correlator::pipeline {

struct RangeReplay {
  ReplayResult result;
  std::unique_ptr<Session> session;
};

// Starts a session that tells this sink. Called again where what was begun in the middle of the log turns out not to be sure:
// everything is read then.
using StartSession = std::function<Result<std::unique_ptr<Session>>(Sink)>;

// `sink` sees what happens from options.from on only when it is sure (what is before, which nobody prints, at once), with line
// numbers of the whole files; at most kMostKeptBack outputs are kept back until then. Without options.skip it is a replay as any other.
Result<RangeReplay> replay_range(const StartSession& start, const std::vector<input::Source>& sources, ReplayOptions options, Sink sink);

inline constexpr std::size_t kMostKeptBack = 20'000;

}  // namespace correlator::pipeline
