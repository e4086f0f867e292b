// SPDX-License-Identifier: Apache-2.0
// context=: names of live contexts, entries of the match cache, tests of values, code.
#include <algorithm>

#include "core.h"
#include "rules/field_test.h"

namespace correlator::engine {

using rules::procedure::Condition;

namespace {

// Parameters as values, or as entries of the match cache.
class Parameters final : public rules::FieldSource {
 public:
  Parameters(Procedure::Core& core, const Condition& condition, const Scope& scope) {
    for (const std::string& word : condition.words) {
      bool from_log = false;
      texts_.push_back(core.match_text(word, scope, from_log));
      const auto entry = core.cache->find(texts_.back());
      entries_.push_back(entry == core.cache->end() ? nullptr : entry->second);
    }
    by_entry_ = condition.kind == Condition::Kind::entries;
    if (by_entry_ && condition.test == nullptr) core.own_entries(texts_, entries_);
  }

  std::optional<std::string> parameter(std::size_t i) const override {
    return i < texts_.size() && !by_entry_ ? std::optional(texts_[i]) : std::nullopt;
  }
  std::optional<std::string> field(std::size_t i, std::string_view name) const override {
    const ScriptValue* value = i < entries_.size() && entries_[i] != nullptr ? entries_[i]->find(name) : nullptr;
    return value == nullptr ? std::nullopt : *value;
  }
  bool has_field(std::size_t i, std::string_view name) const override {
    return i < entries_.size() && entries_[i] != nullptr && entries_[i]->find(name) != nullptr;
  }
  bool has_entry(std::size_t i) const override { return i < entries_.size() && entries_[i] != nullptr; }

  std::vector<ScriptArgument> arguments() const {
    std::vector<ScriptArgument> out;
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (by_entry_) out.push_back({{}, entries_[i].get()});
      else out.push_back({texts_[i]});
    }
    return out;
  }

 private:
  std::vector<std::string> texts_;
  std::vector<std::shared_ptr<Bindings>> entries_;
  bool by_entry_ = false;
};

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
      const Parameters parameters(*this, condition, scope);
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
