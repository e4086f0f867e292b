// SPDX-License-Identifier: Apache-2.0
// A Diagnostic is an error a person can act on: place, what is wrong, what to type instead.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace correlator {

// Where something stands in a file. Lines and columns count from 1; 0 means "not known".
struct Place {
  std::string file;
  std::uint32_t line = 0;
  std::uint32_t column = 0;

  bool operator==(const Place&) const = default;
};

// How serious a diagnostic is: an error stops what was asked for, a warning does not.
enum class Gravity { error, warning, note };

struct Diagnostic {
  std::string code;  // stable, e.g. "E012"; explained at length by base/codes.h
  Gravity gravity = Gravity::error;
  Place place;
  std::string message;             // what is wrong, one line, no trailing dot
  std::string hint;                // what to write or do instead; may be empty
  std::string source;              // the source line the place points into; may be empty
  std::uint32_t caret_length = 1;  // how many bytes of `source` the caret underlines
};

using Diagnostics = std::vector<Diagnostic>;

// A plain error without a place, e.g. make_error("E301", "cannot open x", "create it first").
Diagnostic make_error(std::string_view code, std::string message, std::string hint = {});

bool has_errors(const Diagnostics& diagnostics);

// The three output forms of `check --format`; each ends in a newline. `colour` adds ANSI colours
// to the text form. Control characters of user text are escaped in all of them.
std::string to_text(const Diagnostic& diagnostic, bool colour = false);
std::string to_gcc(const Diagnostic& diagnostic);
std::string to_json_line(const Diagnostic& diagnostic);

}  // namespace correlator
