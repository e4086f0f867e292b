// SPDX-License-Identifier: Apache-2.0
// Group: several events, each with a threshold of its own, in one span.
#include <fmt/format.h>

#include "operations/operation.h"
#include "window/group.h"

namespace correlator::engine {
namespace {

struct GroupState final : OpState {
  window::GroupWindow window;
};

GroupState& of(const KeyState& key) {
  return static_cast<GroupState&>(*key.op);
}

class GroupOperation final : public Operation {
 public:
  GroupOperation(const rules::Rule& rule, const rules::Group& group)
      : members_(group.members), within_(group.within), cooldown_(rule.cooldown) {
    for (const rules::Group::Member& member : members_) {
      parts_.push_back(&member.on);
      counts_.push_back(member.count);
    }
  }

  OpStateMaker state() const override { return OpStateMaker::of<GroupState>(); }

  Seen observe(KeyState& key, const Occurrence& x, Desk& desk) override {
    std::vector<std::uint32_t> members;
    for (std::uint32_t i = 0; i < parts_.size(); ++i) {
      if (x.parts >> i & 1) members.push_back(i);
    }
    window::GroupWindow& window = of(key).window;
    if (key.open != nullptr) {
      key.trail.add(x.event, desk.evidence());
      window.keep(x.event.time, x.event.weight, members, counts_);
      return {};
    }
    const Timestamp old = desk.clock() - within_ - desk.options().late;
    window.forget_until(old);
    key.trail.drop_before(old + Duration{1}, desk.evidence());
    key.trail.add(x.event, desk.evidence());
    const auto reached = window.add(x.event.time, x.event.weight, members, counts_, within_);
    if (!reached) return {};
    return {hit(key, *reached, x.event.time), false};
  }

  rules::Clear default_clear() const override {
    rules::Clear clear;
    clear.kind = rules::Clear::Kind::quiet_for;
    clear.quiet_for = within_;
    return clear;
  }
  void pairs(const KeyState& key, Timestamp from, window::SlidingWindow& into,
             std::uint64_t limit) const override {
    for (std::uint32_t i = 0; i < parts_.size(); ++i) {
      for (const window::Pair& pair : of(key).window.pairs(i)) {
        if (from <= pair.time) into.keep(pair.time, pair.weight, limit);
      }
    }
  }

  std::optional<Hit> closed(KeyState& key, Closing how, Timestamp at, Desk& desk) override {
    window::GroupWindow& window = of(key).window;
    if (how != Closing::quiet) {
      window.clear();
      key.trail.clear(desk.evidence());
      return std::nullopt;
    }
    window.drop_before(at);
    key.trail.drop_before(at, desk.evidence());
    const auto reached = window.first_reached(counts_, within_);
    if (!reached) return std::nullopt;
    return hit(key, *reached, reached->last);
  }

  std::optional<Duration> horizon(const Options& options) const override {
    return std::max(within_, cooldown_) + options.late;
  }
  bool idle(const KeyState& key) const override { return of(key).window.empty(); }

  Standing standing(const KeyState& key) const override {
    const window::GroupWindow& window = of(key).window;
    Standing out;
    const Timestamp newest = window.newest().value_or(Timestamp{});
    for (std::uint32_t i = 0; i < counts_.size(); ++i) {
      const std::uint64_t have = window.weight_in(i, newest - within_, newest);
      out.have += std::min(have, counts_[i]);
      out.need += counts_[i];
      out.text += fmt::format("{}{} of {} {}", i > 0 ? ", " : "", have, counts_[i], members_[i].on.text);
    }
    out.text += " in " + to_string(within_);
    return out;
  }

  void encode(const KeyState& key, const rules::RuleSet&, std::string& out) const override {
    of(key).window.encode(out);
  }
  bool decode(std::string_view text, KeyState& key, Desk&) const override {
    auto window = window::GroupWindow::decode(text);
    if (!window) return false;
    of(key).window = std::move(*window);
    return true;
  }

 private:
  Hit hit(const KeyState& key, const window::Reached& reached, Timestamp time) const {
    Hit out{time, reached.first, reached.last, reached.total, {}, std::nullopt, nullptr};
    std::string parts;
    for (std::uint32_t i = 0; i < counts_.size(); ++i) {
      parts += fmt::format("{}{} {} of {}", i > 0 ? ", " : "",
                           of(key).window.weight_in(i, reached.last - within_, reached.last),
                           members_[i].on.text, counts_[i]);
    }
    out.why = fmt::format("{} in {}{{key}}: the first at {}, the last at {}", parts, to_string(within_),
                          to_rfc3339(reached.first), to_rfc3339(reached.last));
    return out;
  }

  std::vector<rules::Group::Member> members_;
  std::vector<std::uint64_t> counts_;
  Duration within_;
  Duration cooldown_;
};

}  // namespace

std::unique_ptr<Operation> make_group(const rules::Rule& rule, const rules::Group& group) {
  return std::make_unique<GroupOperation>(rule, group);
}

}  // namespace correlator::engine
