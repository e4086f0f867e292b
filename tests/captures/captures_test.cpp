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
  REQUIRE(files.size() >= 55);
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

// The firmware's record has no last line: it is complete only when its time is over, long after the machine check that the
// kernel makes of it.
TEST_CASE("a GHES record that its time-out completes and the machine check made of it count once, however long nothing follows") {
  constexpr const char* kLines[] = {
      "{1}[Hardware Error]: Hardware error from APEI Generic Hardware Error Source: 1",
      "{1}[Hardware Error]: event severity: corrected",
      "{1}[Hardware Error]:  Error 0, type: corrected",
      "{1}[Hardware Error]:  fru_text: DIMM_A1",
      "{1}[Hardware Error]:   section_type: memory error",
      "{1}[Hardware Error]:   physical_address: 0x0000000009000000",
      "mce: [Hardware Error]: CPU 1: Machine Check: 0 Bank 255: 9c0000000000009f",
      "mce: [Hardware Error]: TSC 0 ADDR 9000000 MISC 8c ",
      "mce: [Hardware Error]: PROCESSOR 2:60fb1 TIME 1795337736 SOCKET 0 APIC 1 microcode 1000065",
  };
  for (const Duration gap : {Duration::seconds(8), Duration::seconds(20), Duration::hours(1), Duration::days(3)}) {
    std::vector<std::string> counted, folded;
    auto session = pipeline::Session::start(vendor_rules(), std::nullopt, {},
                                            [&](const engine::StepOutput& step, const rules::RuleSet& rules) {
                                              for (const engine::Event& event : step.events) {
                                                auto& list = event.folded ? folded : counted;
                                                list.push_back(rules.classes[event.cls].name + " x" + std::to_string(event.weight));
                                              }
                                            });
    REQUIRE(session.ok());
    Timestamp time{1'767'225'600'000'000};
    std::uint64_t number = 0;
    const auto say = [&](const std::string& text) {
      const std::string frame = to_rfc3339(time) + " kvm1 kernel: " + text;
      pipeline::Line line;
      line.frame = frame;
      line.stream = "kern.log";
      line.line_number = ++number;
      line.time = time;
      (*session)->line(line);
      time = time + Duration{200};
    };
    for (const char* text : kLines) say(text);
    time = time + gap;
    (*session)->mark(time);
    INFO(to_string(gap));
    CHECK(counted == std::vector<std::string>{"memory.corrected x1"});
    CHECK(folded == std::vector<std::string>{"memory.corrected x1"});
  }
}

}  // namespace
}  // namespace correlator
