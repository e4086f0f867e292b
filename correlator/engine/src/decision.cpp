// SPDX-License-Identifier: Apache-2.0
#include "engine/decision.h"

namespace correlator::engine {

void append_to_text(std::string& text, std::string_view name, const expr::Value& value) {
  if (!text.empty()) text += ' ';
  text += name;
  text += '=';
  text += expr::to_text(value);
}

std::string to_text(const Key& key) {
  std::string out;
  for (const auto& [name, value] : key) append_to_text(out, name, value);
  return out;
}

}  // namespace correlator::engine
