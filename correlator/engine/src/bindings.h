// SPDX-License-Identifier: Apache-2.0
// What the names of an expression are worth while an event is at hand.
#pragma once

#include <span>
#include <vector>

#include "decoder.h"
#include "engine/event.h"
#include "expr/expression.h"
#include "rules/model.h"

namespace correlator::engine {

class EventBindings : public expr::Bindings {
 public:
  EventBindings(const rules::RuleSet& rules, const Fields& fields, const Questions& questions)
      : rules_(rules), fields_(fields), questions_(questions) {}

  // Values of `let`s and of the earlier steps of a sequence, where there are such.
  void overlay(const Fields* lets) { lets_ = lets; }
  void bound(std::span<const Fields> steps) { steps_ = steps; }
  void locals(std::span<const expr::Value> values) { locals_ = values; }  // by LocalName
  void arguments(std::span<const expr::Value> values) {
    arguments_ = values;
  }  // `with` of the step, in its order

  expr::Value symbol(std::uint32_t slot) const override;
  const expr::Value& look(std::uint32_t slot, expr::Value& scratch) const override;
  expr::Value call(std::uint32_t function, std::span<const expr::Value> args,
                   std::string_view column) const override;

 private:
  const expr::Value* find(std::uint32_t slot) const;  // nullptr: none

  const rules::RuleSet& rules_;
  const Fields& fields_;
  const Questions& questions_;
  const Fields* lets_ = nullptr;
  std::span<const Fields> steps_;
  std::span<const expr::Value> locals_, arguments_;
};

// A condition that is none is false.
bool holds(const expr::Expression& condition, const expr::Bindings& bindings);

}  // namespace correlator::engine
