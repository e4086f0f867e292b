// SPDX-License-Identifier: Apache-2.0
// correlator import sec: rule files of SEC as TOML that decides the same, with a line for each thing that it could not carry over.
#include <fmt/format.h>

#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "commands.h"
#include "common.h"
#include "rules/sec/import.h"
#include "sec/service.h"

namespace correlator::cli {
namespace {

struct Options {
  std::vector<std::string> files;
  std::string output;
};

int write(const Options& o, const std::string& toml) {
  if (o.output.empty()) {
    std::fwrite(toml.data(), 1, toml.size(), stdout);
    return kFine;
  }
  std::ofstream out(o.output, std::ios::binary | std::ios::trunc);
  out << toml;
  out.close();
  if (out) return kFine;
  complain(make_error("E505", "the output could not be written to " + o.output, "name a file in a directory that exists and has room"));
  return kIoError;
}

void say_result(const rules::sec::Imported& made) {
  std::string text = fmt::format("{}: {} the same, {} with a difference, {} in part, {} left out\n",
                                 counted(made.whole + made.differing + made.in_part + made.left_out, "rule"), made.whole, made.differing, made.in_part, made.left_out);
  for (const std::string& program : made.programs) text += fmt::format("to be put into the actions directory: {}\n", printable(program));
  std::fputs(text.c_str(), stderr);
}

int import_sec(const Options& o) {
  const sec::RulesRead read = sec::read_rules(o.files);
  complain(read.diagnostics);
  if (!read.some()) return has_errors(read.diagnostics) ? kBadConfig : kNoInput;
  std::vector<std::string> names;
  for (const auto& file : read.program->files) names.push_back(std::filesystem::path(file->name).filename());
  const rules::sec::Imported made = rules::sec::import_rules(*read.program, join(names, ", "));
  complain(made.diagnostics);
  say_result(made);
  if (const int code = write(o, made.toml); code != kFine) return code;
  return made.whole + made.differing + made.in_part > 0 ? kFine : kNo;
}

}  // namespace

void add_import(CLI::App& app, CommandLine& out) {
  CLI::App* sub = app.add_subcommand("import", "Carry rules of another tool over into TOML");
  sub->require_subcommand(1);
  CLI::App* of_sec = sub->add_subcommand("sec", "Rule files of SEC (Simple Event Correlator)");
  auto o = std::make_shared<Options>();
  of_sec->add_option("FILE", o->files, "Rule files of SEC, in the order in which SEC reads them")->required();
  of_sec->add_option("-o,--output", o->output, "Write the TOML to this file instead of standard output")->type_name("FILE");
  of_sec->callback([o, &out] { out.command = [o] { return import_sec(*o); }; });
}

}  // namespace correlator::cli
