// SPDX-License-Identifier: Apache-2.0
// Reading and writing arrays of integers as JSON, fast: a restart reads a million of them.
#pragma once

#include <charconv>
#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace correlator::window {

inline void skip_blanks(std::string_view& text) {
  while (!text.empty() &&
         (text.front() == ' ' || text.front() == '\t' || text.front() == '\n' || text.front() == '\r'))
    text.remove_prefix(1);
}

// Takes `c`, with blanks before it, off the front of `text`.
inline bool take(std::string_view& text, char c) {
  skip_blanks(text);
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

template <std::integral Integer>
bool take_int(std::string_view& text, Integer& value) {
  skip_blanks(text);
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(stop - text.data()));
  return true;
}

template <std::integral Integer>
void put_int(std::string& out, Integer value) {
  char buffer[24];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  out.append(buffer, end);
}

// Reads "[" element "," … "]"; `element` takes one element off the front of the text and says whether it
// could.
template <class Element>
bool take_array(std::string_view& text, Element element) {
  if (!take(text, '[')) return false;
  if (take(text, ']')) return true;
  do {
    if (!element(text)) return false;
  } while (take(text, ','));
  return take(text, ']');
}

}  // namespace correlator::window
