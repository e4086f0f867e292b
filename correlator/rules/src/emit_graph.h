// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "context.h"
#include "document.h"

namespace correlator::rules {

// Rules that emit what other rules wait for must not form a circle. Reports E025 with the way round.
void check_emit_graph(Context& context, const Document& document);

}  // namespace correlator::rules
