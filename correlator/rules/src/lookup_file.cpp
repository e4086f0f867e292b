// SPDX-License-Identifier: Apache-2.0
#include "rules/lookup_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

namespace correlator::rules {
namespace {

using Fields = std::vector<std::string>;

// Reads one record from the front of `text`, which may run over several lines inside quotes.
Fields take_record(std::string_view& text, char separator, std::uint32_t& line) {
  Fields fields(1);
  bool quoted = false;
  std::size_t i = 0;
  for (; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted) {
      if (c == '"' && i + 1 < text.size() && text[i + 1] == '"') {
        fields.back() += text[++i];
      } else if (c == '"') {
        quoted = false;
      } else {
        if (c == '\n') ++line;
        fields.back() += c;
      }
    } else if (c == '"' && trim(fields.back()).empty()) {
      fields.back().clear();
      quoted = true;
    } else if (c == separator) {
      fields.emplace_back();
    } else if (c == '\n') {
      ++i;
      break;
    } else {
      fields.back() += c;
    }
  }
  text.remove_prefix(i);
  ++line;
  for (std::string& field : fields) field = std::string(trim(field));
  return fields;
}

bool is_comment(std::string_view text) {
  const std::string_view line = trim(text.substr(0, text.find('\n')));
  return line.empty() || line[0] == '#';
}

Diagnostic at(Diagnostic d, const std::string& file, std::uint32_t line) {
  d.place = {file, line, 0};
  return d;
}

// For each column of the lookup its position in the file.
Result<std::vector<std::size_t>> positions(const Lookup& lookup, const Fields& header,
                                           const std::string& file, std::uint32_t line) {
  std::vector<std::size_t> out;
  for (const std::string& column : lookup.columns) {
    const auto found = std::find(header.begin(), header.end(), column);
    if (found == header.end()) {
      const std::string near = closest(column, header);
      return at(make_error("E220", fmt::format("the first line names no column \"{}\"", column),
                           near.empty() ? fmt::format("it names: {}", join(header, ", "))
                                        : fmt::format("did you mean \"{}\"?", near)),
                file, line);
    }
    out.push_back(static_cast<std::size_t>(found - header.begin()));
  }
  return out;
}

// What rules can see of the content: neither comments nor the order of columns in the file.
std::string content_hash(const Lookup& lookup, const LookupTable& table) {
  Sha256 hash;
  hash.add(static_cast<std::int64_t>(lookup.columns.size()));
  for (const std::string& column : lookup.columns) hash.add(column);
  for (const auto& row : table.rows) {
    for (const std::string& cell : row) hash.add(cell);
  }
  return hash.hex();
}

// A cell as text: what is no text in JSON as it is written there, null as nothing.
std::string cell_of(const Json& object, const std::string& column) {
  const auto found = object.find(column);
  if (found == object.end() || found->is_null()) return {};
  return found->is_string() ? found->get<std::string>() : to_line(*found);
}

Result<LookupTable> parse_json_lines(const Lookup& lookup, std::string_view text,
                                            const std::string& file) {
  LookupTable table;
  std::uint32_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (is_comment(line)) continue;
    const auto object = parse_json(line);
    if (!object || !object->is_object()) {
      return at(make_error("E221", "this line is no JSON object",
                           "one object a line: {\"host\":\"kvm1\",\"rack\":\"r1\"}"),
                file, number);
    }
    for (const std::string& column : lookup.key) {
      if (!object->contains(column)) {
        return at(make_error("E220",
                             fmt::format("this row has no \"{}\", which is a key of lookup \"{}\"", column,
                                         lookup.name),
                             "give each row its key"),
                  file, number);
      }
    }
    std::vector<std::string> row;
    for (const std::string& column : lookup.columns) row.push_back(cell_of(*object, column));
    table.rows.push_back(std::move(row));
  }
  return table;
}

Result<LookupTable> parse_separated(const Lookup& lookup, std::string_view text,
                                           const std::string& file) {
  LookupTable table;
  std::optional<std::vector<std::size_t>> order;
  Fields header;
  char separator = ',';
  for (std::uint32_t line = 1; !text.empty();) {
    if (is_comment(text)) {
      const std::size_t end = text.find('\n');
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      ++line;
      continue;
    }
    const std::uint32_t begin = line;
    if (!order && text.substr(0, text.find('\n')).find('\t') != std::string_view::npos) separator = '\t';
    Fields fields = take_record(text, separator, line);
    if (!order) {
      header = std::move(fields);
      auto found = positions(lookup, header, file, begin);
      if (!found) return found.error();
      order = std::move(found).value();
      continue;
    }
    if (fields.size() != header.size()) {
      return at(make_error("E221",
                           fmt::format("{} where the first line has {}", counted(fields.size(), "field"),
                                       header.size()),
                           "quote fields that hold the separator: \"a,b\""),
                file, begin);
    }
    std::vector<std::string> row;
    for (const std::size_t position : *order) row.push_back(fields[position]);
    table.rows.push_back(std::move(row));
  }
  return table;
}

// The first line that says something begins with a brace.
bool is_json(std::string_view text) {
  while (!text.empty() && is_comment(text))
    text.remove_prefix(std::min(std::min(text.find('\n'), text.size()) + 1, text.size()));
  return trim(text).starts_with('{');
}

}  // namespace

Result<LookupTable> parse_lookup(const Lookup& lookup, std::string_view text,
                                        const std::string& file) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // spreadsheets write a byte order mark
  auto table = is_json(text) ? parse_json_lines(lookup, text, file) : parse_separated(lookup, text, file);
  if (table) table->hash = content_hash(lookup, *table);
  return table;
}

Result<LookupTable> read_lookup(const Lookup& lookup, const std::filesystem::path& root) {
  const std::filesystem::path path = root / lookup.file;
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    Diagnostic d =
        make_error("E222", fmt::format("lookup \"{}\": cannot read {}", lookup.name, path.string()),
                   "create the file; its first line names the columns");
    d.place = lookup.place;
    return d;
  }
  const std::string text{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  return parse_lookup(lookup, text, path.string());
}

}  // namespace correlator::rules
