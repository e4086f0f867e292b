// SPDX-License-Identifier: Apache-2.0
#include "rules/expand.h"

#include <fmt/format.h>

#include <algorithm>

#include "document.h"
#include "toml_reader.h"

namespace correlator::rules {
namespace {

std::string key_text(const std::string& key) {
  const bool bare = !key.empty() && std::all_of(key.begin(), key.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
  if (bare) return key;
  std::string out = "\"";
  for (char c : key) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

bool is_control(char c) {
  return (static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7F;
}

// '…' where it can hold the text, so that patterns stay readable.
std::string text_value(const std::string& text) {
  const bool lines = text.find('\n') != std::string::npos;
  const bool control =
      std::any_of(text.begin(), text.end(), [](char c) { return is_control(c) && c != '\n'; });
  if (!control && !lines && text.find('\'') == std::string::npos) return fmt::format("'{}'", text);
  if (!control && text.find("'''") == std::string::npos && !text.ends_with('\'')) {
    return fmt::format("'''{}{}'''", lines ? "\n" : "", text);
  }
  std::string out = "\"";
  for (char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (is_control(c)) {
      out += fmt::format("\\u{:04X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else {
      out += c;
    }
  }
  return out + '"';
}

std::string value_text(const Node& node) {
  std::string out;
  switch (node.kind) {
    case Node::Kind::text:
      return text_value(node.text);
    case Node::Kind::integer:
      return std::to_string(node.number);
    case Node::Kind::boolean:
      return node.flag ? "true" : "false";
    case Node::Kind::real:
    case Node::Kind::date:
      return node.text;
    case Node::Kind::list:
      for (const Node& item : node.items) out += (out.empty() ? "" : ", ") + value_text(item);
      return fmt::format("[{}]", out);
    case Node::Kind::table:
      for (const Entry& entry : node.entries) {
        out += (out.empty() ? "" : ", ") + key_text(entry.key) + " = " + value_text(entry.value);
      }
      return out.empty() ? "{}" : fmt::format("{{ {} }}", out);
  }
  return out;
}

bool stands_apart(const Node& node) {
  return node.is(Node::Kind::list) && node.tables && !node.items.empty();
}

// Values first: a table header takes all keys below it.
void write_table(const std::string& path, const Node& node, std::string& out) {
  out += fmt::format("[[{}]]\n", path);
  for (const Entry& entry : node.entries) {
    if (!stands_apart(entry.value))
      out += fmt::format("{} = {}\n", key_text(entry.key), value_text(entry.value));
  }
  for (const Entry& entry : node.entries) {
    if (!stands_apart(entry.value)) continue;
    for (const Node& item : entry.value.items) {
      out += '\n';
      write_table(path + "." + key_text(entry.key), item, out);
    }
  }
}

}  // namespace

Result<std::string> expand(const std::vector<RuleFile>& files, std::string_view rule_id) {
  const Sources sources(files);
  Context context(sources);
  std::vector<Node> trees;
  for (std::uint32_t i = 0; i < files.size(); ++i) {
    auto tree = read_toml(sources, i);
    if (!tree) return tree.error();
    trees.push_back(std::move(tree).value());
  }
  const Document document = collect(context, trees);
  std::vector<std::string> names;
  for (const Named& rule : document.rules) {
    names.push_back(rule.name);
    if (rule.name != rule_id) continue;
    Node node = with_template(context, document, rule);
    std::erase_if(node.entries, [](const Entry& entry) { return entry.key == "use"; });
    // The id stands first although the template's keys come first.
    std::stable_partition(node.entries.begin(), node.entries.end(),
                          [](const Entry& entry) { return entry.key == "id"; });
    std::string out;
    write_table("rule", node, out);
    return out;
  }
  return make_error("E013", fmt::format("there is no rule `{}`", rule_id), did_you_mean(rule_id, names));
}

}  // namespace correlator::rules
