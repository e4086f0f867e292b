// SPDX-License-Identifier: Apache-2.0
#include "node.h"

#include <algorithm>

namespace correlator::rules {

const Entry* Node::find(std::string_view key) const {
  for (const Entry& entry : entries) {
    if (entry.key == key) return &entry;
  }
  return nullptr;
}

const Node* Node::get(std::string_view key) const {
  const Entry* entry = find(key);
  return entry ? &entry->value : nullptr;
}

std::string_view described(const Node& node) {
  switch (node.kind) {
    case Node::Kind::text:
      return "text";
    case Node::Kind::integer:
      return "an integer";
    case Node::Kind::real:
      return "a number with a fraction";
    case Node::Kind::boolean:
      return "true or false";
    case Node::Kind::date:
      return "a date or time";
    case Node::Kind::list:
      return node.tables && !node.items.empty() ? "a list of tables" : "a list";
    case Node::Kind::table:
      return "a table";
  }
  return "a value";
}

Node merged(const Node& above, const Node& below) {
  Node out = below;
  out.spot = above.spot;
  for (const Entry& entry : above.entries) {
    const auto old = std::find_if(out.entries.begin(), out.entries.end(),
                                  [&](const Entry& e) { return e.key == entry.key; });
    if (old == out.entries.end()) {
      out.entries.push_back(entry);
    } else if (old->value.is(Node::Kind::table) && entry.value.is(Node::Kind::table)) {
      Node both = merged(entry.value, old->value);
      *old = Entry{entry.key, entry.spot, std::move(both)};
    } else {
      *old = entry;
    }
  }
  return out;
}

Sources::Sources(const std::vector<RuleFile>& files) : files_(files) {
  for (const RuleFile& file : files) {
    std::vector<std::uint32_t> starts{0};
    for (std::size_t i = 0; i < file.text.size(); ++i) {
      if (file.text[i] == '\n') starts.push_back(static_cast<std::uint32_t>(i + 1));
    }
    starts_.push_back(std::move(starts));
  }
}

std::string_view Sources::line(const Spot& spot) const {
  if (spot.file >= files_.size() || spot.line == 0 || spot.line > starts_[spot.file].size()) return {};
  const std::string_view text = files_[spot.file].text;
  const std::size_t begin = starts_[spot.file][spot.line - 1];
  std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
  if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
  return line;
}

Place Sources::place(const Spot& spot) const {
  return {spot.file < files_.size() ? files_[spot.file].name : std::string(), spot.line, spot.column};
}

std::uint32_t Sources::byte_column(std::uint32_t file, std::uint32_t line_number,
                                   std::uint32_t code_point) const {
  const std::string_view text = line({file, line_number, 1, 1});
  std::size_t byte = 0;
  for (std::uint32_t seen = 1; seen < code_point && byte < text.size(); ++seen) {
    ++byte;
    while (byte < text.size() && (static_cast<unsigned char>(text[byte]) & 0xC0) == 0x80) ++byte;
  }
  return static_cast<std::uint32_t>(byte + 1);
}

namespace {

std::size_t utf8_length(std::uint32_t code_point) {
  return code_point < 0x80 ? 1 : code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
}

// One element of a "…" string at `at`: how many bytes it takes in the file and how many in the value.
struct Piece {
  std::size_t written = 1, means = 1;
};
Piece escape_at(std::string_view text, std::size_t at) {
  if (text[at] != '\\' || at + 1 >= text.size()) return {};
  const char c = text[at + 1];
  if (c == 'u' || c == 'U') {
    const std::size_t digits = c == 'u' ? 4 : 8;
    std::uint32_t code_point = 0;
    for (std::size_t i = at + 2; i < text.size() && i < at + 2 + digits; ++i) {
      const char h = text[i];
      code_point = code_point * 16 + static_cast<std::uint32_t>(h <= '9' ? h - '0' : (h | 32) - 'a' + 10);
    }
    return {2 + digits, utf8_length(code_point)};
  }
  if (c == '\n' || c == '\r' || c == ' ' || c == '\t') {  // a line-ending backslash swallows blanks
    std::size_t end = at + 1;
    while (end < text.size() && std::string_view(" \t\r\n").find(text[end]) != std::string_view::npos) ++end;
    return {end - at, 0};
  }
  return {2, 1};
}

}  // namespace

Spot Sources::inside(const Node& node, std::uint32_t offset, std::uint32_t length) const {
  if (node.spot.file >= files_.size() || node.spot.line == 0 ||
      node.spot.line > starts_[node.spot.file].size()) {
    return node.spot;
  }
  const std::string_view text = files_[node.spot.file].text;
  const auto& starts = starts_[node.spot.file];
  std::size_t at = starts[node.spot.line - 1] + node.spot.column - 1;
  if (at >= text.size() || (text[at] != '\'' && text[at] != '"')) return node.spot;
  const char quote = text[at];
  const bool multi = text.substr(at, 3) == std::string(3, quote);
  at += multi ? 3 : 1;
  if (multi && at < text.size() && text[at] == '\r') ++at;
  if (multi && at < text.size() && text[at] == '\n') ++at;
  std::size_t value = 1;  // offset in the value of the byte at `at`
  while (value < offset && at < text.size()) {
    Piece piece = quote == '"' ? escape_at(text, at) : Piece{};
    if (text[at] == '\r' && at + 1 < text.size() && text[at + 1] == '\n') piece = {1, 0};
    if (value + piece.means > offset) break;
    at += piece.written;
    value += piece.means;
  }
  const auto line = std::upper_bound(starts.begin(), starts.end(), at) - starts.begin();
  const auto column = at - starts[static_cast<std::size_t>(line - 1)] + 1;
  return {node.spot.file, static_cast<std::uint32_t>(line), static_cast<std::uint32_t>(column),
          std::max<std::uint32_t>(length, 1)};
}

}  // namespace correlator::rules
