// SPDX-License-Identifier: Apache-2.0
// TOML text to Node tree; the only file that knows toml++.
#pragma once

#include "node.h"

namespace correlator::rules {

// The tree of file `index`, or E001 with a hint for the trap the writer most likely stepped into.
Result<Node> read_toml(const Sources& sources, std::uint32_t index);

}  // namespace correlator::rules
