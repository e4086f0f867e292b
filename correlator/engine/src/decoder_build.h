// SPDX-License-Identifier: Apache-2.0
// From the fields of a line or a record to an event: lets, class, severity, part, weight (semantics.md,
// section 3).
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "decoder.h"
#include "decoder_weight.h"
#include "engine/event.h"
#include "rules/model.h"

namespace correlator::engine {

class EventBuilder {
 public:
  EventBuilder(const rules::RuleSet& rules, const Questions& questions, Increases& increases);

  // Computes the lets of `def` into `fields`.
  void add_lets(const rules::EventDef& def, Fields& fields) const;
  bool holds(const expr::Expression& condition, const Fields& fields) const;

  enum class Outcome {
    event,
    nothing,     // weight 0
    incomplete,  // no class, or a required field is missing
    unknown,     // the class template gave what is no class: `event` is pack.unknown-value, if there is that
                 // class
  };
  // Expects time, late and fields (lets included) in `event` and fills in the rest, all that follows from the
  // lines aside. `times`: how often the line was repeated. Changes a cumulative counter only with outcome
  // event or nothing.
  Outcome build(const rules::EventDef& def, std::uint64_t times, Event& event) const;

  // A line that pretends to be the kernel's; false if the rule set has no class for it. Expects time, late
  // and fields.
  bool forged(Event& event) const;

  // After the weight changed.
  static void set_weight(Event& event, std::uint64_t weight);

 private:
  const rules::ClassArm* choose(const rules::EventDef& def, const Fields& fields, rules::ClassArm& from_text,
                                std::string& text) const;
  bool finish(Event& event, rules::ClassId cls) const;
  std::uint64_t weight(const rules::EventDef& def, std::uint64_t times, const Event& event) const;

  const rules::RuleSet& rules_;
  const Questions& questions_;
  Increases& increases_;
  std::unordered_map<std::string_view, rules::ClassId> classes_;
  std::optional<rules::ClassId> forged_, unknown_;
  rules::FieldId event_field_, value_field_;
};

}  // namespace correlator::engine
