// SPDX-License-Identifier: Apache-2.0
// The JSON objects of events and decisions: printed by --json, stored with the decision, given to action scripts.
// One place, so that all three are the same.
#pragma once

#include "base/json_fwd.h"
#include "engine/decision.h"
#include "engine/event.h"
#include "rules/model.h"

namespace correlator::engine {

// {"type":"event","time":…,"event":class,"severity":…,"host":…,"part":…,"weight":…,"file":…,"line":…,"lines":[…],"fields":{…}}
// and "late", "stale", "implausible", "folded", "notice": true where it is so. The weights of all events of an error
// add up to how often it was reported: that of folded events and of notices is 0.
Json to_json(const Event& event, const rules::RuleSet& rules);

// {"type":"decision","time":…,"id":…,"rule":…,"key":{…},"step":…,"action":…,"argv":[…],"why":…,"evidence":[…]}
// and "urgency", "trust", "serial" where its action has one, "fate" with "reason" where it was not simply decided.
Json to_json(const Decision& decision);

// A value as JSON for people and scripts: numbers as numbers, times as RFC 3339, durations as "24h".
Json plain_json(const expr::Value& value);

}  // namespace correlator::engine
