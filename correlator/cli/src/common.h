// SPDX-License-Identifier: Apache-2.0
// What several sub-commands share: rules from the command line, diagnostics, colours, times.
#pragma once

#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/diagnostic.h"
#include "base/result.h"
#include "cli/cli.h"
#include "report/printer.h"
#include "rules/model.h"
#include "store/engine_db.h"
#include "time/zone.h"

namespace CLI {
class App;
}
namespace correlator::pipeline {
class Matcher;
}

namespace correlator::cli {

inline constexpr const char* kActionsDirectory = "/usr/lib/correlator/actions";

struct RuleOptions {
  std::vector<std::string> paths;  // empty: the vendor's directory, then the admin's
};
// The vendor's directory, then the admin's, as far as they exist.
std::vector<std::filesystem::path> default_rule_paths();
// Whose word a request is: behind sudo the one who typed it.
std::string author();
// What --rules names, or the default ones.
std::vector<std::filesystem::path> rule_paths(const RuleOptions& options);
void add_rule_options(CLI::App& app, RuleOptions& options);

// Prints one diagnostic on stderr, with colour only on a terminal.
void complain(const Diagnostic& diagnostic);
void complain(const Diagnostics& diagnostics);

// What a reload that failed answers: the first of what is wrong, and that nothing changed. `wrong` is not empty.
Diagnostic rules_stay(const Diagnostics& wrong);

// The rule set with its samples and tests passed, or nothing after saying why; `code` is then kBadConfig or
// kNoInput.
std::shared_ptr<const rules::RuleSet> load_rules(const RuleOptions& options, int& code,
                                                 std::shared_ptr<const pipeline::Matcher>* matcher = nullptr);
// The same without running samples and tests, for commands that only look.
std::shared_ptr<const rules::RuleSet> load_rules_unproven(const RuleOptions& options, int& code);

// The CPUs this process may run on, at most 16: what is done in order needs one of them, and more scan than it can take.
unsigned usable_cpus();

// NO_COLOR and TERM=dumb switch colours off; so does anything that is not a terminal.
bool use_colour(std::FILE* out);
report::Printer make_printer(bool json, report::Tense tense = report::Tense::decided);

// `why` and `explain ID`: the decisions of a state directory whose id begins so, and what became of their
// actions.
int show_decision(const std::string& state, const std::string& id, bool json);

// "2026-01-01T00:00:00Z", or a local "2026-01-01", "2026-01-01 12:00", "2026-01-01T12:00:00" in `zone`.
std::optional<Timestamp> parse_time(const std::string& text, const Zone& zone);

Result<store::EngineDb> open_state_to_read(const std::string& dir);
// 74 for I/O, 65 for damage, 66 for what is missing, 78 for another version.
int exit_code(const Diagnostic& diagnostic);
// The same for who only looks into a state: that there is none is missing input.
int looking_exit_code(const Diagnostic& diagnostic);

}  // namespace correlator::cli
