// SPDX-License-Identifier: Apache-2.0
#include "bindings.h"

#include <algorithm>

namespace correlator::engine {
namespace {

using rules::Space;

expr::Value map_value(const rules::MapDef& map, const expr::Value& key) {
  for (const auto& [from, to] : map.entries) {
    if (from == key) return to;
  }
  return map.otherwise.value_or(expr::Value());
}

std::size_t column_index(const rules::Lookup& lookup, std::string_view column) {
  return static_cast<std::size_t>(std::find(lookup.columns.begin(), lookup.columns.end(), column) -
                                  lookup.columns.begin());
}

bool row_matches(const std::vector<std::string>& row, std::span<const std::size_t> columns,
                 std::span<const std::string> wanted) {
  for (std::size_t i = 0; i < columns.size(); ++i) {
    if (columns[i] >= row.size() || row[columns[i]] != wanted[i]) return false;
  }
  return true;
}

// The column of the first row whose key columns have the texts of `args`.
expr::Value lookup_value(const rules::Lookup& lookup, const rules::LookupTable& table,
                         const LookupIndex* index, std::span<const expr::Value> args,
                         std::string_view column) {
  std::vector<std::string> wanted;
  for (const expr::Value& arg : args) {
    if (arg.is_none()) return {};
    wanted.push_back(expr::to_text(arg));
  }
  const std::vector<std::string>* row = nullptr;
  if (index != nullptr) {
    row = index->find(wanted);
  } else {
    std::vector<std::size_t> columns;
    for (const std::string& key : lookup.key) columns.push_back(column_index(lookup, key));
    if (columns.size() != wanted.size()) return {};
    const auto at = std::find_if(table.rows.begin(), table.rows.end(), [&](const auto& candidate) {
      return row_matches(candidate, columns, wanted);
    });
    if (at != table.rows.end()) row = &*at;
  }
  const std::size_t at = column_index(lookup, column);
  if (row == nullptr || at >= row->size()) return {};
  return (*row)[at];
}

// Parts of different lengths must not run together: ("a", "bc") is not ("ab", "c").
std::string joined(std::span<const std::string> parts) {
  std::string out;
  for (const std::string& part : parts) {
    out += std::to_string(part.size());
    out += ':';
    out += part;
  }
  return out;
}

}  // namespace

LookupIndex::LookupIndex(const rules::Lookup& lookup, const rules::LookupTable& table) {
  std::vector<std::size_t> columns;
  for (const std::string& key : lookup.key) columns.push_back(column_index(lookup, key));
  std::vector<std::string> parts(columns.size());
  for (const std::vector<std::string>& row : table.rows) {
    for (std::size_t i = 0; i < columns.size(); ++i)
      parts[i] = columns[i] < row.size() ? row[columns[i]] : std::string();
    rows_.try_emplace(joined(parts), &row);  // the first row of a key
  }
}

const std::vector<std::string>* LookupIndex::find(std::span<const std::string> key) const {
  const auto found = rows_.find(joined(key));
  return found == rows_.end() ? nullptr : found->second;
}

const expr::Value* EventBindings::find(std::uint32_t slot) const {
  const std::uint32_t index = rules::index_of(slot);
  switch (rules::space_of(slot)) {
    case Space::field: {
      const expr::Value* let = lets_ != nullptr ? lets_->find(index) : nullptr;
      return let != nullptr ? let : fields_.find(index);
    }
    case Space::setting:
      return index < rules_.settings.size() ? &rules_.settings[index].value : nullptr;
    case Space::bound: {
      const std::uint32_t step = index >> 16, field = index & 0xFFFF;
      return step < steps_.size() ? steps_[step].find(field) : nullptr;
    }
    case Space::local:
      return index < locals_.size() ? &locals_[index] : nullptr;
    case Space::with:
      return index < arguments_.size() ? &arguments_[index] : nullptr;
  }
  return nullptr;
}

expr::Value EventBindings::symbol(std::uint32_t slot) const {
  const expr::Value* value = find(slot);
  return value != nullptr ? *value : expr::Value();
}

const expr::Value& EventBindings::look(std::uint32_t slot, expr::Value& scratch) const {
  const expr::Value* value = find(slot);
  return value != nullptr ? *value : scratch = expr::Value();
}

expr::Value EventBindings::call(std::uint32_t function, std::span<const expr::Value> args,
                                std::string_view column) const {
  if (function >= rules::kFunctionLookups) {
    const std::uint32_t index = function - rules::kFunctionLookups;
    if (index >= rules_.lookups.size()) return {};
    const rules::LookupTable* table = questions_.lookup(index);
    if (table == nullptr) return {};
    return lookup_value(rules_.lookups[index], *table, questions_.lookup_index(index), args, column);
  }
  if (function >= rules::kFunctionMaps) {
    const std::uint32_t index = function - rules::kFunctionMaps;
    if (index >= rules_.maps.size() || args.empty()) return {};
    return map_value(rules_.maps[index], args[0]);
  }
  if (args.empty() || args[0].text() == nullptr) return {};
  if (function == rules::kFunctionOpen) return questions_.open_case(*args[0].text(), args.subspan(1));
  if (function == rules::kFunctionContext) return questions_.context(*args[0].text(), args.subspan(1));
  if (function == rules::kFunctionCollected) return questions_.collected(*args[0].text(), args.subspan(1));
  if (function == rules::kFunctionCollectedCount) return questions_.collected_count(*args[0].text(), args.subspan(1));
  return {};
}

bool holds(const expr::Expression& condition, const expr::Bindings& bindings) {
  return condition.holds(bindings);
}

}  // namespace correlator::engine
