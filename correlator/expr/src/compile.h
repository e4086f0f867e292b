// SPDX-License-Identifier: Apache-2.0
// What Expression and Template share.
#pragma once

#include <memory>
#include <string_view>

#include "program.h"

namespace correlator::expr {

// Parses and checks one expression of `text`; see parse() for `start`, `in_braces` and `end`.
Result<std::shared_ptr<const Program>> compile_part(std::string_view text, std::uint32_t start,
                                                    bool in_braces, const Scope& scope, std::uint32_t& end);

}  // namespace correlator::expr
