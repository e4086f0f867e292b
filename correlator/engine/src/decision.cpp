// SPDX-License-Identifier: Apache-2.0
#include "engine/decision.h"

namespace correlator::engine {

std::string to_text(const Key& key) {
  std::string out;
  for (const auto& [name, value] : key) {
    if (!out.empty()) out += ' ';
    out += name;
    out += '=';
    out += expr::to_text(value);
  }
  return out;
}

}  // namespace correlator::engine
