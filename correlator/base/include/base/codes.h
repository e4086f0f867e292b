// SPDX-License-Identifier: Apache-2.0
// The catalogue behind `correlator help E012`: every code a Diagnostic can carry.
//   E0xx rule language   E1xx expressions   E2xx input and log files   E3xx store and state
//   E4xx actions and dispatch   E5xx usage   W0xx warnings of `check`
#pragma once

#include <span>
#include <string_view>

namespace correlator {

struct CodeEntry {
  std::string_view code;
  std::string_view title;  // one line
  std::string_view text;   // a paragraph or two with an example, plain text
};

std::span<const CodeEntry> code_catalogue();       // sorted by code
const CodeEntry* find_code(std::string_view code);  // nullptr if unknown

}  // namespace correlator
