// SPDX-License-Identifier: Apache-2.0
// From SEC's rule files to a ProcedureFile. A bad rule is named and left out; the rest of its file is used.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "rules/procedure.h"

namespace correlator::rules::sec {

// Makes functions of pieces of Perl. The number it gives is Code::number.
class CodeCompiler {
 public:
  virtual ~CodeCompiler() = default;
  virtual Result<std::uint32_t> compile(const std::string& source) = 0;
};

struct ReadOptions {
  std::uint32_t buffer_lines = 0;    // --bufsize; 0: as many as the widest pattern asks for
  bool may_backtrack = true;         // what RE2 cannot do runs on a backtracking matcher, where there is one
  CodeCompiler* code = nullptr;      // none: a rule that needs Perl is refused
};

// A rule of the file as it was read, with the rules that were refused: for `check`.
struct ReadFile {
  std::shared_ptr<const procedure::ProcedureFile> file;
  Diagnostics diagnostics;  // errors are refused rules, warnings what the file probably does not mean
};

ReadFile read(std::string_view text, const std::string& name, const ReadOptions& options);

}  // namespace correlator::rules::sec
