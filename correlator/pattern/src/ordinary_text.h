// SPDX-License-Identifier: Apache-2.0
// How common a literal is in ordinary syslog text, judged by the n-grams of a page of made-up, typical lines.
#pragma once

#include <string_view>

namespace correlator::pattern {

// Occurrences of a lower-cased window of two to four bytes in the page.
unsigned ordinary_count(std::string_view window);

// The expected share of lines that contain the lower-cased literal, above 0 and at most 1.
double ordinary_share(std::string_view literal);

}  // namespace correlator::pattern
