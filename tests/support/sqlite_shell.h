// SPDX-License-Identifier: Apache-2.0
// A database as a person sees it.
#pragma once

#include <cstdio>
#include <filesystem>
#include <string>

#include "catch.h"

namespace correlator::testing {

// What the sqlite3 shell prints.
inline std::string sqlite_shell(const std::filesystem::path& database, const std::string& sql) {
  const std::string command = "sqlite3 '" + database.string() + "' \"" + sql + "\" 2>&1";
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string out;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) out.append(buffer, n);
  REQUIRE(::pclose(pipe) == 0);
  return out;
}

}  // namespace correlator::testing
