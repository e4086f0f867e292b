// SPDX-License-Identifier: Apache-2.0
#include "engine/json.h"
#include "base/json.h"

#include <algorithm>

namespace correlator::engine {
namespace {

// Fields that stand at the top of the event object are not repeated under "fields".
bool stands_above(rules::FieldId field) {
  return field == rules::kHost || field == rules::kTime || field == rules::kSeverity || field == rules::kPart ||
         field == rules::kClass || field == rules::kWeight;
}

std::string text_of(const Event& event, rules::FieldId field) { return expr::to_text(event.fields.get(field)); }

Json to_json(const EvidenceLine& line) {
  Json out = {{"time", to_rfc3339(line.time)}, {"host", line.host}, {"text", line.text}};
  if (!line.file.empty()) {
    out["file"] = line.file;
    if (line.line_number > 0) out["line"] = line.line_number;  // live inputs have none
  }
  return out;
}

}  // namespace

Json plain_json(const expr::Value& value) {
  switch (value.type()) {
    case expr::Type::none: return nullptr;
    case expr::Type::integer: return *value.integer();
    case expr::Type::boolean: return *value.boolean();
    case expr::Type::list: {
      Json out = Json::array();
      for (const expr::Value& item : *value.list()) out.push_back(plain_json(item));
      return out;
    }
    default: return expr::to_text(value);
  }
}

Json to_json(const Event& event, const rules::RuleSet& rules) {
  // What a reader may add up: another event counts the error of a folded one, and a notice is no error.
  const bool notice = !rules.classes[event.cls].counts;
  Json out = {{"type", "event"},
              {"time", to_rfc3339(event.time)},
              {"event", rules.classes[event.cls].name},
              {"severity", to_string(event.severity)},
              {"host", text_of(event, rules::kHost)},
              {"part", text_of(event, rules::kPart)},
              {"weight", notice || event.folded ? 0 : event.weight}};
  if (!event.file.empty()) {
    out["file"] = event.file;
  }
  if (event.line_number > 0) {
    out["line"] = event.line_number;
    out["lines"] = event.line_numbers;
  } else if (event.definition >= rules.events.size()) {
    out["lines"] = Json::array();  // raised by a rule or by the engine: of no line
  }
  if (event.late) out["late"] = true;
  if (event.stale) out["stale"] = true;
  if (event.implausible) out["implausible"] = true;
  if (event.folded) out["folded"] = true;
  if (notice) out["notice"] = true;
  out["trust"] = to_string(event.trust);
  if (event.definition < rules.events.size()) out["decoded_by"] = rules.events[event.definition].id;
  Json fields = Json::object();
  for (const auto& [field, value] : event.fields.all()) {
    if (!stands_above(field) && !value.is_none()) fields[rules.fields[field]] = plain_json(value);
  }
  out["fields"] = std::move(fields);
  return out;
}

Json to_json(const Decision& decision) {
  Json key = Json::object();
  for (const auto& [name, value] : decision.key) key[name] = plain_json(value);
  Json out = {{"type", "decision"},
              {"time", to_rfc3339(decision.time)},
              {"id", decision.id},
              {"rule", decision.rule},
              {"urgency", to_string(decision.urgency)},
              {"key", std::move(key)},
              {"step", decision.step}};
  out["action"] = decision.action.empty() ? Json(nullptr) : Json(decision.action);
  out["argv"] = decision.argv;
  if (decision.lines) out["lines"] = *decision.lines;
  if (!decision.serial.empty()) out["serial"] = decision.serial;
  if (decision.row > 0) out["row"] = decision.row;
  if (decision.clearing) out["clearing"] = true;
  if (decision.fate != Decision::Fate::decided) {
    out["fate"] = decision.fate == Decision::Fate::held ? "held" : "dropped";
    out["reason"] = decision.fate_reason;
  }
  out["why"] = decision.why;
  out["trust"] = to_string(decision.trust);
  Json evidence = Json::array();
  evidence.get_ref<Json::array_t&>().reserve(decision.evidence.size());
  for (const EvidenceLine& line : decision.evidence) evidence.push_back(to_json(line));
  out["evidence"] = std::move(evidence);
  out["evidence_total"] = decision.evidence_total;
  return out;
}

}  // namespace correlator::engine
