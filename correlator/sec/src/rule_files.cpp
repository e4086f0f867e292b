// SPDX-License-Identifier: Apache-2.0
// Rule files without a run: --testonly, check, and for who feeds the rules himself.
#include <cstdio>

#include "base/text.h"
#include "perl_library.h"
#include "program.h"
#include "rules/sec/lint.h"
#include "sec/service.h"

namespace correlator::sec {

int test_rules(const Options& options) {
  PerlLibrary perl;
  const LoadedProgram loaded = load_program(options.conf, {.buffer_lines = options.buffer_lines, .code = &perl});
  for (const Diagnostic& d : loaded.diagnostics) std::fputs(to_text(d).c_str(), stderr);
  std::size_t rules = 0;
  for (const auto& file : loaded.program->files) rules += file->rules.size();
  std::fprintf(stderr, "%s: %s in %s\n", loaded.flawless ? "ok" : "FAILED", counted(rules, "rule").c_str(), counted(loaded.program->files.size(), "file").c_str());
  return loaded.flawless ? 0 : 1;
}

RulesRead read_rules(const std::vector<std::string>& files) {
  static PerlLibrary perl;
  LoadedProgram loaded = load_program(files, {.code = &perl});
  return {loaded.program, perl.scripts(), std::move(loaded.diagnostics)};
}

Checked check(const std::vector<std::string>& files) {
  PerlLibrary perl;
  LoadedProgram loaded = load_program(files, {.code = &perl});
  Checked out;
  out.diagnostics = std::move(loaded.diagnostics);
  const Diagnostics warnings = rules::sec::lint(*loaded.program);
  out.diagnostics.insert(out.diagnostics.end(), warnings.begin(), warnings.end());
  for (const auto& file : loaded.program->files) out.rules += file->rules.size();
  out.files = loaded.program->files.size();
  out.flawless = loaded.flawless;
  return out;
}

}  // namespace correlator::sec
