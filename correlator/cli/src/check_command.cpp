// SPDX-License-Identifier: Apache-2.0
// correlator check: load, lint and test all rules.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "pipeline/checker.h"
#include "replay_profile.h"
#include "rules/expand.h"
#include "rules/loader.h"
#include "base/json.h"
#include "sec/service.h"

namespace correlator::cli {
namespace {

struct Options {
  std::vector<std::string> paths;
  RuleOptions rules;
  std::string format = "text";
  std::string expand;
  std::vector<std::string> sec, logs;
  bool quiet = false;
};

void print(const Diagnostics& diagnostics, const std::string& format) {
  for (const Diagnostic& d : diagnostics) {
    const std::string text = format == "json" ? to_json_line(d) : format == "gcc" ? to_gcc(d) : to_text(d, use_colour(stderr));
    // JSON is a result and goes to stdout; texts for people and editors are diagnostics.
    std::fwrite(text.data(), 1, text.size(), format == "json" ? stdout : stderr);
  }
}

int print_expanded(const std::vector<rules::RuleFile>& files, const std::string& id) {
  auto text = rules::expand(files, id);
  if (!text) {
    complain(text.error());
    return exit_code(text.error());
  }
  std::fwrite(text->data(), 1, text->size(), stdout);
  return kFine;
}

// Files that name themselves .sec are SEC's. They are checked by themselves: the two languages share nothing.
int check_sec(const Options& o) {
  const sec::Checked checked = sec::check(o.sec);
  print(checked.diagnostics, o.format);
  if (!o.quiet && o.format == "text") {
    const std::string line = fmt::format("{}: {} in {}\n", checked.flawless ? "ok" : "FAILED", counted(checked.rules, "rule"), counted(checked.files, "file"));
    std::fwrite(line.data(), 1, line.size(), stdout);
  }
  return checked.flawless ? kFine : kBadConfig;
}

int check(Options& o) {
  if (!o.sec.empty() || (!o.paths.empty() && std::all_of(o.paths.begin(), o.paths.end(), [](const std::string& path) { return path.ends_with(".sec"); }))) {
    o.sec.insert(o.sec.end(), o.paths.begin(), o.paths.end());
    return check_sec(o);
  }
  o.rules.paths.insert(o.rules.paths.end(), o.paths.begin(), o.paths.end());
  const auto begin = std::chrono::steady_clock::now();
  std::vector<std::filesystem::path> paths(o.rules.paths.begin(), o.rules.paths.end());
  if (paths.empty()) paths = default_rule_paths();
  auto files = rules::read_rule_files(paths);
  if (!files) {
    complain(files.error());
    return kNoInput;
  }
  if (!o.expand.empty()) return print_expanded(*files, o.expand);
  const std::size_t file_count = files->size();
  rules::Loaded loaded = rules::load(std::move(files).value());
  Diagnostics diagnostics = std::move(loaded.diagnostics);
  pipeline::CheckReport report;
  if (loaded.rules != nullptr) {
    report = pipeline::check_rules(loaded.rules, {.logs = o.logs});
    diagnostics.insert(diagnostics.end(), report.diagnostics.begin(), report.diagnostics.end());
  }
  print(diagnostics, o.format);
  if (report.price) {
    complain(report.price->problems);
    if (report.price->lines > 0 && o.format != "gcc") print_price(*report.price, *report.matcher, o.format == "json");
  }
  const bool failed = has_errors(diagnostics);
  if (!o.quiet && o.format == "text" && loaded.rules != nullptr) {
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const std::string line = fmt::format(
        "{}: {}, {}, {}, {} and {} in {}, {} ({:.2f} s)\n", failed ? "FAILED" : "ok", counted(loaded.rules->events.size(), "event"),
        counted(loaded.rules->rules.size(), "rule"), counted(report.samples, "sample"), counted(report.tests, "test"),
        counted(report.boundaries, "boundary timeline"), counted(file_count, "file"),
        counted(static_cast<std::uint64_t>(std::count_if(diagnostics.begin(), diagnostics.end(),
                                                         [](const Diagnostic& d) { return d.gravity == Gravity::warning; })),
                "warning"),
        seconds);
    std::fwrite(line.data(), 1, line.size(), stdout);
  }
  if (!failed) return report.price && has_errors(report.price->problems) ? kNoInput : kFine;
  return loaded.rules == nullptr ? kBadConfig : kNo;
}

}  // namespace

void add_check(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand("check", "Load, lint and test all rules");
  auto o = std::make_shared<Options>();
  sub->add_option("PATH", o->paths, "Rule files or directories; later ones override earlier ones");
  add_rule_options(*sub, o->rules);
  sub->add_option("--format", o->format, "text, json or gcc")->check(CLI::IsMember({"text", "json", "gcc"}))->type_name("FORM");
  sub->add_option("--sec", o->sec, "A rule file of SEC; files that end in .sec need no option")->type_name("FILE")->allow_extra_args(false);
  sub->add_option("--log", o->logs, "Measure on this log (or directory; the first 256 MiB) what each pattern costs, and print it")
      ->type_name("LOG")
      ->allow_extra_args(false);
  sub->add_option("--expand", o->expand, "Print this rule as it is after its template")->type_name("RULE");
  sub->add_flag("-q,--quiet", o->quiet, "Say nothing if all is well");
  sub->callback([o, &out] { out.command = [o] { return check(*o); }; });
}

}  // namespace correlator::cli
