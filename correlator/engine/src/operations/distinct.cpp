// SPDX-License-Identifier: Apache-2.0
// Distinct: so many different values in one span.
#include <fmt/format.h>

#include "base/text.h"
#include "key_text.h"
#include "operations/operation.h"
#include "window/distinct.h"

namespace correlator::engine {
namespace {

struct DistinctState final : OpState {
  window::DistinctWindow window;
};

DistinctState& of(const KeyState& key) {
  return static_cast<DistinctState&>(*key.op);
}

class DistinctOperation final : public Operation {
 public:
  DistinctOperation(const rules::Rule& rule, const rules::Distinct& distinct)
      : distinct_(distinct), cooldown_(rule.cooldown) {
    for (const rules::EventRef& ref : rule.on) parts_.push_back(&ref);
    for (const expr::Expression& part : distinct_.of) append_item(what_, ", ", part.text());
  }

  OpStateMaker state() const override { return OpStateMaker::of<DistinctState>(); }

  Seen observe(KeyState& key, const Occurrence& x, Desk& desk) override {
    const auto value = value_of(x);
    if (!value) {
      ++desk.counters().keyless;
      return {std::nullopt, false, false};
    }
    window::DistinctWindow& window = of(key).window;
    if (key.open != nullptr) {
      key.trail.add(x.event, desk.evidence());
      if (window.keep(x.event.time, *value)) ++desk.counters().evicted;
      return {};
    }
    const Timestamp old = desk.clock() - distinct_.within - desk.options().late;
    window.forget_until(old);
    key.trail.drop_before(old + Duration{1}, desk.evidence());
    key.trail.add(x.event, desk.evidence());
    auto added = window.add(x.event.time, *value, distinct_.count, distinct_.within);
    if (added.evicted) ++desk.counters().evicted;
    if (!added.reached) return {};
    return {hit(key, *added.reached, x.event.time), false};
  }

  rules::Clear default_clear() const override {
    rules::Clear clear;
    clear.kind = rules::Clear::Kind::quiet_for;
    clear.quiet_for = distinct_.within;
    return clear;
  }
  void pairs(const KeyState& key, Timestamp from, window::SlidingWindow& into,
             std::uint64_t limit) const override {
    for (const Timestamp time : of(key).window.times()) {
      if (from <= time) into.keep(time, 1, limit);
    }
  }

  std::optional<Hit> closed(KeyState& key, Closing how, Timestamp at, Desk& desk) override {
    window::DistinctWindow& window = of(key).window;
    if (how != Closing::quiet) {
      window.clear();
      key.trail.clear(desk.evidence());
      return std::nullopt;
    }
    window.drop_before(at);
    key.trail.drop_before(at, desk.evidence());
    const auto reached = window.first_reached(distinct_.count, distinct_.within);
    if (!reached) return std::nullopt;
    return hit(key, *reached, reached->last);
  }

  std::optional<Duration> horizon(const Options& options) const override {
    return std::max(distinct_.within, cooldown_) + options.late;
  }
  bool idle(const KeyState& key) const override { return of(key).window.empty(); }

  Standing standing(const KeyState& key) const override {
    const window::DistinctWindow& window = of(key).window;
    Standing out{0, distinct_.count, {}};
    if (const auto newest = window.newest()) out.have = window.values_in(*newest - distinct_.within, *newest);
    out.text =
        fmt::format("{} different {} of {} in {}", out.have, what_, out.need, to_string(distinct_.within));
    return out;
  }

  void encode(const KeyState& key, const rules::RuleSet&, std::string& out) const override {
    of(key).window.encode(out);
  }
  bool decode(std::string_view text, KeyState& key, Desk&) const override {
    auto window = window::DistinctWindow::decode(text);
    if (!window) return false;
    of(key).window = std::move(*window);
    return true;
  }

 private:
  // One value stands as its text, several as their texts with a separator that no log line carries.
  std::optional<std::string> value_of(const Occurrence& x) const {
    std::string out;
    for (std::size_t i = 0; i < distinct_.of.size(); ++i) {
      const expr::Value value = distinct_.of[i].eval(x.names);
      if (value.is_none()) return std::nullopt;
      if (i > 0) out += '\x1f';
      out += expr::to_text(value);
    }
    return out;
  }

  Hit hit(const KeyState& key, const window::Reached& reached, Timestamp time) const {
    std::string names;
    std::size_t shown = 0;
    for (const std::string_view value :
         of(key).window.values(reached.last - distinct_.within, reached.last)) {
      if (++shown > 8) {
        names += ", …";
        break;
      }
      std::string text(shorten(value, 64));
      for (char& c : text) c = c == '\x1f' ? '/' : c;
      append_item(names, ", ", text);
    }
    Hit out{time, reached.first, reached.last, reached.total, {}, std::nullopt, nullptr};
    out.why = fmt::format("{} different {} of {} in {}{{key}}: {}; the first at {}, the {} at {}",
                          reached.total, what_, distinct_.count, to_string(distinct_.within), names,
                          to_rfc3339(reached.first), "last", to_rfc3339(reached.last));
    return out;
  }

  rules::Distinct distinct_;
  Duration cooldown_;
  std::string what_;
};

}  // namespace

std::unique_ptr<Operation> make_distinct(const rules::Rule& rule, const rules::Distinct& distinct) {
  return std::make_unique<DistinctOperation>(rule, distinct);
}

}  // namespace correlator::engine
