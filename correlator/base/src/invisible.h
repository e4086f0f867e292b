// SPDX-License-Identifier: Apache-2.0
// What a terminal obeys or does not show, beside the ASCII control characters: DEL, C1 controls, marks that
// turn the direction of text round, characters without width.
#pragma once

#include <cstddef>
#include <string_view>

namespace correlator {

// Bytes of the one at the front of `text`; 0 if there is none.
std::size_t invisible_length(std::string_view text);

}  // namespace correlator
