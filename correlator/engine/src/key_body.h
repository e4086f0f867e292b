// SPDX-License-Identifier: Apache-2.0
// The older form of window rows; rows.h has the function that reads both.
#pragma once

#include <string_view>

namespace correlator::engine {

struct KeyBody;
bool read_json_key_body(std::string_view body, KeyBody& out);

}  // namespace correlator::engine
