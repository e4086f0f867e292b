// SPDX-License-Identifier: Apache-2.0
// A test of values, carried over from a snippet of code that only looks at its parameters.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rules/text_pattern.h"

namespace correlator::rules {

// What a field test is asked about: parameters by number, or entries with named fields.
class FieldSource {
 public:
  virtual ~FieldSource() = default;
  // The parameter; nothing where it is undefined.
  virtual std::optional<std::string> parameter(std::size_t index) const = 0;
  // Field `name` of the entry that parameter `index` stands for.
  virtual std::optional<std::string> field(std::size_t index, std::string_view name) const = 0;
  virtual bool has_field(std::size_t index, std::string_view name) const = 0;
  virtual bool has_entry(std::size_t index) const = 0;
};

struct FieldTest {
  enum class Kind : std::uint8_t {
    text, number, parameter, field, exists, defined, index, length, lower, upper, equal, unequal, less, more, at_most, at_least,
    same, differs, before, after, matches, matches_not, both, either, negation, plus, minus, times, over, joined
  };
  Kind kind = Kind::text;
  std::string value;            // literal, or name of a field
  std::size_t index = 0;        // of a parameter
  std::optional<TextPattern> pattern;
  std::vector<FieldTest> parts;

  // The value as Perl would give it; nothing is undef.
  std::optional<std::string> evaluate(const FieldSource& source) const;
};

// Perl's idea of truth: nothing, "" and "0" are false.
bool is_true(const std::optional<std::string>& value);

}  // namespace correlator::rules
