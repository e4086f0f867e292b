// SPDX-License-Identifier: Apache-2.0
// Events, decisions, windows and summaries as text for people or as JSON lines for programs. Log text is made
// printable in the one and escaped in the other; neither reaches a terminal raw.
#pragma once

#include <cstdint>
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "base/json_fwd.h"
#include "engine/decision.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "rules/model.h"
#include "store/ledger_db.h"

namespace correlator::report {

struct Summary {
  std::uint64_t lines = 0;
  engine::Counters counters;       // of this run
  std::uint64_t open_windows = 0;  // live keys
  std::uint64_t open_cases = 0;
  double seconds = 0;
  std::uint64_t size = 0, passed_over = 0;  // bytes of all logs on disk, and how many of them were not read
};

// How a decision's action is told: a replay says what *would* have been run, who acts what runs, who looks
// what was decided.
enum class Tense { would, runs, decided };

struct PrinterOptions {
  bool json = false;
  bool colour = false;
  Tense tense = Tense::decided;
};

struct DecisionWords;

class Printer {
 public:
  Printer(std::FILE* out, PrinterOptions options) : out_(out), options_(options) {}

  void event(const engine::Event& event, const rules::RuleSet& rules);
  void decision(const engine::Decision& decision);
  // A decision as it was stored: its JSON document.
  void stored_decision(std::string_view document);
  void window(const engine::WindowView& window);
  // What became of an action, or what it waits for, as of `time`.
  void outcome(const store::Job& job, Timestamp time);
  void summary(const Summary& summary);
  // For people only: a line of text, an empty line. Nothing with --json.
  void note(std::string_view text);
  void blank();
  void object(const Json& json);  // one line
  bool json() const { return options_.json; }
  // False once the output could not be written: a full disk, a closed pipe.
  bool good() const { return good_; }

 private:
  void put(std::string_view text);
  std::string tint(std::string_view text, const char* code) const;
  std::string decision_text(const DecisionWords& decision) const;

  std::FILE* out_;
  PrinterOptions options_;
  bool good_ = true;
};

// `words` as one could type it at a shell: only for people to read.
std::string command_line(const std::vector<std::string>& words);

}  // namespace correlator::report
