// SPDX-License-Identifier: Apache-2.0
#include "common.h"

#include <fmt/format.h>
#include <pwd.h>
#include <sched.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <string_view>

#include "base/text.h"
#include "pipeline/rule_loader.h"
#include "rules/loader.h"

namespace correlator::cli {
// What the admin's directory holds replaces or masks the vendor's.
std::vector<std::filesystem::path> default_rule_paths() {
  std::vector<std::filesystem::path> paths;
  for (const char* path : {"/usr/share/correlator/rules", "/etc/correlator/rules.d"}) {
    std::error_code failure;
    if (std::filesystem::is_directory(path, failure)) paths.emplace_back(path);
  }
  return paths;
}

void add_rule_options(CLI::App& app, RuleOptions& options) {
  app.add_option("--rules", options.paths,
                 "Rule files or directories; later ones override earlier ones\n"
                 "(default: /usr/share/correlator/rules, then /etc/correlator/rules.d)")
      ->type_name("PATH")
      ->allow_extra_args(false);  // one path for each --rules, so that what follows is a log
}

std::string author() {
  if (const char* sudo = std::getenv("SUDO_USER"); sudo != nullptr && *sudo != '\0') return sudo;
  const passwd* user = ::getpwuid(::getuid());
  return user != nullptr ? user->pw_name : std::to_string(::getuid());
}

void complain(const Diagnostic& diagnostic) {
  const std::string text = to_text(diagnostic, use_colour(stderr));
  std::fwrite(text.data(), 1, text.size(), stderr);
}

void complain(const Diagnostics& diagnostics) {
  for (const Diagnostic& diagnostic : diagnostics) complain(diagnostic);
}

Diagnostic rules_stay(const Diagnostics& wrong) {
  Diagnostic why = wrong.front();
  why.message = fmt::format("the rules in force stay: {}", why.message);
  if (!why.place.file.empty()) why.message += fmt::format(" ({}:{})", why.place.file, why.place.line);
  return why;
}

std::vector<std::filesystem::path> rule_paths(const RuleOptions& options) {
  if (options.paths.empty()) return default_rule_paths();
  return {options.paths.begin(), options.paths.end()};
}

namespace {

// Empty after saying that there are none.
std::vector<std::filesystem::path> some_rule_paths(const RuleOptions& options, int& code) {
  auto paths = rule_paths(options);
  if (paths.empty()) {
    complain(make_error("E503", "no rules are installed",
                        "name some with --rules, e.g. --rules rules in a checkout, or install the package"));
    code = kNoInput;
  }
  return paths;
}

}  // namespace

std::shared_ptr<const rules::RuleSet> load_rules_unproven(const RuleOptions& options, int& code) {
  const auto paths = some_rule_paths(options, code);
  if (paths.empty()) return nullptr;
  auto files = rules::read_rule_files(paths);
  if (!files) {
    complain(files.error());
    code = kNoInput;
    return nullptr;
  }
  rules::Loaded loaded = rules::load(std::move(files).value());
  for (const Diagnostic& d : loaded.diagnostics) {
    if (d.gravity == Gravity::error) complain(d);
  }
  if (loaded.rules == nullptr) code = kBadConfig;
  return loaded.rules;
}

std::shared_ptr<const rules::RuleSet> load_rules(const RuleOptions& options, int& code,
                                                 std::shared_ptr<const pipeline::Matcher>* matcher) {
  const auto paths = some_rule_paths(options, code);
  if (paths.empty()) return nullptr;
  pipeline::ProvenRules proven = pipeline::load_proven(paths);
  complain(proven.diagnostics);
  if (proven.rules == nullptr) code = proven.diagnostics.front().code == "E036" ? kNoInput : kBadConfig;
  if (matcher != nullptr) *matcher = proven.matcher;
  return proven.rules;
}

unsigned usable_cpus() {
  constexpr int kMost = 16;
  cpu_set_t usable;
  CPU_ZERO(&usable);
  if (sched_getaffinity(0, sizeof usable, &usable) != 0) return 1;  // more CPUs than the set has room for
  return static_cast<unsigned>(std::clamp(CPU_COUNT(&usable), 1, kMost));
}

bool use_colour(std::FILE* out) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* term = std::getenv("TERM");
  if (no_color != nullptr && *no_color != '\0') return false;
  if (term != nullptr && std::string_view(term) == "dumb") return false;
  return isatty(fileno(out)) == 1;
}

report::Printer make_printer(bool json, report::Tense tense) {
  return report::Printer(stdout, {.json = json, .colour = !json && use_colour(stdout), .tense = tense});
}

std::optional<Timestamp> parse_time(const std::string& text, const Zone& zone) {
  if (const auto absolute = parse_rfc3339(text)) return absolute;
  // A local time: read it as if it were UTC, then take it to be local.
  static constexpr std::string_view kRest = "0000-00-00T00:00:00";
  if (text.size() < 10 || text.size() > kRest.size()) return std::nullopt;
  const auto as_utc = parse_rfc3339(text + std::string(kRest.substr(text.size())) + "Z");
  if (!as_utc) return std::nullopt;
  return zone.to_utc(to_civil(*as_utc));
}

Result<store::EngineDb> open_state_to_read(const std::string& dir) {
  store::DbOptions options;
  options.access = store::Access::read_only;
  return store::EngineDb::open(dir, options);
}

int looking_exit_code(const Diagnostic& d) {
  return d.code == "E301" ? static_cast<int>(kNoInput) : exit_code(d);
}

int exit_code(const Diagnostic& d) {
  const std::string_view code = d.code;
  if (code == "E201" || code == "E208" || code == "E306") return kNoInput;
  if (code == "E202" || code == "E203" || code == "E204" || code == "E206" || code == "E207" ||
      code == "E304" || code == "E310")
    return kBadData;
  if (code == "E303" || code == "E307" || code.starts_with("E0") || code.starts_with("E1")) return kBadConfig;
  if (code.starts_with("E5")) return kUsage;
  return kIoError;
}

}  // namespace correlator::cli
