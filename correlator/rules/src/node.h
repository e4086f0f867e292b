// SPDX-License-Identifier: Apache-2.0
// A rule file as a tree of values that know where they stand. Unlike toml++'s own tree it keeps the order of
// the file, and a copy (a template merged into a rule, an override) still points to where its text was
// written.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"
#include "rules/loader.h"

namespace correlator::rules {

struct Spot {  // a position in one of the files; columns count bytes from 1
  std::uint32_t file = 0;
  std::uint32_t line = 0;
  std::uint32_t column = 0;
  std::uint32_t length = 1;  // bytes a caret underlines
};

struct Entry;

struct Node {
  enum class Kind : std::uint8_t { text, integer, real, boolean, date, list, table };
  Kind kind = Kind::table;
  bool flag = false;
  bool tables = false;         // list: every element is a table
  std::int64_t number = 0;     // integer
  std::string text;            // text; real and date as written
  std::vector<Node> items;     // list
  std::vector<Entry> entries;  // table, in file order
  Spot spot;

  bool is(Kind k) const { return kind == k; }
  const Entry* find(std::string_view key) const;
  const Node* get(std::string_view key) const;
};

struct Entry {
  std::string key;
  Spot spot;
  Node value;
};

// "text", "an integer", "a table", … for messages.
std::string_view described(const Node& node);

// `below` with the entries of `above` laid over it; tables are merged key by key, everything else is
// replaced.
Node merged(const Node& above, const Node& below);

// The texts of the files, for source lines and for the places inside of strings.
class Sources {
 public:
  explicit Sources(const std::vector<RuleFile>& files);

  const std::vector<RuleFile>& files() const { return files_; }
  std::string_view line(const Spot& spot) const;
  Place place(const Spot& spot) const;
  // Where byte `offset` (from 1) of a text value stands in the file, through quotes and escapes.
  Spot inside(const Node& text, std::uint32_t offset, std::uint32_t length) const;
  // toml++ counts code points; a Spot counts bytes.
  std::uint32_t byte_column(std::uint32_t file, std::uint32_t line, std::uint32_t code_point) const;

 private:
  const std::vector<RuleFile>& files_;
  std::vector<std::vector<std::uint32_t>> starts_;  // by file: where each line begins
};

}  // namespace correlator::rules
