// SPDX-License-Identifier: Apache-2.0
// The vendor's rules against output of real kernels: every capture decodes into exactly the events that stand
// in expected/NAME.jsonl. CORRELATOR_REWRITE_EXPECTED=1 writes those files anew; read the difference before
// it is committed, README.md says what each capture holds.
#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "catch.h"
#include "engine/json.h"
#include "input/sources.h"
#include "pipeline/replay.h"
#include "pipeline/session.h"
#include "rules/loader.h"

namespace correlator {
namespace {

namespace fs = std::filesystem;

const fs::path kRoot = CORRELATOR_SOURCE_DIR;
const fs::path kCaptures = kRoot / "examples/captures";
const fs::path kExpected = kRoot / "tests/captures/expected";

std::shared_ptr<const rules::RuleSet> vendor_rules() {
  static const auto rules = [] {
    auto files = rules::read_rule_files({kRoot / "rules"});
    REQUIRE(files.ok());
    rules::Loaded loaded = rules::load(std::move(files).value());
    for (const Diagnostic& d : loaded.diagnostics) UNSCOPED_INFO(to_text(d, false));
    REQUIRE(loaded.rules != nullptr);
    return loaded.rules;
  }();
  return rules;
}

// What a reader of the capture can check with his eyes; no times, which a printk log does not really have.
Json reduced(const engine::Event& event, const rules::RuleSet& rules) {
  const Json full = engine::to_json(event, rules);
  Json out = Json::object();
  for (const char* name :
       {"event", "severity", "part", "weight", "lines", "stale", "implausible", "folded"}) {
    if (full.contains(name)) out[name] = full[name];
  }
  return out;
}

std::string decoded(const fs::path& log) {
  std::string out;
  auto session = pipeline::Session::start(vendor_rules(), std::nullopt, {},
                                          [&](const engine::StepOutput& step, const rules::RuleSet& rules) {
                                            for (const engine::Event& event : step.events)
                                              out += to_line(reduced(event, rules)) + "\n";
                                          });
  REQUIRE(session.ok());
  const std::vector<std::string> names{log.string()};
  auto result = pipeline::replay(**session, input::expand_sources(names).sources, {});
  REQUIRE(result.ok());
  REQUIRE(result->problems.empty());
  return out;
}

std::string content(const fs::path& file) {
  std::ostringstream out;
  out << std::ifstream(file, std::ios::binary).rdbuf();
  return out.str();
}

std::vector<fs::path> captures() {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(kCaptures)) {
    const std::string name = entry.path().filename().string();
    if (entry.path().extension() == ".log" || name.starts_with("virsh-event-")) out.push_back(entry.path());
  }
  std::sort(out.begin(), out.end());
  return out;
}

TEST_CASE("every capture decodes into exactly the expected events") {
  const bool rewrite = std::getenv("CORRELATOR_REWRITE_EXPECTED") != nullptr;
  const auto files = captures();
  REQUIRE(files.size() >= 48);
  for (const fs::path& file : files) {
    const std::string name = file.stem().string();
    const fs::path expected = kExpected / (name + ".jsonl");
    const std::string got = decoded(file);
    if (rewrite) {
      std::ofstream(expected, std::ios::binary) << got;
      continue;
    }
    CAPTURE(name);
    REQUIRE(fs::exists(expected));
    CHECK(got == content(expected));
  }
}

TEST_CASE("no expected file is left without its capture") {
  for (const auto& entry : fs::directory_iterator(kExpected)) {
    const std::string name = entry.path().stem().string();
    CAPTURE(name);
    CHECK((fs::exists(kCaptures / (name + ".log")) || fs::exists(kCaptures / (name + ".txt"))));
  }
}

TEST_CASE("what a kernel says while it boots is no event") {
  for (const fs::path& file : captures()) {
    const std::string name = file.stem().string();
    if (!name.ends_with("-boot") && !name.ends_with("-load") && !name.ends_with("-unload")) continue;
    CAPTURE(name);
    CHECK(decoded(file).empty());
  }
}

}  // namespace
}  // namespace correlator
