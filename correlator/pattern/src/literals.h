// SPDX-License-Identifier: Apache-2.0
// Which literals to look for on behalf of a pattern.
#pragma once

#include <functional>
#include <string_view>

#include "pattern/pattern_set.h"
#include "regex_impl.h"

namespace correlator::pattern {

// The expected share of lines that contain a lower-cased literal.
using Share = std::function<double(std::string_view)>;

// A literal that stands in more than this share of the lines saves nothing: RE2 tries every line instead.
inline constexpr double kUsableShare = 0.25;

PatternLiterals choose_literals(const Regex::Impl& regex, const Share& share);

}  // namespace correlator::pattern
