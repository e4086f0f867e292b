// SPDX-License-Identifier: Apache-2.0
#include "engine/event.h"

#include <algorithm>

namespace correlator::engine {

std::string_view to_string(Trust trust) {
  switch (trust) {
    case Trust::none:
      return "none";
    case Trust::claimed:
      return "claimed";
    case Trust::vouched:
      return "vouched";
  }
  return "none";
}

const expr::Value* Fields::find(rules::FieldId field) const {
  for (const auto& [id, value] : items_) {
    if (id == field) return &value;
  }
  return nullptr;
}

expr::Value Fields::get(rules::FieldId field) const {
  const expr::Value* value = find(field);
  return value != nullptr ? *value : expr::Value();
}

Fields Fields::roomy() const {
  Fields out;
  out.reserve(std::max(kUsual, items_.size()));
  out.items_ = items_;  // into the room that is there
  return out;
}

// None is the same as not set, so it takes the field away.
void Fields::set(rules::FieldId field, expr::Value value) {
  const auto at =
      std::find_if(items_.begin(), items_.end(), [&](const auto& item) { return item.first == field; });
  if (at != items_.end() && value.is_none()) {
    items_.erase(at);
  } else if (at != items_.end()) {
    at->second = std::move(value);
  } else if (!value.is_none()) {
    items_.emplace_back(field, std::move(value));
  }
}

}  // namespace correlator::engine
