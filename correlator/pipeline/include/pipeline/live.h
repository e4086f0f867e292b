// SPDX-License-Identifier: Apache-2.0
// Lines as they arrive on a pipe, through a session: the same steps as a replay, with arrival times.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/result.h"
#include "input/reader.h"
#include "pipeline/session.h"
#include "time/clock.h"
#include "time/zone.h"

namespace correlator::pipeline {

struct LiveOptions {
  std::string input = "stdin";
  Zone zone;                              // of dates without offset
  Duration ahead = Duration::seconds(5);  // a line from further in the future takes its arrival time
  syslog::ParserOptions parser;
  std::function<Status()> after_commit;  // decisions are durable now; an error ends the run
  std::function<bool()> stop;
};

// The effective time of a line that arrived at `arrival` (semantics.md, section 2).
struct Effective {
  Timestamp time;
  bool undated = false, clamped = false;
};
Effective effective_time(const syslog::Message& message, Timestamp arrival, const LiveOptions& options);

// Until the end of the input or stop(). Commits behind each batch of lines that came together.
Status run_live(Session& session, std::unique_ptr<input::Reader> reader, const Clock& clock,
                const LiveOptions& options);

}  // namespace correlator::pipeline
