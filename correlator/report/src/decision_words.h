// SPDX-License-Identifier: Apache-2.0
// What a decision says to people: the same of the decision at hand and of its stored document.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fwd.h"
#include "engine/decision.h"

namespace correlator::report {

// Points into what it was made of.
struct DecisionWords {
  struct Line {
    std::string time;
    std::string_view host, text;
    std::string place;  // "a.log:12", empty if it stands in no file
  };
  std::string_view urgency, rule, why, action, fate, reason, id;
  std::string time, key;
  std::vector<std::string> argv;
  std::vector<std::string_view> input;  // lines on the script's stdin
  std::vector<Line> evidence;
  std::uint64_t evidence_total = 0;
};

DecisionWords words_of(const engine::Decision& decision);
// Leaves out what is not as it should be; may throw Json::exception if the document was changed by hand.
DecisionWords words_of(const Json& document);

}  // namespace correlator::report
