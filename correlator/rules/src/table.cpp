// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "base/text.h"
#include "context.h"

namespace correlator::rules {
namespace {

std::vector<std::string> key_names(const TableSpec& spec) {
  std::vector<std::string> names;
  for (const KeySpec& key : spec.keys) names.emplace_back(key.name);
  return names;
}

// Where else in the language a key stands, for a key that slipped out of its table.
const TableSpec* home_of(std::string_view key, const TableSpec& spec) {
  for (const TableSpec* above = spec.parent; above != nullptr; above = above->parent) {
    if (above->find(key)) return above;
  }
  const TableSpec* home = nullptr;
  for (const TableSpec* table : all_tables()) {
    if (table->parent != &spec || !table->find(key)) continue;
    if (home) return nullptr;
    home = table;
  }
  return home;
}

std::string unknown_key_hint(const std::string& key, const TableSpec& spec) {
  std::string meant = closest(key, key_names(spec));
  const TableSpec* home = home_of(key, spec);
  if (home && home == spec.parent) {
    return fmt::format(
        "`{}` is a key of {}: move it above {}, because a table header takes all keys below it", key,
        home->name, spec.name);
  }
  if (!meant.empty()) return fmt::format("did you mean `{}`?", meant);
  if (home) return fmt::format("`{}` is a key of {}", key, home->name);
  std::string all;
  for (const std::string& name : key_names(spec)) all += (all.empty() ? "" : ", ") + name;
  return fmt::format("the keys of {} are: {}", spec.name, all);
}

std::string wrong_type_hint(const TableSpec& spec, const KeySpec& key, const Node& node) {
  if (key.shape == Shape::tables && node.is(Node::Kind::table)) {
    return fmt::format("write [[{}{}]]", &spec == &kFileSpec ? "" : "….", key.name);
  }
  if (key.shape == Shape::duration && node.is(Node::Kind::integer)) {
    return fmt::format("write the unit: {} = \"{}s\"", key.name, node.number);
  }
  if (key.shape == Shape::boolean && node.is(Node::Kind::text))
    return fmt::format("write {} = true, without quotes", key.name);
  if (key.shape == Shape::integer && node.is(Node::Kind::text)) return "write the number without quotes";
  Node text;
  text.kind = Node::Kind::text;
  if (accepts(key.shape, text) && node.is(Node::Kind::integer)) {
    return fmt::format("write {} = \"{}\"", key.name, node.number);
  }
  if (key.shape == Shape::text && node.is(Node::Kind::list)) return "only one is possible here";
  return std::string(key.doc);
}

}  // namespace

Table::Table(Context& context, const Node& node, const TableSpec& spec, Missing missing)
    : context_(context), node_(node), spec_(spec) {
  for (const Entry& entry : node.entries) {
    const KeySpec* key = spec.find(entry.key);
    if (!key) {
      context.error("E003", entry.spot, fmt::format("unknown key `{}` in {}", entry.key, spec.name),
                    unknown_key_hint(entry.key, spec));
      bad_ = true;
    } else if (!accepts(key->shape, entry.value)) {
      context.error(
          "E004", entry.value.spot,
          fmt::format("`{}` must be {}, not {}", entry.key, described(key->shape), described(entry.value)),
          wrong_type_hint(spec, *key, entry.value));
      bad_ = true;
    } else {
      good_.push_back(&entry);
    }
  }
  for (const KeySpec& key : spec.keys) {
    if (missing == Missing::allowed || !key.required || node.find(key.name)) continue;
    context.error("E005", node.spot, fmt::format("{} needs `{}`", spec.name, key.name), std::string(key.doc));
    bad_ = true;
  }
}

const Entry* Table::entry(std::string_view key) const {
  for (const Entry* entry : good_) {
    if (entry->key == key) return entry;
  }
  return nullptr;
}

const Node* Table::get(std::string_view key) const {
  const Entry* found = entry(key);
  return found ? &found->value : nullptr;
}

Spot Table::spot(std::string_view key) const {
  const Entry* found = node_.find(key);
  return found ? found->spot : node_.spot;
}

std::string Table::text(std::string_view key, std::string_view otherwise) const {
  const Node* node = get(key);
  return node && node->is(Node::Kind::text) ? node->text : std::string(otherwise);
}

bool Table::flag(std::string_view key, bool otherwise) const {
  const Node* node = get(key);
  return node ? node->flag : otherwise;
}

std::optional<Duration> Table::duration(std::string_view key, bool zero) const {
  const Node* node = get(key);
  return node ? context_.duration(*node, zero) : std::nullopt;
}

std::optional<std::uint64_t> Table::integer(std::string_view key, std::uint64_t least,
                                            std::uint64_t most) const {
  const Node* node = get(key);
  return node ? context_.integer(*node, least, most) : std::nullopt;
}

std::vector<const Node*> Table::list(std::string_view key) const {
  std::vector<const Node*> out;
  const Node* node = get(key);
  if (node && node->is(Node::Kind::list)) {
    for (const Node& item : node->items) out.push_back(&item);
  } else if (node) {
    out.push_back(node);
  }
  return out;
}

void Table::no_effect(std::string_view key, std::string_view why, std::string hint) {
  if (!node_.find(key)) return;
  context_.error("E007", spot(key), fmt::format("`{}` cannot take effect: {}", key, why), std::move(hint));
  bad_ = true;
}

}  // namespace correlator::rules
