// SPDX-License-Identifier: Apache-2.0
// Damaged rule files: every one loads or is refused in words; none crashes, hangs or prints control
// characters.
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>

#include "catch.h"
#include "load.h"

namespace correlator::rules {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> seeds() {
  std::vector<std::string> out{std::string(test::kBase)};
  const fs::path root = fs::path(CORRELATOR_SOURCE_DIR) / "tests/rules";
  std::vector<fs::path> paths{root / "manual_base.toml"};
  for (const auto& entry : fs::directory_iterator(root / "errors")) {
    if (entry.path().extension() == ".toml") paths.push_back(entry.path());
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) {
    std::ifstream in(path, std::ios::binary);
    out.emplace_back(std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>());
  }
  std::ifstream manual(fs::path(CORRELATOR_SOURCE_DIR) / "docs/rules.md");
  std::string line, block;
  bool inside = false;
  while (std::getline(manual, line)) {
    if (line.starts_with("```")) {
      if (inside) out.push_back("format = 1\n" + block);
      block.clear();
      inside = !inside && line.starts_with("```toml");
    } else if (inside) {
      block += line + "\n";
    }
  }
  return out;
}

std::string mutated(std::string text, const std::vector<std::string>& all, std::mt19937_64& random) {
  const auto upto = [&](std::size_t n) { return n == 0 ? 0 : static_cast<std::size_t>(random() % n); };
  static constexpr std::string_view kPieces[] = {
      "'",     "\"",       "[",     "]",         "{",
      "}",     "${",       "(?<",   ")",         "\n",
      " = ",   "%{",       "\\",    "\0",        "\xff",
      "''",    "1e9",      "-1",    "true",      "[[rule]]\n",
      "[x]\n", "??",       "open(", "settings.", "99999999999999999999",
      "0s",    "\x1b[31m", "*"};
  const std::size_t edits = 1 + upto(6);
  for (std::size_t i = 0; i < edits; ++i) {
    const std::size_t at = upto(text.size() + 1);
    switch (random() % 6) {
      case 0:
        text.erase(at, upto(30));
        break;
      case 1:
        text.insert(at, kPieces[upto(std::size(kPieces))]);
        break;
      case 2:
        if (at < text.size()) text[at] = static_cast<char>(random());
        break;
      case 3: {
        const std::string& other = all[upto(all.size())];
        text.insert(at, other.substr(upto(other.size()), upto(60)));
        break;
      }
      case 4: {  // a line is moved
        const auto begin = text.rfind('\n', at), end = text.find('\n', at);
        if (begin == std::string::npos || end == std::string::npos || end <= begin) break;
        const std::string line = text.substr(begin, end - begin);
        text.erase(begin, end - begin);
        text.insert(std::min(text.size(), text.find('\n', upto(text.size() + 1))), line);
        break;
      }
      default: {  // a value is replaced by another kind
        const auto equals = text.find("= ", at);
        if (equals == std::string::npos) break;
        const auto end = std::min(text.find('\n', equals), text.size());
        static constexpr std::string_view kValues[] = {"= 1",         "= 'x'",   "= []",         "= {}",
                                                       "= true",      "= [[1]]", "= 2026-01-01", "= 1.5",
                                                       "= ['a', {}]", "= [{}]"};
        text.replace(equals, end - equals, kValues[upto(std::size(kValues))]);
      }
    }
  }
  return text;
}

TEST_CASE("mutated rule files never crash and every error can be printed") {
  const char* given = std::getenv("CORRELATOR_SEED");
  const std::uint64_t seed = given ? std::strtoull(given, nullptr, 10) : std::random_device{}();
  const char* wanted = std::getenv("CORRELATOR_FUZZ_ROUNDS");
  const std::uint64_t rounds = wanted ? std::strtoull(wanted, nullptr, 10) : 1500;
  INFO("CORRELATOR_SEED=" << seed);
  std::mt19937_64 random(seed);
  const std::vector<std::string> all = seeds();
  REQUIRE(all.size() > 60);
  std::uint64_t loaded_count = 0;
  for (std::uint64_t round = 0; round < rounds; ++round) {
    const std::string text = mutated(all[random() % all.size()], all, random);
    const Loaded loaded = load({{"base.toml", std::string(test::kBase)}, {"t.toml", text}});
    loaded_count += loaded.rules ? 1 : 0;
    const bool consistent = (loaded.rules != nullptr) != has_errors(loaded.diagnostics);
    if (!consistent) {
      INFO(text);
      REQUIRE(consistent);
    }
    for (const Diagnostic& d : loaded.diagnostics) {
      const std::string printed = to_text(d);
      if (printed.find('\x1b') != std::string::npos || d.place.line == 0) {
        INFO(text);
        FAIL(printed);
      }
    }
  }
  CHECK(loaded_count < rounds);
}

}  // namespace
}  // namespace correlator::rules
