// SPDX-License-Identifier: Apache-2.0
// A target takes bytes and returns what is wrong, or nothing. It must neither crash nor hang, whatever they are.
#pragma once

#include <cstdint>
#include <memory>
#include <random>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rules/model.h"

namespace correlator::fuzz {

struct Target {
  const char* name;
  std::string (*run)(std::string_view bytes);
  std::vector<std::string> (*corpus)();  // what is mutated
};
std::span<const Target> targets();
const Target* find_target(std::string_view name);

std::string run_syslog(std::string_view bytes);
std::string run_frames(std::string_view bytes);
std::string run_archive(std::string_view bytes);
std::string run_rules(std::string_view bytes);
std::string run_expressions(std::string_view bytes);
std::string run_rows(std::string_view bytes);
std::string run_intake(std::string_view bytes);

std::vector<std::string> lines_of_captures();
std::vector<std::string> small_logs();
std::vector<std::string> rule_files();
std::vector<std::string> expressions();
std::vector<std::string> state_rows();
std::vector<std::string> intake_rows();

// The rules of a target; ends the program where they do not load.
std::shared_ptr<const rules::RuleSet> loaded(const std::string& text);

// One to six edits of a member of the corpus: bytes, pieces of syntax, stretches of other members, lines moved.
std::string mutated(const std::vector<std::string>& corpus, std::mt19937_64& random);

}  // namespace correlator::fuzz
