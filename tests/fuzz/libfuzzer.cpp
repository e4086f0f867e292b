// SPDX-License-Identifier: Apache-2.0
// The entry point of libFuzzer; CORRELATOR_FUZZ names the target.
#include <cstdio>
#include <cstdlib>

#include "targets.h"

extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size) {
  static const correlator::fuzz::Target* const target = [] {
    const char* name = std::getenv("CORRELATOR_FUZZ");
    const auto* found = name == nullptr ? nullptr : correlator::fuzz::find_target(name);
    if (found == nullptr) std::fprintf(stderr, "CORRELATOR_FUZZ names no target\n"), std::abort();
    return found;
  }();
  const std::string wrong = target->run({reinterpret_cast<const char*>(data), size});
  if (!wrong.empty()) std::fprintf(stderr, "%s\n", wrong.c_str()), std::abort();
  return 0;
}
