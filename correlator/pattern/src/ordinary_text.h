// SPDX-License-Identifier: Apache-2.0
// How common a literal is in ordinary syslog text, judged by the n-grams of a page of made-up, typical lines.
#pragma once

#include <string_view>

namespace correlator::pattern {

// How often a lower-cased window of two to four bytes may be expected in a text of the page's length. One of four that the page does not
// have is common where its two halves of three are.
double ordinary_rate(std::string_view window);

// The expected share of lines that contain the lower-cased literal, above 0 and at most 1.
double ordinary_share(std::string_view literal);

}  // namespace correlator::pattern
