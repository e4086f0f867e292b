// SPDX-License-Identifier: Apache-2.0
// docs/rules.md: every ```toml block loads, every key is shown in one, and its table of keys is that of the
// reader.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "catch.h"
#include "keys.h"
#include "load.h"
#include "rules/schema.h"
#include "toml_reader.h"
#include "base/json.h"

namespace correlator::rules {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

const std::string& manual() {
  static const std::string text = slurp(fs::path(CORRELATOR_SOURCE_DIR) / "docs/rules.md");
  return text;
}

struct Block {
  std::string text;
  bool fragment = false;
  std::size_t line = 0;
};

std::vector<Block> blocks() {
  std::vector<Block> out;
  std::size_t number = 0, at = 0;
  bool inside = false;
  while (at < manual().size()) {
    const auto end = std::min(manual().find('\n', at), manual().size());
    const std::string line = manual().substr(at, end - at);
    at = end + 1;
    ++number;
    if (inside && line == "```") {
      inside = false;
    } else if (inside) {
      out.back().text += line + '\n';
    } else if (line.starts_with("```toml")) {
      inside = true;
      out.push_back({"", line == "```toml fragment", number});
    }
  }
  return out;
}

// The fragments as files whose lines are those of the manual, with what they refer to.
std::vector<RuleFile> fragments() {
  std::vector<RuleFile> files{
      {"manual_base.toml", slurp(fs::path(CORRELATOR_SOURCE_DIR) / "tests/rules/manual_base.toml")}};
  for (const Block& block : blocks()) {
    if (!block.fragment) continue;
    files.push_back({"docs/rules-" + std::to_string(block.line) + "/x.toml",
                     "format = 1" + std::string(block.line, '\n') + block.text});
  }
  return files;
}

void walk(const Node& node, const TableSpec& spec, std::set<std::string>& seen) {
  for (const Entry& entry : node.entries) {
    const KeySpec* key = spec.find(entry.key);
    if (!key) continue;
    seen.insert(std::string(spec.name) + " " + entry.key);
    if (!key->table) continue;
    const bool by_name = key->table->name.find(".NAME]") != std::string_view::npos;
    std::vector<const Node*> inner;
    if (by_name) {
      for (const Entry& named : entry.value.entries) inner.push_back(&named.value);
    } else if (entry.value.is(Node::Kind::list)) {
      for (const Node& item : entry.value.items) inner.push_back(&item);
    } else {
      inner.push_back(&entry.value);
    }
    for (const Node* one : inner) walk(*one, *key->table, seen);
  }
}

TEST_CASE("every complete file of the manual loads by itself") {
  std::size_t count = 0;
  for (const Block& block : blocks()) {
    if (block.fragment) continue;
    ++count;
    INFO("docs/rules.md:" << block.line);
    const Loaded loaded = load({{"docs/rules.md", block.text}});
    CHECK(test::errors(loaded) == "");
    CHECK(loaded.rules);
  }
  CHECK(count >= 1);
}

TEST_CASE("all fragments of the manual load") {
  const Loaded loaded = load(fragments());
  CHECK(test::errors(loaded) == "");
  REQUIRE(loaded.rules);
  CHECK(loaded.rules->rules.size() > 30);
}

TEST_CASE("every key is shown in the manual") {
  std::vector<RuleFile> files = fragments();
  for (const Block& block : blocks()) {
    if (!block.fragment) files.push_back({"x", block.text});
  }
  std::set<std::string> seen;
  const Sources sources(files);
  for (std::uint32_t i = 0; i < files.size(); ++i) {
    auto tree = read_toml(sources, i);
    REQUIRE(tree);
    walk(*tree, kFileSpec, seen);
  }
  for (const TableSpec* table : all_tables()) {
    for (const KeySpec& key : table->keys) {
      INFO(table->name << ": " << key.name);
      CHECK(seen.contains(std::string(table->name) + " " + std::string(key.name)));
      CHECK_FALSE(key.doc.empty());
    }
  }
}

TEST_CASE("the manual's list of keys is the reader's") {
  const auto at = manual().find("## All keys");
  REQUIRE(at != std::string::npos);
  const std::string want = "## All keys\n\nKeys with a * are needed.\n\n" + key_reference();
  if (std::getenv("CORRELATOR_UPDATE_GOLDEN") != nullptr) {
    std::ofstream(fs::path(CORRELATOR_SOURCE_DIR) / "docs/rules.md", std::ios::binary)
        << manual().substr(0, at) << want;
  } else {
    CHECK(manual().substr(at) == want);
  }
}

TEST_CASE("the schema knows every key and every table") {
  const Json all = schema();
  CHECK(all["$schema"] == "https://json-schema.org/draft/2020-12/schema");
  CHECK(all["properties"].size() == kFileSpec.keys.size());
  CHECK(all["required"] == Json::array({"format"}));
  CHECK(all["$defs"].size() == all_tables().size() - 1);
  CHECK(all["$defs"]["rule"]["properties"]["count"]["description"] == "\"10 in 24h\", or a table.");
  CHECK(all["$defs"]["rule"]["additionalProperties"] == false);
  // Every reference leads somewhere.
  const std::string text = to_line(all);
  for (auto found = text.find("#/$defs/"); found != std::string::npos;
       found = text.find("#/$defs/", found + 1)) {
    const std::string name = text.substr(found + 8, text.find('"', found) - found - 8);
    INFO(name);
    CHECK(all["$defs"].contains(name));
  }
}

}  // namespace
}  // namespace correlator::rules
