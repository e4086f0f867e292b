// SPDX-License-Identifier: Apache-2.0
// Small text helpers. Text is bytes; nothing here assumes valid UTF-8.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace correlator {

std::string_view trim(std::string_view text);
std::string lower(std::string_view text);
std::string upper(std::string_view text);
std::vector<std::string_view> split(std::string_view text, std::string_view separator);
std::string join(std::span<const std::string> parts, std::string_view separator);

// Whole-text number parsing: no sign, no blanks, no overflow. parse_hex accepts an optional 0x.
std::optional<std::uint64_t> parse_uint(std::string_view text);
std::optional<std::uint64_t> parse_hex(std::string_view text);

// Text that is safe on a terminal and in one line: control characters, marks of direction, characters without
// width and bytes that are not valid UTF-8 become \xNN, a newline \n, a tab \t.
std::string printable(std::string_view text);

// The first `max_bytes` of text, cut at a UTF-8 boundary, with "…" behind where something was cut.
std::string shorten(std::string_view text, std::size_t max_bytes);

// The candidate that a person who typed `name` most likely meant, or empty if none is close.
std::string closest(std::string_view name, std::span<const std::string> candidates);

// "1 line", "2 lines", "1,234 lines".
std::string counted(std::uint64_t n, std::string_view noun);

}  // namespace correlator
