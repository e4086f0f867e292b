// SPDX-License-Identifier: Apache-2.0
// The embedded Perl, opened when a rule asks for it.
#pragma once

#include "engine/procedure.h"
#include "rules/sec/reader.h"

namespace correlator::sec {

class PerlLibrary final : public rules::sec::CodeCompiler {
 public:
  Result<std::uint32_t> compile(const std::string& source) override;
  // Nothing while no rule has asked.
  engine::ScriptHost* scripts() const { return scripts_; }
  // Whether there is a library to open.
  static bool is_there();

 private:
  bool open();
  bool tried_ = false;
  std::string reason_;
  rules::sec::CodeCompiler* compiler_ = nullptr;
  engine::ScriptHost* scripts_ = nullptr;
};

}  // namespace correlator::sec
