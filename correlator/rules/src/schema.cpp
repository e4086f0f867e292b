// SPDX-License-Identifier: Apache-2.0
#include "rules/schema.h"

#include <fmt/format.h>

#include <cctype>

#include "keys.h"
#include "base/json.h"

namespace correlator::rules {
namespace {

// "[[rule.test]]" -> "rule_test"
std::string definition_name(const TableSpec& table) {
  std::string out;
  for (char c : table.name) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      out += c;
    } else if (!out.empty() && out.back() != '_') {
      out += '_';
    }
  }
  while (!out.empty() && out.back() == '_') out.pop_back();
  return out;
}

Json reference_to(const TableSpec& table) {
  return {{"$ref", "#/$defs/" + definition_name(table)}};
}

Json list_of(Json item) {
  return {{"type", "array"}, {"items", std::move(item)}};
}

Json either(std::vector<Json> forms) {
  return {{"anyOf", std::move(forms)}};
}

Json table_of(const KeySpec& key) {
  if (!key.table) return {{"type", "object"}};
  const bool by_name = key.table->name.find(".NAME]") != std::string_view::npos;
  if (by_name) return {{"type", "object"}, {"additionalProperties", reference_to(*key.table)}};
  return reference_to(*key.table);
}

Json shape_of(const KeySpec& key) {
  const Json text = {{"type", "string"}};
  const Json simple = {{"type", Json::array({"string", "integer", "boolean"})}};
  switch (key.shape) {
    case Shape::text:
    case Shape::phrase:
    case Shape::duration:
    case Shape::pattern:
      return text;
    case Shape::texts:
      return either({text, list_of(text)});
    case Shape::integer:
      return either({{{"type", "integer"}, {"minimum", 0}}, {{"type", "string"}, {"pattern", "\\$\\{"}}});
    case Shape::boolean:
      return {{"type", "boolean"}};
    case Shape::expression:
      return simple;
    case Shape::expressions:
      return either({simple, list_of(simple)});
    case Shape::reference:
    case Shape::mixed:
      return either({text, table_of(key)});
    case Shape::patterns:
    case Shape::references:
    case Shape::mixeds:
      return either({text, table_of(key), list_of(either({text, table_of(key)}))});
    case Shape::table:
      return table_of(key);
    case Shape::tables:
      return list_of(table_of(key));
    case Shape::free:
      return key.table ? either({{{"type", Json::array({"string", "integer"})}},
                                 table_of(key),
                                 list_of(table_of(key))})
                       : Json::object();
  }
  return Json::object();
}

Json object_of(const TableSpec& table) {
  Json properties = Json::object();
  Json required = Json::array();
  for (const KeySpec& key : table.keys) {
    Json property = shape_of(key);
    property["description"] = key.doc;
    properties[std::string(key.name)] = std::move(property);
    if (key.required) required.push_back(key.name);
  }
  Json out = {{"type", "object"},
              {"description", table.doc},
              {"properties", std::move(properties)},
              {"additionalProperties", false}};
  if (!required.empty()) out["required"] = std::move(required);
  return out;
}

}  // namespace

Json schema() {
  Json out = {{"$schema", "https://json-schema.org/draft/2020-12/schema"}, {"title", "correlator rule file"}};
  Json top = object_of(kFileSpec);
  top["properties"]["format"] = {{"const", 1}, {"description", kFileSpec.find("format")->doc}};
  out.update(top);
  Json definitions = Json::object();
  for (const TableSpec* table : all_tables()) {
    if (table != &kFileSpec) definitions[definition_name(*table)] = object_of(*table);
  }
  out["$defs"] = std::move(definitions);
  return out;
}

std::string key_reference() {
  std::string out;
  for (const TableSpec* table : all_tables()) {
    out += fmt::format("### {}\n\n{}\n\n| key | value | meaning |\n| --- | --- | --- |\n", table->name,
                       table->doc);
    for (const KeySpec& key : table->keys) {
      std::string doc;
      for (char c : key.doc) doc += c == '|' ? std::string("\\|") : std::string(1, c);
      out += fmt::format("| `{}`{} | {} | {} |\n", key.name, key.required ? " *" : "", described(key.shape),
                         doc);
    }
    out += '\n';
  }
  return out;
}

}  // namespace correlator::rules
