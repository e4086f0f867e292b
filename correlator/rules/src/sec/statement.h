// SPDX-License-Identifier: Apache-2.0
// keyword=value lines of a SEC file, joined where they continue, in the groups that are rules.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/diagnostic.h"

namespace correlator::rules::sec {

// Where each part of a text that was joined from several lines came from.
struct Piece {
  std::size_t offset;
  std::uint32_t line;
  std::uint32_t column;
  std::string source;  // the whole line of the file
};

struct Field {
  std::string key;
  std::string value;
  std::uint32_t line = 0, column = 0;  // of the key
  std::string source;
  std::vector<Piece> pieces;           // of the value
};

struct Group {
  std::uint32_t line = 0;
  std::vector<Field> fields;
};

std::vector<Group> cut_statements(std::string_view text, const std::string& file, Diagnostics& diagnostics);

// A diagnostic that points at byte `offset` of the field's value.
Diagnostic about(const std::string& file, const Field& field, std::size_t offset, std::size_t length, std::string message, std::string hint);

}  // namespace correlator::rules::sec
