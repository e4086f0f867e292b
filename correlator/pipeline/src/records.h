// SPDX-License-Identifier: Apache-2.0
// Intake records other than lines, to rows and back.
#pragma once

#include <functional>
#include <memory>

#include "base/result.h"
#include "engine/intake.h"
#include "store/engine_db.h"

namespace correlator::pipeline {

store::IntakeRow to_row(const engine::IntakeRecord& record);

// Rule sets are found by their hash. E304 if the row does not hold what its kind says. Not for lines.
using RulesByHash = std::function<Result<std::shared_ptr<const rules::RuleSet>>(const std::string& hash)>;
Result<engine::IntakeRecord> to_record(const store::IntakeRow& row, const RulesByHash& rules);

}  // namespace correlator::pipeline
