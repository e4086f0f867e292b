// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/diagnostic.h"
#include "pattern/regex.h"

namespace correlator::pattern {

// Why RE2 refused `pattern`; `rewritten` is what it was given.
Diagnostic pattern_error(std::string_view pattern, const std::string& rewritten,
                         const Regex::Options& options);

// What is wrong with the group names. RE2 accepts one name twice and keeps one of the two groups; that would
// drop a field without a word.
std::optional<Diagnostic> name_error(std::string_view pattern);

}  // namespace correlator::pattern
