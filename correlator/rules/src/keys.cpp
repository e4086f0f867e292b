// SPDX-License-Identifier: Apache-2.0
#include "keys.h"

#include <algorithm>

namespace correlator::rules {

const KeySpec* TableSpec::find(std::string_view key) const {
  for (const KeySpec& spec : keys) {
    if (spec.name == key) return &spec;
  }
  return nullptr;
}

namespace {

bool all_of(const Node& node, bool (*good)(const Node&)) {
  return node.is(Node::Kind::list) && std::all_of(node.items.begin(), node.items.end(), good);
}
bool is_text(const Node& n) {
  return n.is(Node::Kind::text);
}
bool is_table(const Node& n) {
  return n.is(Node::Kind::table);
}
bool is_simple(const Node& n) {
  return is_text(n) || n.is(Node::Kind::integer) || n.is(Node::Kind::boolean);
}
bool is_text_or_table(const Node& n) {
  return is_text(n) || is_table(n);
}
bool is_setting(const Node& n) {
  return is_text(n) && n.text.find("${") != std::string::npos;
}

}  // namespace

bool accepts(Shape shape, const Node& node) {
  switch (shape) {
    case Shape::text:
    case Shape::duration:
    case Shape::phrase:
    case Shape::pattern:
      return is_text(node);
    case Shape::texts:
      return is_text(node) || all_of(node, is_text);
    case Shape::integer:
      return node.is(Node::Kind::integer) || is_setting(node);
    case Shape::boolean:
      return node.is(Node::Kind::boolean);
    case Shape::expression:
      return is_simple(node);
    case Shape::expressions:
      return is_simple(node) || all_of(node, is_simple);
    case Shape::reference:
    case Shape::mixed:
      return is_text_or_table(node);
    case Shape::patterns:
    case Shape::references:
    case Shape::mixeds:
      return is_text_or_table(node) || all_of(node, is_text_or_table);
    case Shape::table:
      return is_table(node);
    case Shape::tables:
      return all_of(node, is_table);
    case Shape::free:
      return true;
  }
  return false;
}

std::string_view described(Shape shape) {
  switch (shape) {
    case Shape::text:
      return "text";
    case Shape::texts:
      return "text or a list of texts";
    case Shape::integer:
      return "an integer";
    case Shape::boolean:
      return "true or false";
    case Shape::duration:
      return "a duration such as \"1h30m\"";
    case Shape::phrase:
      return "a phrase such as \"10 in 24h\"";
    case Shape::expression:
      return "an expression, written as text";
    case Shape::expressions:
      return "an expression or a list of them";
    case Shape::pattern:
      return "a pattern, written as '…'";
    case Shape::patterns:
      return "a pattern or a list of patterns";
    case Shape::reference:
      return "an event reference: a class name or a table with `on`";
    case Shape::references:
      return "an event reference or a list of them";
    case Shape::table:
      return "a table";
    case Shape::tables:
      return "a list of tables, written as [[…]]";
    case Shape::mixed:
      return "text or a table";
    case Shape::mixeds:
      return "text, a table or a list of those";
    case Shape::free:
      return "a value";
  }
  return "a value";
}

}  // namespace correlator::rules
