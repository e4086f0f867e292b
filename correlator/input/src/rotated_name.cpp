// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string_view>

#include "base/text.h"
#include "input/sources.h"

namespace correlator::input {
namespace {

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool digits(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), digit);
}

std::string_view without_compression(std::string_view name) {
  for (const std::string_view suffix : {".gz", ".zst", ".xz", ".bz2"}) {
    if (name.size() > suffix.size() && name.ends_with(suffix))
      return name.substr(0, name.size() - suffix.size());
  }
  return name;
}

bool is_day(std::string_view eight) {
  if (!digits(eight)) return false;
  const auto year = parse_uint(eight.substr(0, 4)), month = parse_uint(eight.substr(4, 2)),
             day = parse_uint(eight.substr(6, 2));
  return year >= 1970u && year < 3000u && month >= 1u && month <= 12u && day >= 1u && day <= 31u;
}

// The digits of YYYYMMDD, YYYYMMDDHH or YYYY-MM-DD if the text is one of them and nothing else.
std::optional<std::string> date_digits(std::string_view text) {
  if (text.size() == 10 && text[4] == '-' && text[7] == '-') {
    std::string day = std::string(text.substr(0, 4)).append(text.substr(5, 2)).append(text.substr(8, 2));
    if (is_day(day)) return day;
  } else if ((text.size() == 8 || (text.size() == 10 && digits(text))) && is_day(text.substr(0, 8))) {
    return std::string(text);
  }
  return std::nullopt;
}

// NAME(-|.)DATE, tried for each separator from the left, so that the hyphens of a date stay in it.
std::optional<RotatedName> dated(std::string_view name) {
  for (std::size_t at = name.find_first_of("-."); at != name.npos; at = name.find_first_of("-.", at + 1)) {
    if (at == 0) continue;
    const std::string_view suffix = name.substr(at + 1);
    std::optional<std::string> order = date_digits(suffix);
    const std::size_t dash = suffix.rfind('-');
    if (!order && dash != suffix.npos && digits(suffix.substr(dash + 1)) && suffix.size() - dash >= 10) {
      order = date_digits(suffix.substr(0, dash));  // DATE-SECONDS
      if (order) order->append(suffix.substr(dash + 1));
    }
    if (order) return RotatedName{std::string(name.substr(0, at)), RotatedName::Kind::date, *order, false};
  }
  return std::nullopt;
}

std::optional<RotatedName> numbered(std::string_view name) {
  const std::size_t dot = name.rfind('.');
  if (dot == name.npos || dot == 0) return std::nullopt;
  const std::string_view number = name.substr(dot + 1);
  if (!digits(number) || number.size() > 3) return std::nullopt;
  const std::string_view significant =
      number.substr(std::min(number.find_first_not_of('0'), number.size() - 1));
  return RotatedName{std::string(name.substr(0, dot)), RotatedName::Kind::number, std::string(significant),
                     digit(name[dot - 1])};
}

}  // namespace

RotatedName parse_rotated_name(const std::string& filename) {
  const std::string_view name = without_compression(filename);
  constexpr std::string_view kExtension = ".log";
  const bool extension = name.size() > kExtension.size() && name.ends_with(kExtension);
  const std::string_view stem = extension ? name.substr(0, name.size() - kExtension.size()) : name;
  std::optional<RotatedName> found = dated(stem);
  if (!found) found = numbered(stem);
  if (!found) return {std::string(name), RotatedName::Kind::current, "", false};
  if (extension) found->base.append(kExtension);
  return *found;
}

}  // namespace correlator::input
