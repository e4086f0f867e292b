// SPDX-License-Identifier: Apache-2.0
// time= of a Calendar rule.
#include <algorithm>

#include "base/text.h"
#include "parts.h"

namespace correlator::rules::sec {
namespace {

struct Span {
  std::uint32_t from, to;
};

// "*", "*/5", "3", "3-7", "3-7/2", "-7", "3-", "-". False if it is none of these.
template <std::size_t N>
bool add_part(std::string_view part, Span bounds, std::bitset<N>& out) {
  std::uint32_t step = 1;
  if (const std::size_t slash = part.find('/'); slash != std::string_view::npos) {
    const auto number = parse_uint(part.substr(slash + 1));
    if (!number || *number == 0) return false;
    step = static_cast<std::uint32_t>(std::min<std::uint64_t>(*number, 1000));
    part = part.substr(0, slash);
    if (part != "*" && part.find('-') == std::string_view::npos) return false;
  }
  Span span = bounds;
  if (part != "*") {
    const std::size_t dash = part.find('-');
    const std::string_view left = part.substr(0, dash), right = dash == std::string_view::npos ? left : part.substr(dash + 1);
    if (dash == std::string_view::npos && left.empty()) return false;
    for (const auto& [text, end] : {std::pair{left, &span.from}, std::pair{right, &span.to}}) {
      if (text.empty()) continue;
      const auto number = parse_uint(text);
      if (!number || *number < bounds.from || *number > bounds.to) return false;
      *end = static_cast<std::uint32_t>(*number);
    }
  }
  for (std::uint32_t n = span.from; n <= span.to; n += step) out.set(n % N);
  return true;
}

}  // namespace

std::optional<Schedule> read_schedule(Reading& reading, const Field& field) {
  Schedule out;
  std::vector<Slice> words;
  for (Slice rest{field.value, 0}; !rest.empty();) words.push_back(rest.take_word());
  if (words.size() != 5 && words.size() != 6) {
    reading.error(field, 0, field.value.size(), "a time has five or six parts: minute hour day month weekday [year]", "for example time=0 8 * * 1-5");
    return std::nullopt;
  }
  const auto read = [&](std::size_t index, Span bounds, auto& set, const char* what) {
    const auto parts = split(words[index].text, ",");
    const bool nothing = std::all_of(parts.begin(), parts.end(), [](std::string_view part) { return part.empty(); });
    for (const std::string_view part : parts) {
      if ((part.empty() && !nothing) || add_part(part, bounds, set)) continue;  // a comma too many says nothing
      reading.error(field, words[index].offset, words[index].text.size(), std::string("this is no ") + what,
                    "numbers, ranges 3-7, lists 1,2 and steps */5 from " + std::to_string(bounds.from) + " to " + std::to_string(bounds.to));
      return;
    }
  };
  read(0, {0, 59}, out.minute, "minute");
  read(1, {0, 23}, out.hour, "hour");
  read(2, {0, 31}, out.day, "day of the month (0 is the last one)");
  read(3, {1, 12}, out.month, "month");
  read(4, {0, 7}, out.weekday, "weekday");
  out.any_year = words.size() == 5;
  if (!out.any_year) read(5, {0, 99}, out.year, "year of two digits");
  if (reading.failed) return std::nullopt;
  return out;
}

}  // namespace correlator::rules::sec
