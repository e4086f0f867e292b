// SPDX-License-Identifier: Apache-2.0
// Loading texts in tests.
#pragma once

#include <string>
#include <string_view>

#include "rules/loader.h"

namespace correlator::rules::test {

// Classes, lookups and actions that most tests need.
inline constexpr std::string_view kBase = R"(format = 1

[class."memory.corrected"]
key      = ["host", "dimm"]
requires = { severity = "text", dimm = "text" }
may      = { page = "hex", mc = "text", loc = "text" }

[class."memory.uncorrected"]
key      = ["host", "dimm"]
requires = { severity = "text", dimm = "text" }
may      = { page = "hex", mc = "text", loc = "text" }

[class."probe.ok"]
key = ["host"]

[lookup.guests_on]
file    = "guests.csv"
key     = "host"
columns = ["host", "name"]
many    = true

[lookup.guest_by_pid]
file    = "pids.csv"
key     = ["host", "pid"]
columns = ["host", "pid", "name"]

[settings]
dimm_ce = "10 in 24h"

[action.migrate-guests]
run  = "migrate-guests"
args = ["${host}"]

[action.migrate-guest]
run   = "migrate-guest"
args  = ["${guest}"]

[action.suspend-guest]
run   = "virsh-suspend"
args  = ["${guest}"]

[action.fence-guest]
run   = "fence-guest"
args  = ["${guest}"]

[action.crm-standby]
run  = "crm-standby"
args = ["${host}"]
)";

inline Loaded load_text(std::string_view text) {
  return load({{"base.toml", std::string(kBase)}, {"t.toml", std::string(text)}});
}

inline std::string errors(const Loaded& loaded) {
  std::string out;
  for (const Diagnostic& d : loaded.diagnostics) {
    if (d.gravity == Gravity::error) out += to_text(d);
  }
  return out;
}

}  // namespace correlator::rules::test
