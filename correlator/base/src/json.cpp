// SPDX-License-Identifier: Apache-2.0
#include "base/json.h"

#include <fmt/format.h>

#include <algorithm>

#include "invisible.h"

namespace correlator {
namespace {

// First bytes of what invisible_length() knows.
constexpr const char* kMayBeInvisible = "\x7f\xc2\xd8\xe2\xef";

// Of a valid sequence of at most three bytes.
unsigned code_point(std::string_view sequence) {
  const auto low = [&](std::size_t i) { return static_cast<unsigned char>(sequence[i]) & 0x3Fu; };
  switch (sequence.size()) {
    case 1:
      return static_cast<unsigned char>(sequence[0]);
    case 2:
      return (static_cast<unsigned char>(sequence[0]) & 0x1Fu) << 6 | low(1);
    default:
      return (static_cast<unsigned char>(sequence[0]) & 0x0Fu) << 12 | low(1) << 6 | low(2);
  }
}

}  // namespace

// JSON may leave these as they are, a terminal that shows the line must not see them. They stand in texts
// only.
std::string to_line(const Json& json) {
  std::string line = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  std::size_t at = line.find_first_of(kMayBeInvisible);
  if (at == std::string::npos) return line;
  std::string out;
  std::size_t taken = 0;
  for (; at != std::string::npos; at = line.find_first_of(kMayBeInvisible, at)) {
    const std::string_view rest = std::string_view(line).substr(at);
    const std::size_t length = invisible_length(rest);
    if (length > 0) {
      out.append(line, taken, at - taken);
      out += fmt::format("\\u{:04x}", code_point(rest.substr(0, length)));
      taken = at + length;
    }
    at += std::max<std::size_t>(length, 1);
  }
  return out.append(line, taken);
}

std::optional<Json> parse_json(std::string_view text) {
  Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (json.is_discarded()) return std::nullopt;
  return json;
}

}  // namespace correlator
