// SPDX-License-Identifier: Apache-2.0
// How many files a process may have open.
#pragma once

#include <cstdint>

namespace correlator::host {

// As many as this process may allow itself (getrlimit(2): the soft limit becomes the hard one; 1024 is what a login gets, and a site has more
// hosts). Gives how many that are.
std::uint64_t allow_open_files();

// In a child before its exec: the limit that we were started with, because programs that use select(2) cannot live with a higher one.
// Only a system call.
void usual_open_files();

}  // namespace correlator::host
