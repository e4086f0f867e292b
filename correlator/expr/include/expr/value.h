// SPDX-License-Identifier: Apache-2.0
// What a field, a setting, a key part or the result of an expression holds.
#pragma once

#include <compare>
#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json_fwd.h"
#include "time/timestamp.h"

namespace correlator::expr {

// `any` is a type that is not known before run time; a Value itself never has it.
enum class Type { any, none, integer, boolean, text, duration, time, list };

// "integer", "bool", "text", … as rule files spell it.
std::string_view type_name(Type type);
// With an article, for messages: "an integer", "text", "a list".
std::string_view described(Type type);

class Value {
 public:
  using List = std::vector<Value>;

  Value() = default;                                          // none
  Value(bool value) : data_(value) {}                         // NOLINT(implicit)
  Value(std::string text) : data_(std::move(text)) {}         // NOLINT(implicit)
  Value(std::string_view text) : data_(std::string(text)) {}  // NOLINT(implicit)
  Value(const char* text) : data_(std::string(text)) {}       // NOLINT(implicit)
  Value(Duration duration) : data_(duration) {}               // NOLINT(implicit)
  Value(Timestamp time) : data_(time) {}                      // NOLINT(implicit)
  Value(List list) : data_(std::move(list)) {}                // NOLINT(implicit)
  // Integers are unsigned: a negative one becomes 0.
  template <std::integral Integer>
  requires(!std::same_as<Integer, bool>) Value(Integer n)
      : data_(n < Integer{0} ? std::uint64_t{0} : static_cast<std::uint64_t>(n)) {}  // NOLINT(implicit)
  template <class T>
  Value(const T*) = delete;  // a pointer is not a bool

  Type type() const;
  bool is_none() const { return data_.index() == 0; }
  // What a condition asks: a bool that is true. None and every other type are false.
  bool is_true() const;

  // The content if it has that type, else nullptr.
  const std::uint64_t* integer() const { return std::get_if<std::uint64_t>(&data_); }
  const bool* boolean() const { return std::get_if<bool>(&data_); }
  const std::string* text() const { return std::get_if<std::string>(&data_); }
  const Duration* duration() const { return std::get_if<Duration>(&data_); }
  const Timestamp* time() const { return std::get_if<Timestamp>(&data_); }
  const List* list() const { return std::get_if<List>(&data_); }

  // Values of different types are different; none equals none.
  friend bool operator==(const Value&, const Value&) = default;
  // A total order for use as a key: by type, then by content (text by bytes, false before true, lists by
  // element).
  friend std::strong_ordering operator<=>(const Value& a, const Value& b);

 private:
  std::variant<std::monostate, std::uint64_t, bool, std::string, Duration, Timestamp, List> data_;
};

// Canonical text: integers decimal, true/false, durations "1h30m", times RFC 3339 in UTC, the elements of a
// list joined by ",", none is empty. Text is unchanged: it may hold any byte.
std::string to_text(const Value& value);

// Stable across runs and machines; equal values have equal hashes.
std::uint64_t hash(const Value& value, std::uint64_t seed = 0);

// JSON that from_json reads back exactly, type included: null, number, bool, string, array,
// {"duration":µs}, {"time":µs}, and {"bytes":"hex"} for text with control characters or bytes that are not
// UTF-8.
Json to_json(const Value& value);
std::optional<Value> from_json(const Json& json);  // nullopt if `json` is no such form

}  // namespace correlator::expr
