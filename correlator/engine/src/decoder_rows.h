// SPDX-License-Identifier: Apache-2.0
// Parts of state rows that records, groups and counters share.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json_fwd.h"
#include "base/result.h"
#include "engine/event.h"
#include "engine/state.h"
#include "expr/value.h"
#include "rules/model.h"

namespace correlator::engine {

// Fields of a rule set by name: a linear search costs too much where thousands of rows come back.
class FieldNames {
 public:
  explicit FieldNames(const rules::RuleSet& rules);
  rules::FieldId find(std::string_view name) const;  // kNoField if unknown

 private:
  std::unordered_map<std::string_view, rules::FieldId> ids_;  // into the rule set
};

// Rows name fields, because a reload may number them anew.
Json named_fields(const Fields& fields, const rules::RuleSet& rules);
// Fields that the rule set does not know are left out; nullopt if `json` is not an object of values.
std::optional<Fields> fields_by_name(const Json& json, const FieldNames& names);
Fields renumbered(const Fields& fields, const rules::RuleSet& from, const FieldNames& to);
std::vector<std::string> names_of(std::span<const rules::FieldId> fields, const rules::RuleSet& rules);

Json values_json(std::span<const expr::Value> values);
std::optional<std::vector<expr::Value>> values_from(const Json& json);

// "host=kvm1 seq=7": for people.
std::string key_text(std::span<const rules::FieldId> fields, std::span<const expr::Value> values,
                     const rules::RuleSet& rules);

// Member access that says whether it is there and of that kind.
bool read(const Json& json, const char* name, std::uint64_t& out);
bool read(const Json& json, const char* name, std::int64_t& out);
bool read(const Json& json, const char* name, bool& out);
bool read(const Json& json, const char* name, std::string& out);
const Json* array_at(const Json& json, const char* name);

Diagnostic bad_row(const StateRow& row);  // E310

}  // namespace correlator::engine
