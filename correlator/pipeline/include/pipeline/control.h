// SPDX-License-Identifier: Apache-2.0
// What operators ask of an engine, as lines of JSON between the command line and the process that owns the state.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/intake.h"
#include "pipeline/session.h"

namespace correlator::pipeline {

struct ControlRequest {
  std::string verb;               // "ack", "repair", "reset", "silence", "hold", "release", "reload", "metrics"
  engine::CommandRecord command;  // of all but the last two
};

std::string to_line(const ControlRequest& request);
// E511 if the line is no request of ours.
Result<ControlRequest> parse_request(std::string_view line);

// Makes the command a record of the intake; says in words what it met. E512 if there is no such rule, E513 if nothing of it has
// that key. The caller commits.
Result<std::string> carry_out(Session& session, const ControlRequest& request);

// {"ok":true,"message":…} or {"ok":false,"code":…,"message":…,"hint":…}, and back.
std::string answer_line(const Result<std::string>& answer);
Result<std::string> parse_answer(std::string_view line);

}  // namespace correlator::pipeline
