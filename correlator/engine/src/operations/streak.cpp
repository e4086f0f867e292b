// SPDX-License-Identifier: Apache-2.0
// Streak: so many in a row, in the order of arrival, without a break.
#include <fmt/format.h>

#include "operations/operation.h"
#include "window/tumbling.h"

namespace correlator::engine {
namespace {

struct StreakState final : OpState {
  window::Streak run;
};

StreakState& of(const KeyState& key) {
  return static_cast<StreakState&>(*key.op);
}

class StreakOperation final : public Operation {
 public:
  StreakOperation(const rules::Rule& rule, const rules::Streak& streak)
      : count_(streak.count), broken_by_(streak.broken_by) {
    for (const rules::EventRef& ref : rule.on) parts_.push_back(&ref);
  }

  OpStateMaker state() const override { return OpStateMaker::of<StreakState>(); }
  const rules::EventRef* broken_by() const override { return &broken_by_; }

  Seen observe(KeyState& key, const Occurrence& x, Desk& desk) override {
    key.trail.add(x.event, desk.evidence());
    const bool reached = of(key).run.add(x.event.weight, count_);
    if (!reached || key.open != nullptr) return {};
    Hit hit{x.event.time, Timestamp::min(), Timestamp::max(), of(key).run.length(),
            {},           std::nullopt,     nullptr};
    hit.why =
        fmt::format("{} {} of {} in a row{{key}}: the {} at {}", hit.have, class_name(x.event, desk.rules()),
                    count_, ordinal(hit.have), to_rfc3339(x.event.time));
    return {std::move(hit), false};
  }

  void broken(KeyState& key, Desk& desk) override {
    of(key).run.broken();
    key.trail.clear(desk.evidence());
  }

  std::optional<Hit> closed(KeyState& key, Closing, Timestamp, Desk& desk) override {
    broken(key, desk);
    return std::nullopt;
  }

  std::optional<Duration> horizon(const Options&) const override { return std::nullopt; }
  bool idle(const KeyState& key) const override { return of(key).run.empty(); }
  Standing standing(const KeyState& key) const override {
    const std::uint64_t have = of(key).run.length();
    return {have, count_, fmt::format("{} of {} in a row", have, count_)};
  }

  void encode(const KeyState& key, const rules::RuleSet&, std::string& out) const override {
    of(key).run.encode(out);
  }
  bool decode(std::string_view text, KeyState& key, Desk&) const override {
    auto run = window::Streak::decode(text);
    if (!run) return false;
    of(key).run = *run;
    return true;
  }

 private:
  std::uint64_t count_;
  rules::EventRef broken_by_;
};

}  // namespace

std::unique_ptr<Operation> make_streak(const rules::Rule& rule, const rules::Streak& streak) {
  return std::make_unique<StreakOperation>(rule, streak);
}

}  // namespace correlator::engine
