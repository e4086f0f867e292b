// SPDX-License-Identifier: Apache-2.0
// A decoder with rules from a text and lines from a test, in virtual time.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catch.h"
#include "decoder.h"
#include "rules/loader.h"

namespace correlator::engine::test {

inline constexpr Timestamp kStart{1'767'225'600'000'000};  // 2026-01-01T00:00:00Z

inline std::shared_ptr<const rules::RuleSet> load(std::string_view text) {
  rules::Loaded loaded = rules::load({{"test.toml", "format = 1\n" + std::string(text)}});
  std::string errors;
  for (const Diagnostic& diagnostic : loaded.diagnostics) {
    if (diagnostic.gravity == Gravity::error) errors += to_text(diagnostic);
  }
  INFO(errors);
  REQUIRE(loaded.rules != nullptr);
  return loaded.rules;
}

class NoAnswers final : public Questions {
 public:
  bool open_case(std::string_view, std::span<const expr::Value>) const override { return false; }
  bool context(std::string_view, std::span<const expr::Value>) const override { return false; }
  const rules::LookupTable* lookup(std::uint32_t) const override { return nullptr; }
};

// A line as a test writes it.
struct Said {
  std::string text;
  Duration at{};
  std::string host = "kvm1";
  std::string program = "kernel";
  syslog::Origin origin = syslog::Origin::claimed_kernel;
  std::string caller{};
  std::uint32_t times = 1, repeated = 0;
  std::string input{};
  std::optional<std::uint32_t> pid{}, uid{};
  std::optional<std::uint8_t> facility{};
};

class Decoding {
 public:
  explicit Decoding(std::string_view rules) : Decoding(load(rules)) {}
  explicit Decoding(std::shared_ptr<const rules::RuleSet> rules)
      : rules_(std::move(rules)), decoder_(Options{}, evidence_, counters, questions_) {
    decoder_.set_rules(rules_);
  }
  // From rows that another one took.
  Decoding(std::shared_ptr<const rules::RuleSet> rules, const std::vector<StateRow>& rows,
           const Decoding& other)
      : Decoding(std::move(rules)) {
    for (const StateRow& row : rows) {
      const Status status = row.kind == StateKind::evidence ? evidence_.restore(row) : decoder_.restore(row);
      INFO(row.body);
      REQUIRE(status.ok());
    }
    seq_ = other.seq_;
    clock_ = other.clock_;
    counters = other.counters;
    evidence_.sweep();
  }

  std::vector<Event> say(const Said& said) {
    std::vector<Event> out;
    advance(kStart + said.at, out);
    syslog::Message message;
    message.raw = message.text = said.text;
    message.host = said.host;
    message.program = said.program;
    message.origin = said.origin;
    message.caller = said.caller;
    message.repeated = said.repeated;
    message.input = said.input;
    message.pid = said.pid;
    message.uid = said.uid;
    message.facility = said.facility;
    std::vector<PatternMatch> matches;
    for (std::uint32_t i = 0; i < rules_->patterns.size(); ++i) {
      PatternMatch match;
      match.pattern = i;
      if (rules_->patterns[i].compiled->match(said.text, match.groups)) matches.push_back(std::move(match));
    }
    LineRecord line;
    line.message = &message;
    line.matches = matches;
    line.time = kStart + said.at;
    line.times = said.times;
    line.stream = "test.log";
    line.line_number = ++seq_;
    decoder_.decode(line, seq_, *clock_, out);
    finish(out);
    return out;
  }
  std::vector<Event> say(std::string text, Duration at = {}) {
    Said said;
    said.text = std::move(text);
    said.at = at;
    return say(said);
  }

  // A mark: the clock, and what was due.
  std::vector<Event> tick(Timestamp t) {
    std::vector<Event> out;
    advance(t, out);
    finish(out);
    return out;
  }
  std::vector<Event> end() {
    std::vector<Event> out;
    if (clock_) decoder_.end(*clock_, out);
    finish(out);
    return out;
  }
  void reload(std::string_view rules) {
    const auto next = load(rules);
    decoder_.set_rules(next);
    rules_ = next;
    evidence_.sweep();
  }

  expr::Value field(const Event& event, std::string_view name) const {
    return event.fields.get(rules_->field(name));
  }
  std::string text(const Event& event, std::string_view name) const {
    return expr::to_text(field(event, name));
  }
  // "memory.corrected corrected x8 12,13 at +1s dimm=D1": without the built-in fields of the line.
  std::string show(const Event& event) const {
    std::string out = rules_->classes[event.cls].name + " " + std::string(rules::to_string(event.severity)) +
                      " x" + std::to_string(event.weight);
    for (std::size_t i = 0; i < event.line_numbers.size(); ++i)
      out += (i > 0 ? "," : " ") + std::to_string(event.line_numbers[i]);
    out += " +" + to_string(event.time - kStart);
    if (event.late) out += " late";
    if (event.stale) out += " stale";
    if (event.implausible) out += " implausible";
    if (event.folded) out += " folded";
    std::map<std::string, std::string> fields;
    for (const auto& [id, value] : event.fields.all()) {
      if (id >= rules::kBuiltinFields) fields[rules_->fields[id]] = expr::to_text(value);
    }
    for (const auto& [name, value] : fields) out += " " + name + "=" + value;
    return out;
  }
  std::vector<std::string> show(const std::vector<Event>& events) const {
    std::vector<std::string> out;
    for (const Event& event : events) out.push_back(show(event));
    return out;
  }

  std::vector<StateRow> changes() {
    std::vector<StateRow> rows;
    evidence_.take_changes(rows);
    decoder_.take_changes(rows);
    return rows;
  }
  Decoder& decoder() { return decoder_; }
  EvidenceStore& evidence() { return evidence_; }
  const rules::RuleSet& rules() const { return *rules_; }

  Counters counters;

 private:
  void advance(Timestamp t, std::vector<Event>& out) {
    clock_ = std::max(clock_.value_or(t), t);
    while (decoder_.next_deadline() && *decoder_.next_deadline() + Options{}.disorder <= *clock_) {
      decoder_.complete_next(*clock_, out);
    }
  }
  void finish(const std::vector<Event>& events) {
    for (const Event& event : events) {
      // Whoever takes an event may still ask for the texts of its lines.
      for (const LineRef& line : event.lines) REQUIRE(evidence_.find(line.seq) != nullptr);
    }
    evidence_.sweep();
  }

  std::shared_ptr<const rules::RuleSet> rules_;
  EvidenceStore evidence_;
  NoAnswers questions_;
  Decoder decoder_;
  std::uint64_t seq_ = 0;
  std::optional<Timestamp> clock_;
};

using Shown = std::vector<std::string>;

}  // namespace correlator::engine::test
