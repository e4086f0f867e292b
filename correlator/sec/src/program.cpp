// SPDX-License-Identifier: Apache-2.0
#include "program.h"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "base/text.h"

namespace correlator::sec {

namespace {

std::int64_t change_time(const std::string& file) {
  struct stat info {};
  if (::stat(file.c_str(), &info) != 0) return -1;
  return std::int64_t{info.st_mtim.tv_sec} * 1'000'000'000 + info.st_mtim.tv_nsec;
}

std::shared_ptr<const rules::procedure::ProcedureFile> same_file(const rules::procedure::ProcedureProgram* before, const std::string& name, std::int64_t changed) {
  if (before == nullptr) return nullptr;
  for (const auto& file : before->files) {
    if (file->name == name && file->changed == changed) return file;
  }
  return nullptr;
}

}  // namespace

LoadedProgram load_program(const std::vector<std::string>& globs, const rules::sec::ReadOptions& options, const rules::procedure::ProcedureProgram* before) {
  LoadedProgram out;
  auto program = std::make_shared<rules::procedure::ProcedureProgram>();
  std::vector<std::string> names;
  for (const std::string& glob : globs) {
    const auto found = expand_glob(glob);
    if (found.empty()) {
      Diagnostic d = make_error("E036", "no rule file matches " + glob);
      d.gravity = Gravity::warning;
      out.diagnostics.push_back(std::move(d));
    }
    for (const std::string& name : found) {
      if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
    }
  }
  for (const std::string& name : names) {
    const std::int64_t changed = change_time(name);
    if (auto same = same_file(before, name, changed)) {
      program->files.push_back(std::move(same));
      continue;
    }
    std::ifstream in(name, std::ios::binary);
    std::ostringstream text;
    if (!in || !(text << in.rdbuf())) {
      if (!in || in.peek() != EOF) {
        out.diagnostics.push_back(make_error("E036", "the rule file " + name + " cannot be read", "name it with --conf=FILE"));
        out.flawless = false;
        continue;
      }
    }
    rules::sec::ReadFile read = rules::sec::read(text.str(), name, options);
    out.flawless = out.flawless && !has_errors(read.diagnostics);
    out.diagnostics.insert(out.diagnostics.end(), read.diagnostics.begin(), read.diagnostics.end());
    auto file = std::make_shared<rules::procedure::ProcedureFile>(*read.file);
    file->changed = changed;
    program->files.push_back(std::move(file));
  }
  out.program = std::move(program);
  return out;
}

}  // namespace correlator::sec
