// SPDX-License-Identifier: Apache-2.0
#include "decision_words.h"

#include <fmt/format.h>

#include "base/json.h"
#include "engine/json.h"

namespace correlator::report {
namespace {

// Where it stands; null if there is none.
const Json& member(const Json& json, const char* name) {
  static const Json kNone;
  const auto found = json.find(name);
  return found != json.end() ? *found : kNone;
}

const std::string& string_in(const Json& json) {
  static const std::string kNone;
  return json.is_string() ? json.get_ref<const std::string&>() : kNone;
}

const std::string& string_of(const Json& json, const char* name) { return string_in(member(json, name)); }

std::string place_of(std::string_view file, std::uint64_t line) { return fmt::format("{}:{}", file, line); }

std::string key_text(const Json& key) {
  std::string out;
  for (const auto& [name, value] : key.items()) {
    out += fmt::format("{}{}={}", out.empty() ? "" : " ", name, value.is_string() ? string_in(value) : to_line(value));
  }
  return out;
}

std::string_view word_of(engine::Decision::Fate fate) {
  if (fate == engine::Decision::Fate::decided) return {};
  return fate == engine::Decision::Fate::held ? "held" : "dropped";
}

}  // namespace

DecisionWords words_of(const engine::Decision& decision) {
  DecisionWords out;
  out.urgency = to_string(decision.urgency);
  out.rule = decision.rule;
  out.why = decision.why;
  out.action = decision.action;
  out.fate = word_of(decision.fate);
  out.reason = decision.fate_reason;
  out.id = decision.id;
  out.time = to_rfc3339(decision.time);
  Json key = Json::object();
  for (const auto& [name, value] : decision.key) key[name] = engine::plain_json(value);
  out.key = key_text(key);
  out.argv = decision.argv;
  if (decision.lines) out.input.assign(decision.lines->begin(), decision.lines->end());
  out.evidence.reserve(decision.evidence.size());
  for (const engine::EvidenceLine& line : decision.evidence) {
    out.evidence.push_back({to_rfc3339(line.time), line.host, line.text, line.file.empty() ? "" : place_of(line.file, line.line_number)});
  }
  out.evidence_total = decision.evidence_total;
  return out;
}

DecisionWords words_of(const Json& document) {
  DecisionWords out;
  for (const auto& [word, name] : {std::pair{&out.urgency, "urgency"},
                                   {&out.rule, "rule"},
                                   {&out.why, "why"},
                                   {&out.action, "action"},
                                   {&out.fate, "fate"},
                                   {&out.reason, "reason"},
                                   {&out.id, "id"}}) {
    *word = string_of(document, name);
  }
  out.time = string_of(document, "time");
  out.key = key_text(member(document, "key"));
  for (const Json& word : member(document, "argv")) {
    if (word.is_string()) out.argv.push_back(string_in(word));
  }
  for (const Json& line : member(document, "lines")) out.input.push_back(string_in(line));
  for (const Json& line : member(document, "evidence")) {
    const std::string place = line.contains("file") ? place_of(string_of(line, "file"), line.value("line", std::uint64_t{0})) : "";
    out.evidence.push_back({string_of(line, "time"), string_of(line, "host"), string_of(line, "text"), place});
  }
  out.evidence_total = document.value("evidence_total", std::uint64_t{0});
  return out;
}

}  // namespace correlator::report
