// SPDX-License-Identifier: Apache-2.0
#include "emit_graph.h"

#include <fmt/format.h>

#include <algorithm>

namespace correlator::rules {
namespace {

bool waits_for(const Rule& rule, ClassId id) {
  const auto any = [id](const std::vector<EventRef>& references) {
    return std::any_of(references.begin(), references.end(),
                       [id](const EventRef& r) { return r.matches_class(id); });
  };
  if (any(rule.on)) return true;
  if (const auto* sequence = std::get_if<Sequence>(&rule.operation)) return any(sequence->steps);
  if (const auto* absence = std::get_if<Absence>(&rule.operation)) {
    return any(absence->of) || (absence->after && absence->after->matches_class(id));
  }
  if (const auto* group = std::get_if<Group>(&rule.operation)) {
    return std::any_of(group->members.begin(), group->members.end(),
                       [id](const auto& m) { return m.on.matches_class(id); });
  }
  return false;
}

class Walk {
 public:
  Walk(Context& context, const Document& document)
      : context_(context), document_(document), state_(context.set.rules.size()), emitted_(state_.size()) {}

  void run() {
    for (std::uint32_t i = 0; i < state_.size(); ++i) visit(i);
  }

 private:
  enum class State : std::uint8_t { unseen, open, done };

  void visit(std::uint32_t index) {
    const Rule& rule = context_.set.rules[index];
    if (state_[index] != State::unseen || rule.emit.empty()) return;
    state_[index] = State::open;
    path_.push_back(index);
    for (std::uint32_t next = 0; next < state_.size(); ++next) {
      const auto emitted = std::find_if(rule.emit.begin(), rule.emit.end(), [&](const Emit& emit) { return !emit.line && waits_for(context_.set.rules[next], emit.cls); });
      if (emitted == rule.emit.end()) continue;
      emitted_[index] = emitted->cls;
      if (state_[next] == State::open) {
        report(next);
      } else {
        visit(next);
      }
    }
    path_.pop_back();
    state_[index] = State::done;
  }

  void report(std::uint32_t first) {
    std::string way;
    const auto begin = std::find(path_.begin(), path_.end(), first);
    for (auto at = begin; at != path_.end(); ++at) {
      const Rule& rule = context_.set.rules[*at];
      way += fmt::format("{} emits {}, ", rule.id, context_.set.classes[emitted_[*at]].name);
    }
    const Node& node = document_.rules[path_.back()].node;
    const Entry* emit = node.find("emit");
    context_.error("E025", emit ? emit->spot : node.spot,
                   fmt::format("{}which {} waits for: a circle", way, context_.set.rules[first].id),
                   "emit another class, or narrow an `on` down to what lines bring");
  }

  Context& context_;
  const Document& document_;
  std::vector<State> state_;
  std::vector<std::uint32_t> path_;
  std::vector<ClassId> emitted_;  // by rule on the path: what leads to the next one
};

}  // namespace

void check_emit_graph(Context& context, const Document& document) {
  Walk(context, document).run();
}

}  // namespace correlator::rules
