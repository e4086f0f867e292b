// SPDX-License-Identifier: Apache-2.0
// Named places at which a test may let the process die. In the product the hook is never set and a place costs one load.
#pragma once

namespace correlator {

using FaultHook = void (*)(const char* point);
inline FaultHook g_fault_hook = nullptr;  // set by test programs alone, before any thread starts

inline void fault_point(const char* point) {
  if (g_fault_hook != nullptr) g_fault_hook(point);
}

}  // namespace correlator
