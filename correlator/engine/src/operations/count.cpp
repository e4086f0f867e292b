// SPDX-License-Identifier: Apache-2.0
// Sliding count and rate: "10 in 24h" over the newest N pairs.
#include <fmt/format.h>

#include <algorithm>

#include "operations/operation.h"
#include "window/sliding.h"

namespace correlator::engine {
namespace {

struct CountState final : OpState {
  window::SlidingWindow window;
};

CountState& of(const KeyState& key) {
  return static_cast<CountState&>(*key.op);
}

class CountOperation final : public Operation {
 public:
  CountOperation(const rules::Rule& rule, const rules::Threshold& raise,
                 std::optional<rules::Threshold> below, const std::optional<expr::Expression>& weight,
                 bool at_once)
      : raise_(raise), below_(below), weight_(weight), at_once_(at_once), cooldown_(rule.cooldown) {
    for (const rules::EventRef& ref : rule.on) parts_.push_back(&ref);
  }

  OpStateMaker state() const override { return OpStateMaker::of<CountState>(); }
  bool latches() const override { return !at_once_; }

  Seen observe(KeyState& key, const Occurrence& x, Desk& desk) override {
    const std::uint64_t w = weight(x);
    if (w == 0) return {std::nullopt, false, false};
    window::SlidingWindow& window = of(key).window;
    if (key.open != nullptr) {
      window.keep(x.event.time, w, raise_.count);
      key.trail.add(x.event, desk.evidence());
      trim_trail(key, desk);
      return {};
    }
    window.forget_until(desk.clock() - raise_.within - desk.options().late);
    key.trail.add(x.event, desk.evidence());
    const auto reached = window.add(x.event.time, w, raise_.count, raise_.within);
    if (reached) return {hit(*reached, x.event.time, class_name(x.event, desk.rules())), false};
    trim_trail(key, desk);
    return {};
  }

  void fired(KeyState& key, Desk& desk) override {
    if (at_once_) {
      of(key).window.clear();
      key.trail.clear(desk.evidence());
    } else {
      trim_trail(key, desk);
    }
  }

  rules::Clear default_clear() const override {
    rules::Clear clear;
    clear.kind = rules::Clear::Kind::quiet_for;
    clear.quiet_for = below_ ? below_->within : raise_.within;
    return clear;
  }
  std::optional<rules::Threshold> clear_below() const override { return below_; }

  void pairs(const KeyState& key, Timestamp from, window::SlidingWindow& into,
             std::uint64_t limit) const override {
    for (const window::Pair& pair : of(key).window.pairs()) {
      if (from <= pair.time) into.keep(pair.time, pair.weight, limit);
    }
  }

  std::optional<Hit> closed(KeyState& key, Closing how, Timestamp at, Desk& desk) override {
    window::SlidingWindow& window = of(key).window;
    if (how != Closing::quiet) {
      window.clear();
      key.trail.clear(desk.evidence());
      return std::nullopt;
    }
    window.drop_before(at);
    key.trail.drop_before(at, desk.evidence());
    const auto reached = window.first_reached(raise_.count, raise_.within);
    if (!reached) return std::nullopt;
    return hit(*reached, reached->last, "{what}");
  }

  std::optional<Duration> horizon(const Options& options) const override {
    return std::max(raise_.within, cooldown_) + options.late;
  }
  bool idle(const KeyState& key) const override { return of(key).window.empty(); }

  Standing standing(const KeyState& key) const override {
    const window::SlidingWindow& window = of(key).window;
    Standing out{0, raise_.count, {}};
    if (const auto newest = window.newest()) {
      out.have = window.weight_in(*newest - raise_.within, *newest);
      const Timestamp first = first_in(window, *newest);
      out.text = fmt::format("{} of {} in {}", out.have, raise_.count, to_string(raise_.within));
      if (out.have < raise_.count) {
        out.text +=
            fmt::format("; {} more before {}", raise_.count - out.have, to_rfc3339(first + raise_.within));
      }
    } else {
      out.text = fmt::format("0 of {} in {}", raise_.count, to_string(raise_.within));
    }
    return out;
  }

  std::uint64_t have(const KeyState& key) const override {
    const auto newest = of(key).window.newest();
    return newest ? of(key).window.weight_in(*newest - raise_.within, *newest) : 0;
  }

  void encode(const KeyState& key, const rules::RuleSet&, std::string& out) const override {
    of(key).window.pack(out);
  }
  bool decode(std::string_view text, KeyState& key, Desk&) const override {
    auto window = window::SlidingWindow::decode(text);
    if (!window || !text.empty()) return false;
    of(key).window = std::move(*window);
    return true;
  }

 private:
  std::uint64_t weight(const Occurrence& x) const {
    if (!weight_) return x.event.weight;
    const expr::Value value = weight_->eval(x.names);
    return value.integer() != nullptr ? *value.integer() : 1;
  }

  Timestamp first_in(const window::SlidingWindow& window, Timestamp newest) const {
    for (const window::Pair& pair : window.pairs()) {
      if (newest - pair.time < raise_.within) return pair.time;
    }
    return newest;
  }

  // Lines of pairs that slid out are of no use as evidence.
  void trim_trail(KeyState& key, Desk& desk) const {
    const auto pairs = of(key).window.pairs();
    if (!pairs.empty()) key.trail.drop_before(pairs.front().time, desk.evidence());
  }

  Hit hit(const window::Reached& reached, Timestamp time, std::string_view what) const {
    return {time,
            reached.first,
            reached.last,
            reached.total,
            counted_why(reached.total, what, raise_.count, raise_.within, reached.first, reached.last),
            std::nullopt,
            nullptr};
  }

  rules::Threshold raise_;
  std::optional<rules::Threshold> below_;
  std::optional<expr::Expression> weight_;
  bool at_once_;
  Duration cooldown_;
};

}  // namespace

std::unique_ptr<Operation> make_count(const rules::Rule& rule, const rules::Count& count) {
  return std::make_unique<CountOperation>(rule, count.threshold, std::nullopt, count.weight,
                                          count.rearm_at_once);
}

std::unique_ptr<Operation> make_rate(const rules::Rule& rule, const rules::Rate& rate) {
  return std::make_unique<CountOperation>(rule, rate.raise, rate.clear, std::nullopt, false);
}

}  // namespace correlator::engine
