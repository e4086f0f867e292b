// SPDX-License-Identifier: Apache-2.0
// What a piece of code is called with: texts, or entries of the match cache.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core.h"
#include "rules/field_test.h"

namespace correlator::engine {

class Parameters final : public rules::FieldSource {
 public:
  // `changes`: the code may change entries. What was substituted before does not see that.
  Parameters(Procedure::Core& core, std::vector<std::string> texts, bool by_entry, bool changes) : texts_(std::move(texts)), by_entry_(by_entry) {
    if (!by_entry) return;
    for (const std::string& name : texts_) {
      const auto entry = core.cache->find(name);
      entries_.push_back(entry == core.cache->end() ? nullptr : entry->second);
    }
    if (!changes) return;
    core.cache = std::make_shared<MatchCache>(*core.cache);
    for (std::size_t i = 0; i < texts_.size(); ++i) {
      if (entries_[i] == nullptr) continue;
      entries_[i] = std::make_shared<Bindings>(*entries_[i]);
      (*core.cache)[texts_[i]] = entries_[i];
    }
  }

  std::optional<std::string> parameter(std::size_t i) const override {
    return i < texts_.size() && !by_entry_ ? std::optional(texts_[i]) : std::nullopt;
  }
  std::optional<std::string> field(std::size_t i, std::string_view name) const override {
    const ScriptValue* value = has_entry(i) ? entries_[i]->find(name) : nullptr;
    return value == nullptr ? std::nullopt : *value;
  }
  bool has_field(std::size_t i, std::string_view name) const override { return has_entry(i) && entries_[i]->find(name) != nullptr; }
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
  bool by_entry_;
};

}  // namespace correlator::engine
