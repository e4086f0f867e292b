// SPDX-License-Identifier: Apache-2.0
// Intake records: those other than lines to rows and back, a line as the engine gets it.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/result.h"
#include "engine/intake.h"
#include "pipeline/session.h"
#include "store/engine_db.h"

namespace correlator::pipeline {

store::IntakeRow to_row(const engine::IntakeRecord& record);

// Rule sets are found by their hash. E304 if the row does not hold what its kind says. Not for lines.
using RulesByHash = std::function<Result<std::shared_ptr<const rules::RuleSet>>(const std::string& hash)>;
Result<engine::IntakeRecord> to_record(const store::IntakeRow& row, const RulesByHash& rules);

engine::LineRecord line_record(const Line& line, const syslog::Message& message, const std::vector<engine::PatternMatch>& matches);

Diagnostic nothing_recorded();  // E306

// What the lines of a database's intake say as evidence; it must outlive what is given.
std::shared_ptr<engine::EvidenceTexts> stored_lines(store::EngineDb& db, const SessionOptions& options);

}  // namespace correlator::pipeline
