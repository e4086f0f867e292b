// SPDX-License-Identifier: Apache-2.0
// Becoming what the options ask for: another user, a daemon, with a mask and a pid file.
#pragma once

#include "base/result.h"
#include "journal.h"
#include "sec/options.h"

namespace correlator::sec {

Status enter(const Options& options, Journal& journal, std::int64_t now);

}  // namespace correlator::sec
