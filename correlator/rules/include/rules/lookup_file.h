// SPDX-License-Identifier: Apache-2.0
// Lookup tables from files: CSV (RFC 4180, comma or tab) whose first line names the columns, or one JSON
// object a line. Lines that begin with # are comments.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "rules/model.h"

namespace correlator::rules {

// The rows in the order of the file, their columns in the order of `lookup.columns`. E220 if a column (of
// JSON: a key) is missing, E221 if a row does not fit; the place is that of the file.
Result<LookupTable> parse_lookup(const Lookup& lookup, std::string_view text,
                                        const std::string& file);
// E222 if it cannot be read.
Result<LookupTable> read_lookup(const Lookup& lookup, const std::filesystem::path& root);

}  // namespace correlator::rules
