// SPDX-License-Identifier: Apache-2.0
// What a child reads, as a file in memory.
#pragma once

#include <string_view>

#include "host/socket.h"

namespace correlator::host {

// A file without a name that holds `content` and is read from its start, for the standard input of a child: one that never reads cannot
// hold us up, and one that seeks may. Closed at exec. Without a descriptor, and with errno, if there is no memory for it.
Descriptor memory_file(std::string_view content);

}  // namespace correlator::host
