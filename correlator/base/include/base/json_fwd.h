// SPDX-License-Identifier: Apache-2.0
// The name Json for headers that only pass it on: the library's own header costs every file that includes it over a
// second of compile time.
#pragma once

#include <nlohmann/json_fwd.hpp>

namespace correlator {

// The ordered object keeps the order in which fields were written.
using Json = nlohmann::ordered_json;

}  // namespace correlator
