// SPDX-License-Identifier: Apache-2.0
// errors/NAME.toml is a wrong file; errors/NAME.txt is exactly what is said about it. To accept a changed
// text run the test with CORRELATOR_UPDATE_GOLDEN=1 and read the difference.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>

#include "base/codes.h"
#include "catch.h"
#include "load.h"

namespace correlator::rules {
namespace {

namespace fs = std::filesystem;

std::string slurp(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<fs::path> cases() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(fs::path(CORRELATOR_SOURCE_DIR) / "tests/rules/errors")) {
    if (entry.path().extension() == ".toml") out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Loaded load_case(const fs::path& path) {
  return load({{"base.toml", std::string(test::kBase)}, {path.filename().string(), slurp(path)}});
}

TEST_CASE("every error says exactly this") {
  REQUIRE(cases().size() > 40);
  for (const fs::path& path : cases()) {
    const Loaded loaded = load_case(path);
    CHECK_FALSE(loaded.rules);
    const std::string text = test::errors(loaded);
    const fs::path golden = fs::path(path).replace_extension(".txt");
    if (std::getenv("CORRELATOR_UPDATE_GOLDEN") != nullptr) std::ofstream(golden, std::ios::binary) << text;
    INFO(path.filename().string());
    CHECK(text == slurp(golden));
  }
}

TEST_CASE("every code of the rule language has a case, a place and a hint") {
  std::set<std::string> seen;
  for (const fs::path& path : cases()) {
    for (const Diagnostic& d : load_case(path).diagnostics) {
      seen.insert(d.code);
      INFO(path.filename().string() << ": " << to_text(d));
      CHECK(find_code(d.code) != nullptr);
      CHECK(d.place.line > 0);
      CHECK(d.place.column > 0);
      CHECK_FALSE(d.hint.empty());
      CHECK(d.place.column + d.caret_length <= d.source.size() + 2);
    }
  }
  for (const CodeEntry& entry : code_catalogue()) {
    // E050 on: what is checked above this module; E036: files_test.cpp.
    if (entry.code >= "E050" || !entry.code.starts_with("E0") || entry.code == "E036") continue;
    INFO(entry.code);
    CHECK(seen.contains(std::string(entry.code)));
  }
}

}  // namespace
}  // namespace correlator::rules
