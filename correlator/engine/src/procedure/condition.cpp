// SPDX-License-Identifier: Apache-2.0
// context=: names of live contexts, entries of the match cache, tests of values, code.
#include <algorithm>

#include "core.h"
#include "parameters.h"

namespace correlator::engine {

using rules::procedure::Condition;

namespace {

bool truth_of(Procedure::Core& core, const ScriptResult& result) {
  if (result.failed) {
    core.say(2, "code of a context expression failed: " + result.error);
    return false;
  }
  if (result.fields || result.function) return true;
  return !result.values.empty() && rules::is_true(result.values.back());
}

}  // namespace

bool Procedure::Core::holds(const Condition& condition, const Scope& scope) {
  bool from_log = false;
  switch (condition.kind) {
    case Condition::Kind::context: return alive(condition.constant ? condition.text : match_text(condition.text, scope, from_log));
    case Condition::Kind::entry: return cache->contains(condition.constant ? condition.text : match_text(condition.text, scope, from_log));
    case Condition::Kind::negation: return !holds(condition.parts.front(), scope);
    case Condition::Kind::all:
      return std::all_of(condition.parts.begin(), condition.parts.end(), [&](const Condition& part) { return holds(part, scope); });
    case Condition::Kind::any:
      return std::any_of(condition.parts.begin(), condition.parts.end(), [&](const Condition& part) { return holds(part, scope); });
    case Condition::Kind::values:
    case Condition::Kind::entries: {
      std::vector<std::string> texts;
      for (const std::string& word : condition.words) texts.push_back(match_text(word, scope, from_log));
      const Parameters parameters(*this, std::move(texts), condition.kind == Condition::Kind::entries, condition.test == nullptr);
      if (condition.test != nullptr) return rules::is_true(condition.test->evaluate(parameters));
      if (options.scripts == nullptr) return false;
      return truth_of(*this, options.scripts->call(condition.code->number, parameters.arguments(), false));
    }
    case Condition::Kind::source: {
      if (options.scripts == nullptr) return false;
      Setting setting;
      setting.scope = scope;
      std::vector<std::string> values;
      const std::string source = code(condition.text, setting, false, values);
      return truth_of(*this, options.scripts->evaluate(source, values, false));
    }
  }
  return false;
}

}  // namespace correlator::engine
