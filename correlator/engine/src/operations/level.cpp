// SPDX-License-Identifier: Apache-2.0
// Level: a value that is no count, above or below a bound, or rising too far within a span.
#include <fmt/format.h>

#include "operations/operation.h"
#include "window/level.h"

namespace correlator::engine {
namespace {

struct LevelState final : OpState {
  window::LevelWindow window;
  std::uint64_t last = 0;
  bool any = false;
};

LevelState& of(const KeyState& key) {
  return static_cast<LevelState&>(*key.op);
}

class LevelOperation final : public Operation {
 public:
  LevelOperation(const rules::Rule& rule, const rules::Level& level)
      : level_(level), cooldown_(rule.cooldown) {
    for (const rules::EventRef& ref : rule.on) parts_.push_back(&ref);
    own_clear_ = rule.clear.kind == rules::Clear::Kind::never;
  }

  OpStateMaker state() const override { return OpStateMaker::of<LevelState>(); }

  Seen observe(KeyState& key, const Occurrence& x, Desk& desk) override {
    const expr::Value value = level_.of.eval(x.names);
    if (value.integer() == nullptr) {
      ++desk.counters().keyless;
      return {std::nullopt, false, false};
    }
    LevelState& state = of(key);
    state.last = *value.integer();
    state.any = true;
    const auto [holds, have] = judge(state, x, *value.integer(), desk);
    const Timestamp old = desk.clock() - horizon_span() - desk.options().late;
    key.trail.drop_before(old + Duration{1}, desk.evidence());
    key.trail.add(x.event, desk.evidence());
    if (!holds) return {std::nullopt, own_clear_ && key.open != nullptr};
    if (key.open != nullptr) return {};
    Hit hit{x.event.time, x.event.time, x.event.time, have, {}, std::nullopt, nullptr};
    if (level_.kind == rules::Level::Kind::rises_by) hit.first = x.event.time - level_.within + Duration{1};
    hit.why = words(have, x.event.time);
    return {std::move(hit), false};
  }

  std::optional<Hit> closed(KeyState& key, Closing how, Timestamp at, Desk& desk) override {
    if (how == Closing::quiet) {
      of(key).window.forget_until(at - Duration{1});
      key.trail.drop_before(at, desk.evidence());
    }
    if (how == Closing::start_over) {
      of(key).window.clear();
      of(key).any = false;
      key.trail.clear(desk.evidence());
    }
    return std::nullopt;
  }

  std::optional<Duration> horizon(const Options& options) const override {
    return horizon_span() + options.late;
  }
  bool idle(const KeyState& key) const override { return !of(key).any && of(key).window.empty(); }

  Standing standing(const KeyState& key) const override {
    const LevelState& state = of(key);
    std::uint64_t have = state.last;
    if (level_.kind == rules::Level::Kind::rises_by && !state.window.empty()) {
      std::uint64_t lowest = UINT64_MAX;
      for (const window::Pair& pair : state.window.values()) lowest = std::min(lowest, pair.weight);
      have = state.last > lowest ? state.last - lowest : 0;
    }
    return {have, level_.bound,
            fmt::format("{} is at {}, {} {}", level_.of.text(), state.last, verb(), level_.bound)};
  }

  void encode(const KeyState& key, const rules::RuleSet&, std::string& out) const override {
    const LevelState& state = of(key);
    out += "[";
    out += state.any ? std::to_string(state.last) : "null";
    out += ",";
    state.window.encode(out);
    out += "]";
  }
  bool decode(std::string_view text, KeyState& key, Desk&) const override {
    LevelState& state = of(key);
    const std::size_t comma = text.find(',');
    if (text.size() < 4 || text[0] != '[' || comma == std::string_view::npos) return false;
    const std::string_view last = text.substr(1, comma - 1);
    state.any = last != "null";
    if (state.any) state.last = std::strtoull(std::string(last).c_str(), nullptr, 10);
    text.remove_prefix(comma + 1);
    auto window = window::LevelWindow::decode(text);
    if (!window) return false;
    state.window = std::move(*window);
    return true;
  }

 private:
  struct Judged {
    bool holds = false;
    std::uint64_t have = 0;
  };
  Judged judge(LevelState& state, const Occurrence& x, std::uint64_t value, Desk& desk) const {
    switch (level_.kind) {
      case rules::Level::Kind::above:
        return {value > level_.bound, value};
      case rules::Level::Kind::below:
        return {value < level_.bound, value};
      case rules::Level::Kind::rises_by:
        break;
    }
    state.window.forget_until(desk.clock() - level_.within - desk.options().late);
    const std::uint64_t rise = state.window.add(x.event.time, value, level_.within);
    return {rise >= level_.bound, rise};
  }

  Duration horizon_span() const { return std::max(level_.within, cooldown_); }
  const char* verb() const {
    switch (level_.kind) {
      case rules::Level::Kind::above:
        return "fires above";
      case rules::Level::Kind::below:
        return "fires below";
      default:
        return "fires when it rises by";
    }
  }
  std::string words(std::uint64_t have, Timestamp time) const {
    switch (level_.kind) {
      case rules::Level::Kind::above:
        return fmt::format("{} is {}, above {},{{key}} at {}", level_.of.text(), have, level_.bound,
                           to_rfc3339(time));
      case rules::Level::Kind::below:
        return fmt::format("{} is {}, below {},{{key}} at {}", level_.of.text(), have, level_.bound,
                           to_rfc3339(time));
      default:
        return fmt::format("{} rose by {} in {}, {} or more,{{key}} at {}", level_.of.text(), have,
                           to_string(level_.within), level_.bound, to_rfc3339(time));
    }
  }

  rules::Level level_;
  Duration cooldown_;
  bool own_clear_ = true;
};

}  // namespace

std::unique_ptr<Operation> make_level(const rules::Rule& rule, const rules::Level& level) {
  return std::make_unique<LevelOperation>(rule, level);
}

}  // namespace correlator::engine
