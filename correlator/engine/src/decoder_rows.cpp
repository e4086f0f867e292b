// SPDX-License-Identifier: Apache-2.0
#include "decoder_rows.h"

#include <fmt/format.h>

#include <array>

#include "base/text.h"
#include "base/json.h"

namespace correlator::engine {

FieldNames::FieldNames(const rules::RuleSet& rules) {
  for (std::size_t id = 0; id < rules.fields.size(); ++id) {
    ids_.try_emplace(rules.fields[id], static_cast<rules::FieldId>(id));
  }
}

rules::FieldId FieldNames::find(std::string_view name) const {
  const auto found = ids_.find(name);
  return found == ids_.end() ? rules::kNoField : found->second;
}

Json named_fields(const Fields& fields, const rules::RuleSet& rules) {
  Json out = Json::object();
  for (const auto& [field, value] : fields.all()) {
    if (field < rules.fields.size()) out[rules.fields[field]] = expr::to_json(value);
  }
  return out;
}

std::optional<Fields> fields_by_name(const Json& json, const FieldNames& names) {
  if (!json.is_object()) return std::nullopt;
  Fields fields;
  for (const auto& [name, content] : json.items()) {
    std::optional<expr::Value> value = expr::from_json(content);
    if (!value) return std::nullopt;
    if (const rules::FieldId field = names.find(name); field != rules::kNoField)
      fields.set(field, std::move(*value));
  }
  return fields;
}

Fields renumbered(const Fields& fields, const rules::RuleSet& from, const FieldNames& to) {
  Fields out;
  for (const auto& [field, value] : fields.all()) {
    const rules::FieldId id = field < from.fields.size() ? to.find(from.fields[field]) : rules::kNoField;
    if (id != rules::kNoField) out.set(id, value);
  }
  return out;
}

std::vector<std::string> names_of(std::span<const rules::FieldId> fields, const rules::RuleSet& rules) {
  std::vector<std::string> names;
  for (const rules::FieldId field : fields) names.push_back(rules.fields[field]);
  return names;
}

Json values_json(std::span<const expr::Value> values) {
  Json out = Json::array();
  for (const expr::Value& value : values) out.push_back(expr::to_json(value));
  return out;
}

std::optional<std::vector<expr::Value>> values_from(const Json& json) {
  if (!json.is_array()) return std::nullopt;
  std::vector<expr::Value> values;
  for (const Json& element : json) {
    std::optional<expr::Value> value = expr::from_json(element);
    if (!value) return std::nullopt;
    values.push_back(std::move(*value));
  }
  return values;
}

std::string key_text(std::span<const rules::FieldId> fields, std::span<const expr::Value> values,
                     const rules::RuleSet& rules) {
  std::string out;
  for (std::size_t i = 0; i < fields.size() && i < values.size(); ++i) {
    if (i > 0) out += ' ';
    out += rules.fields[fields[i]] + "=" + printable(expr::to_text(values[i]));
  }
  return out;
}

bool read(const Json& json, const char* name, std::uint64_t& out) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_unsigned()) return false;
  out = found->get<std::uint64_t>();
  return true;
}

bool read(const Json& json, const char* name, std::int64_t& out) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_number_integer()) return false;
  out = found->get<std::int64_t>();
  return true;
}

bool read(const Json& json, const char* name, bool& out) {
  const auto found = json.find(name);
  if (found == json.end() || !found->is_boolean()) return false;
  out = found->get<bool>();
  return true;
}

bool read(const Json& json, const char* name, std::string& out) {
  const auto found = json.find(name);
  if (found == json.end()) return false;
  const std::optional<expr::Value> value = expr::from_json(*found);
  if (!value || value->text() == nullptr) return false;
  out = *value->text();
  return true;
}

const Json* array_at(const Json& json, const char* name) {
  const auto found = json.find(name);
  return found == json.end() || !found->is_array() ? nullptr : &*found;
}

Diagnostic bad_row(const StateRow& row) {
  static constexpr std::array<const char*, 11> kKinds = {"row",     "window",  "record", "group",  "context", "timer",
                                                         "case", "counter", "state",  "lookup", "evidence"};
  const auto index = static_cast<std::size_t>(row.kind);
  const char* kind = kKinds[index < kKinds.size() ? index : 0];
  return make_error("E310",
                    fmt::format("the stored {} {} of {} does not fit", kind, row.id,
                                row.owner.empty() ? "nothing" : "`" + printable(row.owner) + "`"),
                    "the state database is damaged, or it was written with other rules");
}

}  // namespace correlator::engine
