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

// Rows that are in memory: a reload, and states that were never in a store.
class RowList final : public StateSource {
 public:
  explicit RowList(const std::vector<StateRow>& rows) : rows_(rows) {}
  Status each(StateKind kind, const RowVisitor& visit) override;

 private:
  const std::vector<StateRow>& rows_;
};

// The body of a window row in parts. A million of them are read at a start, so this does not build a tree, and points
// into the row where it can.
struct KeyBody {
  std::string_view key;              // packed; is_packed() holds
  std::string_view state;            // the operation's
  std::optional<Evidence> lines;     // keeps its room from body to body
  std::string_view encoded_lines;    // the bytes of it; empty if the row has another form
  std::optional<Timestamp> newest;   // if it is not the time of the last line
  bool untrusted = false;
  std::optional<Timestamp> decided_at;
  std::string_view frozen;           // JSON, empty if there is none
  std::string room;                  // what `key` points into if the row has another form
};
void write_key_body(const RuleRun& run, const KeyState& key, std::string& out);
// false: the bytes are damaged or of a later version. Also reads what version 1 of the database had, which was JSON.
bool read_key_body(std::string_view body, KeyBody& out);

}  // namespace correlator::engine
