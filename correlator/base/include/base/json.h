// SPDX-License-Identifier: Apache-2.0
// JSON for everything that is not a log line: output objects, state bodies, documents for scripts.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/json_fwd.h"

namespace correlator {

// One line, never throws: what is not UTF-8 becomes U+FFFD, what a terminal would obey or hide is escaped.
std::string to_line(const Json& json);

// nullopt if the text is not one JSON document.
std::optional<Json> parse_json(std::string_view text);

}  // namespace correlator
