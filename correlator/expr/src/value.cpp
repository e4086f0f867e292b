// SPDX-License-Identifier: Apache-2.0
#include "expr/value.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"
#include "base/json.h"

namespace correlator::expr {
namespace {

// The alternatives of Value's variant stand in the order of Type behind `any`.
std::size_t index_of(Type type) {
  return static_cast<std::size_t>(type) - 1;
}

// Text that JSON can hold as it is and that a person can read in a database shell.
bool is_plain(const std::string& text) {
  const auto ascii = [](char c) { return c >= 0x20 && c < 0x7F; };
  return std::all_of(text.begin(), text.end(), ascii) || printable(text) == text;
}

std::string to_hex(const std::string& text) {
  std::string out;
  out.reserve(2 * text.size());
  for (const char c : text) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

int nibble(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

std::optional<Value> from_hex(const std::string& hex) {
  if (hex.size() % 2 != 0) return std::nullopt;
  std::string text;
  for (std::size_t i = 0; i < hex.size(); i += 2) {
    const int high = nibble(hex[i]), low = nibble(hex[i + 1]);
    if (high < 0 || low < 0) return std::nullopt;
    text += static_cast<char>(high * 16 + low);
  }
  return Value(std::move(text));
}

std::optional<Value> from_tagged(const std::string& tag, const Json& content) {
  if (tag == "bytes" && content.is_string()) return from_hex(content.get_ref<const std::string&>());
  if (!content.is_number_integer()) return std::nullopt;
  if (content.is_number_unsigned() && content.get<std::uint64_t>() > INT64_MAX) return std::nullopt;
  const auto us = content.get<std::int64_t>();
  if (tag == "duration") return Value(Duration{us});
  if (tag == "time") return Value(Timestamp{us});
  return std::nullopt;
}

}  // namespace

std::string_view type_name(Type type) {
  switch (type) {
    case Type::any:
      return "any";
    case Type::none:
      return "none";
    case Type::integer:
      return "integer";
    case Type::boolean:
      return "bool";
    case Type::text:
      return "text";
    case Type::duration:
      return "duration";
    case Type::time:
      return "time";
    case Type::list:
      return "list";
  }
  return "any";
}

std::string_view described(Type type) {
  switch (type) {
    case Type::any:
      return "anything";
    case Type::none:
      return "none";
    case Type::integer:
      return "an integer";
    case Type::boolean:
      return "a bool";
    case Type::text:
      return "text";
    case Type::duration:
      return "a duration";
    case Type::time:
      return "a time";
    case Type::list:
      return "a list";
  }
  return "anything";
}

Type Value::type() const {
  static_assert(static_cast<std::size_t>(Type::list) == 1 + std::variant_size_v<decltype(data_)> - 1);
  return static_cast<Type>(data_.index() + 1);
}

bool Value::is_true() const {
  const bool* b = boolean();
  return b != nullptr && *b;
}

std::strong_ordering operator<=>(const Value& a, const Value& b) {
  if (a.data_.index() != b.data_.index()) return a.data_.index() <=> b.data_.index();
  switch (a.type()) {
    case Type::integer:
      return *a.integer() <=> *b.integer();
    case Type::boolean:
      return *a.boolean() <=> *b.boolean();
    case Type::text:
      return a.text()->compare(*b.text()) <=> 0;
    case Type::duration:
      return a.duration()->us <=> b.duration()->us;
    case Type::time:
      return a.time()->us <=> b.time()->us;
    case Type::list:
      return std::lexicographical_compare_three_way(a.list()->begin(), a.list()->end(), b.list()->begin(),
                                                    b.list()->end());
    case Type::none:
    case Type::any:
      break;
  }
  return std::strong_ordering::equal;
}

std::string to_text(const Value& value) {
  switch (value.type()) {
    case Type::integer:
      return std::to_string(*value.integer());
    case Type::boolean:
      return *value.boolean() ? "true" : "false";
    case Type::text:
      return *value.text();
    case Type::duration:
      return to_string(*value.duration());
    case Type::time:
      return to_rfc3339(*value.time());
    case Type::list: {
      std::vector<std::string> parts;
      for (const Value& element : *value.list()) parts.push_back(to_text(element));
      return join(parts, ",");
    }
    case Type::none:
    case Type::any:
      break;
  }
  return {};
}

std::uint64_t hash(const Value& value, std::uint64_t seed) {
  const auto number = [&](std::uint64_t n) {
    char bytes[8];
    for (int i = 0; i < 8; ++i) bytes[i] = static_cast<char>(n >> (8 * i));
    return hash64(std::string_view(bytes, 8), seed + index_of(value.type()));
  };
  switch (value.type()) {
    case Type::integer:
      return number(*value.integer());
    case Type::boolean:
      return number(*value.boolean() ? 1 : 0);
    case Type::text:
      return hash64(*value.text(), seed + index_of(Type::text));
    case Type::duration:
      return number(static_cast<std::uint64_t>(value.duration()->us));
    case Type::time:
      return number(static_cast<std::uint64_t>(value.time()->us));
    case Type::list: {
      std::uint64_t h = number(value.list()->size());
      for (const Value& element : *value.list()) h = hash(element, h);
      return h;
    }
    case Type::none:
    case Type::any:
      break;
  }
  return number(0);
}

Json to_json(const Value& value) {
  switch (value.type()) {
    case Type::integer:
      return *value.integer();
    case Type::boolean:
      return *value.boolean();
    case Type::text:
      if (!is_plain(*value.text())) return Json{{"bytes", to_hex(*value.text())}};
      return *value.text();
    case Type::duration:
      return Json{{"duration", value.duration()->us}};
    case Type::time:
      return Json{{"time", value.time()->us}};
    case Type::list: {
      Json array = Json::array();
      for (const Value& element : *value.list()) array.push_back(to_json(element));
      return array;
    }
    case Type::none:
    case Type::any:
      break;
  }
  return nullptr;
}

std::optional<Value> from_json(const Json& json) {
  if (json.is_null()) return Value();
  if (json.is_boolean()) return Value(json.get<bool>());
  if (json.is_number_unsigned()) return Value(json.get<std::uint64_t>());
  if (json.is_number_integer() && json.get<std::int64_t>() >= 0) return Value(json.get<std::int64_t>());
  if (json.is_string()) return Value(json.get_ref<const std::string&>());
  if (json.is_array()) {
    Value::List list;
    for (const Json& element : json) {
      std::optional<Value> value = from_json(element);
      if (!value) return std::nullopt;
      list.push_back(std::move(*value));
    }
    return Value(std::move(list));
  }
  if (json.is_object() && json.size() == 1) return from_tagged(json.begin().key(), json.begin().value());
  return std::nullopt;
}

}  // namespace correlator::expr
