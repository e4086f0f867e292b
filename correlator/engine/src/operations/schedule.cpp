// SPDX-License-Identifier: Apache-2.0
// Schedule: fires at the minutes of a cron expression, without any event.
#include <fmt/format.h>

#include <deque>

#include "cron.h"
#include "operations/operation.h"

namespace correlator::engine {
namespace {

constexpr std::size_t kMostAtOnce = 1'000;

struct ScheduleState final : OpState {
  Timestamp done = Timestamp::min();    // minutes up to here are decided or were not in force
  Timestamp looked = Timestamp::min();  // how far skip() looked: it need not look twice
};

ScheduleState& of(const KeyState& key) {
  return static_cast<ScheduleState&>(*key.op);
}

class ScheduleOperation final : public Operation {
 public:
  explicit ScheduleOperation(const rules::Schedule& schedule) : cron_(schedule.cron) {}

  OpStateMaker state() const override { return OpStateMaker::of<ScheduleState>(); }
  bool latches() const override { return false; }
  TimerKind timer_kind() const override { return TimerKind::schedule; }
  Seen observe(KeyState&, const Occurrence&, Desk&) override { return {}; }

  void in_force(Timestamp since, Desk& desk) override {
    KeyState& key = desk.key({});
    if (of(key).done == Timestamp::min()) of(key).done = since;
    if (const auto at = deadline(key, desk)) desk.arm(key, *at);
  }

  void on_timer(KeyState& key, Timestamp at, Desk& desk) override {
    // The clock may have leapt over more minutes than can be told apart in a mail: the latest are decided.
    const Timestamp due = desk.clock_goal() - desk.options().disorder;
    ScheduleState& state = of(key);
    if (at > due) return;
    if (state.looked < due) {
      state.looked = due;
      at = skip(state.done, due, desk).value_or(at);
    }
    state.done = at;
    if (const auto next = deadline(key, desk)) desk.arm(key, *next);
    Hit hit{at,
            at,
            at,
            0,
            fmt::format("the schedule \"{}\" at {}", cron_.text, to_rfc3339(at)),
            Evidence{},
            std::make_shared<Scene>()};
    desk.fire(key, std::move(hit));
  }

  bool has_timers() const override { return true; }
  std::optional<Timestamp> deadline(const KeyState& key, const Desk&) const override {
    if (of(key).done == Timestamp::min()) return std::nullopt;
    return next_minute(cron_, of(key).done);
  }

  std::optional<Hit> closed(KeyState&, Closing, Timestamp, Desk&) override { return std::nullopt; }
  std::optional<Duration> horizon(const Options&) const override { return std::nullopt; }
  bool idle(const KeyState&) const override { return false; }
  Standing standing(const KeyState& key) const override {
    const auto next = next_minute(cron_, of(key).done);
    return {0, 1, next ? "next at " + to_rfc3339(*next) : "never again"};
  }
  void encode(const KeyState& key, const rules::RuleSet&, std::string& out) const override {
    out += fmt::format("[{}]", of(key).done.us);
  }
  bool decode(std::string_view text, KeyState& key, Desk&) const override {
    if (text.size() < 3 || text[0] != '[') return false;
    of(key).done.us = std::strtoll(std::string(text.substr(1)).c_str(), nullptr, 10);
    return true;
  }

 private:
  // With more than kMostAtOnce minutes in (done, due]: the first one that is still decided.
  std::optional<Timestamp> skip(Timestamp done, Timestamp due, Desk& desk) const {
    // Fewer minutes than the limit cannot hold more.
    if (due - done < Duration::minutes(static_cast<std::int64_t>(kMostAtOnce))) return std::nullopt;
    std::deque<Timestamp> latest;
    std::uint64_t dropped = 0;
    for (auto at = next_minute(cron_, done); at && *at <= due; at = next_minute(cron_, *at)) {
      latest.push_back(*at);
      if (latest.size() > kMostAtOnce) {
        latest.pop_front();
        ++dropped;
      }
    }
    desk.counters().evicted += dropped;
    if (dropped == 0) return std::nullopt;
    return latest.front();
  }

  rules::Cron cron_;
};

}  // namespace

std::unique_ptr<Operation> make_schedule(const rules::Rule&, const rules::Schedule& schedule) {
  return std::make_unique<ScheduleOperation>(schedule);
}

}  // namespace correlator::engine
