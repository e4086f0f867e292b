// SPDX-License-Identifier: Apache-2.0
#include "toml_reader.h"

// Some of toml++'s assertions fail for damaged files (a table header "[a.=") for which it has a proper error
// message right behind the assertion; the fuzz test runs with asan.
#define TOML_ASSERT(expression) static_cast<void>(0)
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>

#include <algorithm>
#include <sstream>

#include "base/text.h"

namespace correlator::rules {
namespace {

class Converter {
 public:
  Converter(const Sources& sources, std::uint32_t file) : sources_(sources), file_(file) {}

  Spot spot(const toml::source_region& region) const {
    Spot out{file_, region.begin.line, 1, 1};
    out.column = sources_.byte_column(file_, region.begin.line, region.begin.column);
    if (region.end.line == region.begin.line && region.end.column > region.begin.column) {
      out.length = sources_.byte_column(file_, region.end.line, region.end.column) - out.column;
    }
    out.length = std::max<std::uint32_t>(out.length, 1);
    return out;
  }

  Node node(const toml::node& from) const {
    Node out;
    out.spot = spot(from.source());
    if (const auto* table = from.as_table()) {
      out.kind = Node::Kind::table;
      fill(*table, out);
    } else if (const auto* array = from.as_array()) {
      out.kind = Node::Kind::list;
      out.tables = true;
      for (const toml::node& element : *array) {
        out.items.push_back(node(element));
        if (!out.items.back().is(Node::Kind::table)) out.tables = false;
      }
    } else {
      scalar(from, out);
    }
    return out;
  }

 private:
  void fill(const toml::table& table, Node& out) const {
    for (const auto& [key, value] : table) {
      Entry entry;
      entry.key = std::string(key.str());
      entry.spot = spot(key.source());
      entry.value = node(value);
      out.entries.push_back(std::move(entry));
    }
    std::sort(out.entries.begin(), out.entries.end(), [](const Entry& a, const Entry& b) {
      return std::pair(a.spot.line, a.spot.column) < std::pair(b.spot.line, b.spot.column);
    });
  }

  void scalar(const toml::node& from, Node& out) const {
    if (const auto* text = from.as_string()) {
      out.kind = Node::Kind::text;
      out.text = text->get();
    } else if (const auto* integer = from.as_integer()) {
      out.kind = Node::Kind::integer;
      out.number = integer->get();
    } else if (const auto* boolean = from.as_boolean()) {
      out.kind = Node::Kind::boolean;
      out.flag = boolean->get();
    } else {
      out.kind = from.is_floating_point() ? Node::Kind::real : Node::Kind::date;
      std::ostringstream written;
      from.visit([&](const auto& value) {
        if constexpr (toml::is_value<decltype(value)>) written << value.get();
      });
      out.text = written.str();
    }
  }

  const Sources& sources_;
  std::uint32_t file_;
};

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

std::string hint_for(std::string_view what, std::string_view line) {
  const std::string_view value =
      trim(line.substr(std::min(line.find('='), line.size() - (line.empty() ? 0 : 1))));
  const bool literal = value.size() > 2 && trim(value.substr(1)).starts_with("'");
  if (has(what, "inline table")) {
    if (has(what, "dangling comma")) return "take the comma before the } away";
    return "a table in { } stands on one line; write a [table] of its own, or dotted keys such as "
           "`clear.quiet_for = \"72h\"`";
  }
  if (has(what, "unknown escape")) return "write the pattern in '…', where a backslash is a backslash";
  if (has(what, "expected a comment or whitespace") && literal) {
    return "a ' ends a '…' text; write '''…''' around a text that holds one";
  }
  if (has(what, "control characters"))
    return "the text is not closed on its line; write '''…''' around one of several lines";
  if (has(what, "end-of-file"))
    return "something is opened and never closed: look for a missing quote, ] or }";
  if (has(what, "as array-of-tables"))
    return "write [[…]] each time: one table of that name stands in [ ] above";
  if (has(what, "redefine existing array") || has(what, "redefine existing table array")) {
    return "write [[…]]: this name is a list of tables";
  }
  if (has(what, "redefine existing table"))
    return "a table stands only once; [[event]], [[rule]] and [[rule.test]] are lists and take [[ ]]";
  if (has(what, "redefine existing"))
    return "each key stands only once in its table; take one of the two away";
  if (has(what, "could not determine value type"))
    return "text stands in quotes: write \"…\" or '…' around it";
  if (has(what, "parsing array")) return "the elements of a list are separated by commas and closed by ]";
  if (has(what, "expected '='")) return "write `key = value`; a key with blanks or dots stands in quotes";
  if (has(what, "expected value")) return "write a value behind the =";
  if (has(what, "utf-8"))
    return "save the file as UTF-8; a byte of a log line is written \\xNN inside of a pattern";
  return "";
}

}  // namespace

Result<Node> read_toml(const Sources& sources, std::uint32_t index) {
  const toml::parse_result parsed = toml::parse(std::string_view(sources.files()[index].text));
  const Converter convert(sources, index);
  if (parsed) return convert.node(parsed.table());
  const toml::parse_error& error = parsed.error();
  const Spot spot = convert.spot(error.source());
  std::string what(error.description());
  // toml++ describes a newline by its escape already; "Error while parsing" says nothing that the code does
  // not.
  if (what.starts_with("Error while parsing ")) what = "in this " + what.substr(20);
  Diagnostic d = make_error("E001", what, hint_for(error.description(), sources.line(spot)));
  d.place = sources.place(spot);
  d.source = std::string(sources.line(spot));
  return d;
}

}  // namespace correlator::rules
