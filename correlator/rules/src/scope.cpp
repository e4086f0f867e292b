// SPDX-License-Identifier: Apache-2.0
#include "scope.h"

#include <algorithm>

#include "base/text.h"
#include "context.h"

namespace correlator::rules {

expr::Type type_of(FieldType type) {
  switch (type) {
    case FieldType::text:
      return expr::Type::text;
    case FieldType::integer:
    case FieldType::hex:
    case FieldType::gauge:
      return expr::Type::integer;
    case FieldType::boolean:
      return expr::Type::boolean;
    case FieldType::duration:
      return expr::Type::duration;
    case FieldType::time:
      return expr::Type::time;
    case FieldType::list:
      return expr::Type::list;
  }
  return expr::Type::any;
}

namespace {

constexpr std::pair<std::string_view, FieldType> kTypes[] = {
    {"text", FieldType::text},    {"int", FieldType::integer},       {"hex", FieldType::hex},
    {"bool", FieldType::boolean}, {"duration", FieldType::duration}, {"time", FieldType::time},
    {"list", FieldType::list},    {"gauge", FieldType::gauge},
};

}  // namespace

std::string_view to_string(FieldType type) {
  for (const auto& [name, value] : kTypes) {
    if (value == type) return name;
  }
  return "text";
}

std::optional<FieldType> parse_field_type(std::string_view text) {
  for (const auto& [name, value] : kTypes) {
    if (name == text) return value;
  }
  return std::nullopt;
}

bool fits(expr::Type have, FieldType want) {
  return have == expr::Type::any || have == expr::Type::none || have == type_of(want);
}

void NameScope::field(const std::string& name, FieldId id, expr::Type type, bool optional) {
  add(name, {type, optional, slot_of(Space::field, id), std::nullopt});
}

const expr::Symbol* NameScope::find(std::string_view name) const {
  const auto found = symbols_.find(name);
  return found == symbols_.end() ? nullptr : &found->second;
}

void NameScope::present(std::string_view name) {
  const auto found = symbols_.find(name);
  if (found != symbols_.end()) found->second.optional = false;
}

std::optional<expr::Symbol> NameScope::symbol(std::string_view name) const {
  if (const expr::Symbol* found = find(name)) return *found;
  if (name.starts_with("settings.")) {
    const auto setting = context_->settings.find(name.substr(9));
    if (setting == context_->settings.end()) return std::nullopt;
    const expr::Value& value = context_->set.settings[setting->second].value;
    if (value.is_none()) {  // broken and reported
      tainted = true;
      return std::nullopt;
    }
    return expr::Symbol{value.type(), false, slot_of(Space::setting, setting->second), value};
  }
  if (lenient) tainted = true;
  return std::nullopt;
}

std::optional<expr::Signature> NameScope::function(std::string_view name) const {
  using expr::Type;
  if (name == "open")
    return expr::Signature{kFunctionOpen, {Type::text, Type::any}, true, Type::boolean, false, false, {}};
  if (name == "context") {
    return expr::Signature{kFunctionContext, {Type::text, Type::any}, true, Type::boolean, false, false, {}};
  }
  if (name == "collected" || name == "collected_count") {
    const bool count = name == "collected_count";
    return expr::Signature{count ? kFunctionCollectedCount : kFunctionCollected, {Type::text, Type::any}, true,
                           count ? Type::integer : Type::list, false, false, {}};
  }
  if (const auto map = context_->maps.find(name); map != context_->maps.end()) {
    const MapDef& def = context_->set.maps[map->second];
    if (def.entries.empty() && !def.otherwise) {
      tainted = true;
      return std::nullopt;
    }
    expr::Signature out{
        kFunctionMaps + map->second, {Type::any}, false, Type::any, !def.otherwise, false, {}};
    if (!def.entries.empty()) {
      out.parameters[0] = def.entries.front().first.type();
      out.result = def.entries.front().second.type();
    } else {
      out.result = def.otherwise->type();
    }
    for (const auto& [key, value] : def.entries) {
      if (value.type() != out.result) out.result = Type::any;
    }
    if (def.otherwise && def.otherwise->type() != out.result) out.result = Type::any;
    return out;
  }
  if (const auto lookup = context_->lookups.find(name); lookup != context_->lookups.end()) {
    const Lookup& def = context_->set.lookups[lookup->second];
    if (def.columns.empty()) {
      tainted = true;
      return std::nullopt;
    }
    expr::Signature out{kFunctionLookups + lookup->second, {}, false, Type::text, true, true, def.columns};
    out.parameters.assign(def.key.size(), Type::any);
    return out;
  }
  return std::nullopt;
}

std::vector<std::string> NameScope::names() const {
  std::vector<std::string> out{"open", "context", "collected", "collected_count"};
  for (const auto& [name, unused] : symbols_) out.push_back(name);
  for (const auto& [name, unused] : context_->settings) out.push_back("settings." + name);
  for (const auto& [name, unused] : context_->maps) out.push_back(name);
  for (const auto& [name, unused] : context_->lookups) out.push_back(name);
  return out;
}

}  // namespace correlator::rules
