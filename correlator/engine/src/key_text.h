// SPDX-License-Identifier: Apache-2.0
// A key as bytes: memcmp of two of them orders as the values do, each ends where it says, and equal values
// have equal bytes. Tables hash it, timers sort by it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/decision.h"
#include "expr/value.h"

namespace correlator::engine {

std::string pack(std::span<const expr::Value> values);
std::vector<expr::Value> unpack(std::string_view packed);  // only of what pack() made
bool is_packed(std::string_view bytes);                    // whether pack() may have made it

// The values with their names; a key of the rule that has no name is printed by its number.
Key named(std::span<const std::string> names, std::span<const expr::Value> values);
// to_text() of the same.
std::string named_text(std::span<const std::string> names, std::string_view packed);

}  // namespace correlator::engine
