// SPDX-License-Identifier: Apache-2.0
// The bodies of state rows, both ways.
#pragma once

#include "base/json.h"
#include "core.h"
#include "decoder_rows.h"

namespace correlator::engine {

StateRow key_row(const RuleRun& run, const KeyState& key);
Json firing_json(const Firing& firing, const rules::RuleSet& rules);
std::optional<Firing> firing_from(const Json& json, const rules::RuleSet& rules);
Json place_json(const StepPlace& place);
std::optional<StepPlace> place_from(const Json& json);
Json event_json(const Event& event, const rules::RuleSet& rules);
std::optional<Event> event_from(const Json& json, const rules::RuleSet& rules);

// The body of a window row in parts. A million of them are read at a start, so this does not build a tree.
struct KeyBody {
  std::vector<expr::Value> key;
  std::string_view state;  // JSON of the operation
  std::optional<Evidence> lines;
  std::optional<Timestamp> newest;
  bool untrusted = false;
  std::optional<Timestamp> decided_at;
  std::string_view frozen;  // JSON, empty if there is none
};
std::optional<KeyBody> read_key_body(std::string_view body);

}  // namespace correlator::engine
