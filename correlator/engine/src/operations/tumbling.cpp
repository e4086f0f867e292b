// SPDX-License-Identifier: Apache-2.0
// Count in fixed buckets of time. The case of a bucket ends with it.
#include <fmt/format.h>

#include "operations/operation.h"
#include "window/tumbling.h"

namespace correlator::engine {
namespace {

struct BucketState final : OpState {
  window::TumblingWindow window;
  Timestamp fired = Timestamp::min();  // begin of the last bucket that fired: it fires once
};

BucketState& of(const KeyState& key) {
  return static_cast<BucketState&>(*key.op);
}

class TumblingOperation final : public Operation {
 public:
  TumblingOperation(const rules::Rule& rule, const rules::Count& count)
      : count_(count), cooldown_(rule.cooldown) {
    for (const rules::EventRef& ref : rule.on) parts_.push_back(&ref);
  }

  OpStateMaker state() const override { return OpStateMaker::of<BucketState>(); }
  bool latches() const override { return !count_.rearm_at_once; }

  Seen observe(KeyState& key, const Occurrence& x, Desk& desk) override {
    std::uint64_t w = x.event.weight;
    if (count_.weight) {
      const expr::Value value = count_.weight->eval(x.names);
      w = value.integer() != nullptr ? *value.integer() : 1;
    }
    if (w == 0) return {std::nullopt, false, false};
    window::TumblingWindow& window = of(key).window;
    const Timestamp begin = window::bucket_begin(x.event.time, count_.threshold.within);
    if (!window.empty() && begin < window.begin()) {
      ++desk.counters().late;
      return {};
    }
    if (!window.empty() && window.begin() < begin) {
      if (key.open != nullptr)
        desk.close(key, window.end(count_.threshold.within), Closing::quiet, "the bucket ended");
      window.clear();
      key.trail.clear(desk.evidence());
    }
    key.trail.add(x.event, desk.evidence());
    const auto added = window.add(x.event.time, w, count_.threshold.count, count_.threshold.within);
    if (added.outcome != window::TumblingWindow::Outcome::reached || key.open != nullptr ||
        of(key).fired == window.begin()) {
      return {};
    }
    Hit hit{x.event.time, window.begin(), window.end(count_.threshold.within), window.total(), {},
            std::nullopt, nullptr};
    hit.why = fmt::format("{} {} of {}{{key}} in the {} from {} on", window.total(),
                          class_name(x.event, desk.rules()), count_.threshold.count,
                          to_string(count_.threshold.within), to_rfc3339(window.begin()));
    return {std::move(hit), false};
  }

  void fired(KeyState& key, Desk& desk) override {
    if (!count_.rearm_at_once) {
      of(key).fired = of(key).window.begin();
      return;
    }
    of(key).window.restart();
    key.trail.clear(desk.evidence());
  }

  std::optional<Timestamp> fixed_end(const KeyState& key) const override {
    return of(key).window.end(count_.threshold.within);
  }

  std::optional<Hit> closed(KeyState& key, Closing how, Timestamp at, Desk& desk) override {
    // A bucket that was over with the case is over, also of a window that the case of another latched.
    if (how == Closing::quiet && !of(key).window.empty() && of(key).window.end(count_.threshold.within) <= at)
      of(key).fired = of(key).window.begin();
    if (how == Closing::start_over) {
      of(key).window.restart();
      of(key).fired = Timestamp::min();
      key.trail.clear(desk.evidence());
    }
    return std::nullopt;
  }

  std::optional<Duration> horizon(const Options& options) const override {
    return std::max(count_.threshold.within, cooldown_) + options.late;
  }
  bool idle(const KeyState& key) const override { return of(key).window.empty(); }

  Standing standing(const KeyState& key) const override {
    const window::TumblingWindow& window = of(key).window;
    Standing out{window.total(), count_.threshold.count, {}};
    out.text = fmt::format("{} of {} in the bucket from {} to {}", out.have, out.need,
                           to_rfc3339(window.begin()), to_rfc3339(window.end(count_.threshold.within)));
    return out;
  }

  void encode(const KeyState& key, const rules::RuleSet&, std::string& out) const override {
    out += "[";
    of(key).window.encode(out);
    out += of(key).fired == Timestamp::min() ? ",null]" : fmt::format(",{}]", of(key).fired.us);
  }
  bool decode(std::string_view text, KeyState& key, Desk&) const override {
    if (text.empty() || text[0] != '[') return false;
    text.remove_prefix(1);
    auto window = window::TumblingWindow::decode(text);
    if (!window || text.empty() || text[0] != ',') return false;
    of(key).window = *window;
    text.remove_prefix(1);
    if (!text.starts_with("null")) of(key).fired.us = std::strtoll(std::string(text).c_str(), nullptr, 10);
    return true;
  }

 private:
  rules::Count count_;
  Duration cooldown_;
};

}  // namespace

std::unique_ptr<Operation> make_tumbling(const rules::Rule& rule, const rules::Count& count) {
  return std::make_unique<TumblingOperation>(rule, count);
}

}  // namespace correlator::engine
