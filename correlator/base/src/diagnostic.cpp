// SPDX-License-Identifier: Apache-2.0
#include "base/diagnostic.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/text.h"

namespace correlator {
namespace {

std::string_view word(Gravity gravity) {
  switch (gravity) {
    case Gravity::error: return "error";
    case Gravity::warning: return "warning";
    case Gravity::note: return "note";
  }
  return "error";
}

std::string place_prefix(const Place& place) {
  if (place.file.empty()) return {};
  std::string out = printable(place.file);
  if (place.line > 0) out += fmt::format(":{}", place.line);
  if (place.line > 0 && place.column > 0) out += fmt::format(":{}", place.column);
  return out + ": ";
}

// The caret line: tabs of the source are kept so that the caret stands under its byte.
std::string caret_line(const Diagnostic& d) {
  std::string out;
  for (std::uint32_t i = 1; i < d.place.column; ++i) {
    out += (i <= d.source.size() && d.source[i - 1] == '\t') ? '\t' : ' ';
  }
  out += '^';
  out.append(std::max<std::uint32_t>(d.caret_length, 1) - 1, '~');
  return out;
}

std::string source_line(std::string_view source) {
  std::string out;
  for (char c : source) {
    if (c == '\t') {
      out += c;
    } else {
      out += printable(std::string_view(&c, 1)).size() == 1 || static_cast<unsigned char>(c) >= 0x80 ? c : '?';
    }
  }
  return out;
}

}  // namespace

Diagnostic make_error(std::string_view code, std::string message, std::string hint) {
  Diagnostic d;
  d.code = code;
  d.message = std::move(message);
  d.hint = std::move(hint);
  return d;
}

bool has_errors(const Diagnostics& diagnostics) {
  return std::any_of(diagnostics.begin(), diagnostics.end(),
                     [](const Diagnostic& d) { return d.gravity == Gravity::error; });
}

std::string to_text(const Diagnostic& d, bool colour) {
  const char* tint = d.gravity == Gravity::error ? "\x1b[1;31m" : "\x1b[1;35m";
  const char* on = colour ? tint : "";
  const char* off = colour ? "\x1b[0m" : "";
  const std::string code = d.code.empty() ? "" : fmt::format(" [{}]", d.code);
  std::string out =
      fmt::format("{}{}{}{}: {}{}\n", place_prefix(d.place), on, word(d.gravity), off, printable(d.message), code);
  if (!d.source.empty()) {
    out += fmt::format("    {}\n", source_line(d.source));
    if (d.place.column > 0) out += fmt::format("    {}{}{}\n", on, caret_line(d), off);
  }
  if (!d.hint.empty()) out += fmt::format("  hint: {}\n", printable(d.hint));
  return out;
}

std::string to_gcc(const Diagnostic& d) {
  std::string out = fmt::format("{}{}: {}", place_prefix(d.place), word(d.gravity), printable(d.message));
  if (!d.hint.empty()) out += fmt::format(" ({})", printable(d.hint));
  if (!d.code.empty()) out += fmt::format(" [{}]", d.code);
  return out + "\n";
}

std::string to_json_line(const Diagnostic& d) {
  Json json = {{"type", "diagnostic"},       {"code", d.code},
               {"gravity", word(d.gravity)}, {"file", d.place.file},
               {"line", d.place.line},       {"column", d.place.column},
               {"message", d.message},       {"hint", d.hint},
               {"source", d.source}};
  return to_line(json) + "\n";
}

}  // namespace correlator
