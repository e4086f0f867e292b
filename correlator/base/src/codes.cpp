// SPDX-License-Identifier: Apache-2.0
#include "base/codes.h"

#include <algorithm>
#include <vector>

namespace correlator {
namespace {

// Each range stands in a file of its own beside this one, so that a code is added where its module is read.
constexpr CodeEntry kEntries[] = {
#include "codes_rules.inc"
#include "codes_sec.inc"
#include "codes_expr.inc"
#include "codes_input.inc"
#include "codes_store.inc"
#include "codes_dispatch.inc"
#include "codes_usage.inc"
#include "codes_warnings.inc"
};

const std::vector<CodeEntry>& sorted() {
  static const std::vector<CodeEntry> entries = [] {
    std::vector<CodeEntry> all(std::begin(kEntries), std::end(kEntries));
    std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.code < b.code; });
    return all;
  }();
  return entries;
}

}  // namespace

std::span<const CodeEntry> code_catalogue() { return sorted(); }

const CodeEntry* find_code(std::string_view code) {
  for (const CodeEntry& entry : sorted()) {
    if (entry.code == code) return &entry;
  }
  return nullptr;
}

}  // namespace correlator
