// SPDX-License-Identifier: Apache-2.0
// What is said about wrong rules, to the letter: errors/NAME.sec gives errors/NAME.txt. CORRELATOR_UPDATE_GOLDEN=1 rewrites.
#include "catch.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "rules/sec/import.h"
#include "rules/sec/lint.h"
#include "rules/sec/reader.h"

using namespace correlator;
namespace fs = std::filesystem;

namespace {

std::string contents(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("wrong rules are answered with place, reason and way out") {
  const fs::path dir = fs::path(CORRELATOR_SOURCE_DIR) / "tests/sec/errors";
  std::size_t files = 0;
  for (const auto& entry : fs::directory_iterator(dir)) {
    if (entry.path().extension() != ".sec") continue;
    ++files;
    rules::sec::ReadOptions options;
    options.may_backtrack = !entry.path().stem().string().starts_with("E083");
    const auto read = rules::sec::read(contents(entry.path()), entry.path().filename(), options);
    std::string said;
    for (const Diagnostic& d : read.diagnostics) said += to_text(d);
    rules::procedure::ProcedureProgram program;
    program.files.push_back(read.file);
    for (const Diagnostic& d : rules::sec::lint(program)) said += to_text(d);
    const std::string code = entry.path().stem().string();
    if (code == "W026" || code == "W027") {
      for (const Diagnostic& d : rules::sec::import_rules(program, entry.path().filename().string()).diagnostics) said += to_text(d);
    }
    fs::path golden = entry.path();
    golden.replace_extension(".txt");
    if (std::getenv("CORRELATOR_UPDATE_GOLDEN") != nullptr) std::ofstream(golden, std::ios::binary) << said;
    INFO(entry.path());
    CHECK(said == contents(golden));
  }
  CHECK(files >= 21);
}

TEST_CASE("damaged rule files are refused and never harm") {
  const fs::path dir = fs::path(CORRELATOR_SOURCE_DIR) / "tests/sec/cases";
  std::uint64_t seed = 12345;
  const auto random = [&seed](std::size_t below) {
    seed = seed * 6364136223846793005U + 1442695040888963407U;
    return static_cast<std::size_t>(seed >> 33) % below;
  };
  std::size_t accepted = 0, refused = 0;
  for (const auto& entry : fs::directory_iterator(dir)) {
    const std::string text = contents(entry.path() / "rules.sec");
    for (int round = 0; round < 60; ++round) {
      std::string damaged = text;
      for (std::size_t n = random(4) + 1; n > 0 && !damaged.empty(); --n) {
        const std::size_t at = random(damaged.size());
        switch (random(4)) {
          case 0: damaged.erase(at, random(9) + 1); break;
          case 1: damaged[at] = static_cast<char>(random(256)); break;
          case 2: damaged.insert(at, std::string("();%$\\\n={}[]|*+?").substr(random(15), 2)); break;
          default: damaged.resize(at); break;
        }
      }
      const auto read = rules::sec::read(damaged, "damaged", {});
      accepted += read.file->rules.size();
      refused += read.diagnostics.size();
      for (const Diagnostic& d : read.diagnostics) {
        CHECK(d.place.line > 0);
        CHECK_FALSE(to_text(d).empty());
      }
    }
  }
  CHECK(accepted > 1000);
  CHECK(refused > 300);
}
