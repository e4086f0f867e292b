// SPDX-License-Identifier: Apache-2.0
// Sessions over small logs: rules from a text, a state directory where a test wants one, decisions as texts.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "input/sources.h"
#include "pipeline/live.h"
#include "pipeline/replay.h"
#include "pipeline/session.h"
#include "rules/model.h"
#include "temp_dir.h"
#include "time/clock.h"

namespace correlator::pipeline::test {

// Two classes: "error NAME" (memory of a part) and "answer NAME". A count of three in an hour, a silence of ten minutes.
extern const char* const kRules;
std::shared_ptr<const rules::RuleSet> load_rules(const std::string& text);

// "2026-01-01T00:00:00Z three host=h1 part=D1": time, rule, key; with an id in front if wanted.
std::string shown(const engine::Decision& decision, bool with_id = false);

struct Run {
  std::vector<std::string> decisions;
  std::vector<std::string> ids;
  engine::Counters counters;
  std::vector<std::string> notes;
  ReplayResult result;
  std::uint64_t open_windows = 0;
};

store::EngineDb open_state(const std::filesystem::path& dir);
// The state is opened, gone on with and closed; without a directory nothing outlives the call.
Run replay_files(const std::string& rules, const std::vector<std::string>& files, const std::filesystem::path& state = {},
                 ReplayOptions options = {});
Run live(const std::string& rules, const std::string& text, const Clock& clock, const std::filesystem::path& state = {},
         std::size_t piece = 1 << 18);
// "" if the recorded run gives the same decisions again, else what differs.
std::string recorded(const std::filesystem::path& state);

}  // namespace correlator::pipeline::test
