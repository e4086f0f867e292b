// SPDX-License-Identifier: Apache-2.0
// What a field test says, with Perl's rules for text and numbers.
#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "base/text.h"
#include "rules/field_test.h"

namespace correlator::rules {
namespace {

double number(const std::optional<std::string>& value) { return value ? std::strtod(value->c_str(), nullptr) : 0; }

std::string number_text(double n) {
  if (n == std::floor(n) && std::fabs(n) < 1e15) return fmt::format("{}", static_cast<std::int64_t>(n));
  return fmt::format("{:.15g}", n);
}

std::optional<std::string> truth(bool yes) { return yes ? "1" : ""; }

}  // namespace

bool is_true(const std::optional<std::string>& value) { return value && !value->empty() && *value != "0"; }

std::optional<std::string> FieldTest::evaluate(const FieldSource& source) const {
  const auto part = [&](std::size_t i) { return parts[i].evaluate(source); };
  const auto text = [&](std::size_t i) { return part(i).value_or(""); };
  switch (kind) {
    case Kind::text:
    case Kind::number: return value;
    case Kind::parameter: return source.parameter(index);
    case Kind::field: return source.field(index, value);
    case Kind::exists: return truth(source.has_field(index, value));
    case Kind::defined:
      if (parts.front().kind == Kind::parameter) return truth(source.parameter(parts.front().index) || source.has_entry(parts.front().index));
      return truth(part(0).has_value());
    case Kind::index: {
      const std::size_t at = text(0).find(text(1));
      return at == std::string::npos ? "-1" : std::to_string(at);
    }
    case Kind::length: return std::to_string(text(0).size());
    case Kind::lower: return correlator::lower(text(0));
    case Kind::upper: return correlator::upper(text(0));
    case Kind::equal: return truth(number(part(0)) == number(part(1)));
    case Kind::unequal: return truth(number(part(0)) != number(part(1)));
    case Kind::less: return truth(number(part(0)) < number(part(1)));
    case Kind::more: return truth(number(part(0)) > number(part(1)));
    case Kind::at_most: return truth(number(part(0)) <= number(part(1)));
    case Kind::at_least: return truth(number(part(0)) >= number(part(1)));
    case Kind::same: return truth(text(0) == text(1));
    case Kind::differs: return truth(text(0) != text(1));
    case Kind::before: return truth(text(0) < text(1));
    case Kind::after: return truth(text(0) > text(1));
    case Kind::matches:
    case Kind::matches_not: {
      std::vector<std::string_view> groups;
      return truth(pattern->match(text(0), groups) == (kind == Kind::matches));
    }
    case Kind::both: {
      const auto left = part(0);
      return is_true(left) ? part(1) : left;
    }
    case Kind::either: {
      const auto left = part(0);
      return is_true(left) ? left : part(1);
    }
    case Kind::negation: return truth(!is_true(part(0)));
    case Kind::plus: return number_text(number(part(0)) + number(part(1)));
    case Kind::minus: return number_text(number(part(0)) - number(part(1)));
    case Kind::times: return number_text(number(part(0)) * number(part(1)));
    case Kind::over: {
      const double divisor = number(part(1));
      if (divisor == 0) return std::nullopt;
      return number_text(number(part(0)) / divisor);
    }
    case Kind::joined: return text(0) + text(1);
  }
  return std::nullopt;
}

}  // namespace correlator::rules
