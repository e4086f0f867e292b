// SPDX-License-Identifier: Apache-2.0
// Absence, heartbeat form: a key that used to speak, or that a lookup says must speak, is silent.
#include <fmt/format.h>

#include <set>

#include "key_text.h"
#include "operations/operation.h"
#include "window/absence.h"

namespace correlator::engine {
namespace {

struct HeartbeatState final : OpState {
  window::Heartbeat window;
  Timestamp due = Timestamp::max();  // before the first beat
  bool told = false;                 // this silence fired already
};

HeartbeatState& of(const KeyState& key) {
  return static_cast<HeartbeatState&>(*key.op);
}

class HeartbeatOperation final : public Operation {
 public:
  HeartbeatOperation(const rules::Rule& rule, const rules::Absence& absence) : absence_(absence) {
    for (const rules::EventRef& ref : absence_.of) parts_.push_back(&ref);
    own_clear_ = rule.clear.kind == rules::Clear::Kind::never;
    if (rule.key.size() != 1) absence_.expected_lookup.reset();
  }

  OpStateMaker state() const override { return OpStateMaker::of<HeartbeatState>(); }
  bool wants_lookup(std::uint32_t lookup) const override { return absence_.expected_lookup == lookup; }

  Seen observe(KeyState& key, const Occurrence& x, Desk& desk) override {
    HeartbeatState& state = of(key);
    // Whom nobody expects need not be remembered.
    if (absence_.expected_lookup && !expected(key)) return {std::nullopt, false, false};
    // A line from before the last one is no sign of life since.
    if (state.window.last() && x.event.time <= *state.window.last()) return {};
    key.trail.clear(desk.evidence());
    key.trail.add(x.event, desk.evidence());
    state.window.beat(x.event.time);
    state.told = false;
    if (key.open == nullptr) desk.arm(key, at(state));
    return {std::nullopt, own_clear_ && key.open != nullptr};
  }

  void on_timer(KeyState& key, Timestamp due, Desk& desk) override {
    HeartbeatState& state = of(key);
    if (key.open != nullptr) return;
    if (at(state) > due) return desk.arm(key, at(state));
    state.told = true;
    const auto last = state.window.last();
    Hit hit{due, last.value_or(due), last.value_or(due), 0, {}, key.trail.all(), std::make_shared<Scene>()};
    hit.why = last ? fmt::format("no {} for {}{{key}}: the last was at {}", what(),
                                 to_string(absence_.within), to_rfc3339(*last))
                   : fmt::format("{}{{key}} never came, {} after it was first expected", what(),
                                 to_string(absence_.within + absence_.grace));
    desk.fire(key, std::move(hit));
  }

  bool has_timers() const override { return true; }
  std::optional<Timestamp> deadline(const KeyState& key, const Desk&) const override {
    if (key.open != nullptr || (absence_.expected_lookup && !expected(key))) return std::nullopt;
    return at(of(key)) == Timestamp::max() ? std::nullopt : std::optional(at(of(key)));
  }

  // Keys that must speak get their first deadline, keys that need not any more are forgotten.
  void in_force(Timestamp since, Desk& desk) override {
    if (!absence_.expected_lookup) return;
    const rules::LookupTable* table = desk.table(*absence_.expected_lookup);
    names_.clear();
    if (table != nullptr) {
      for (const auto& row : table->rows) {
        if (absence_.expected_column < row.size()) names_.insert(row[absence_.expected_column]);
      }
    }
    for (KeyState* key : desk.keys()) {
      if (!expected(*key)) desk.forget(*key);
    }
    for (const std::string& name : names_) {
      const expr::Value value(name);
      KeyState& key = desk.key(std::span(&value, 1));
      HeartbeatState& state = of(key);
      if (state.window.empty() && state.due == Timestamp::max())
        state.due = since + absence_.within + absence_.grace;
      if (key.open == nullptr) desk.arm(key, at(state));
    }
  }

  std::optional<Hit> closed(KeyState& key, Closing how, Timestamp, Desk& desk) override {
    if (how == Closing::start_over) {
      // It is expected again from now on.
      of(key).window = {};
      of(key).due = desk.clock() + absence_.within;
      of(key).told = false;
      key.trail.clear(desk.evidence());
    }
    desk.arm(key, at(of(key)));
    return std::nullopt;
  }

  std::optional<Duration> horizon(const Options&) const override { return std::nullopt; }
  bool idle(const KeyState& key) const override {
    return of(key).window.empty() && of(key).due == Timestamp::max();
  }

  Standing standing(const KeyState& key) const override {
    const HeartbeatState& state = of(key);
    Standing out;
    out.text = state.window.last() ? fmt::format("last at {}; silent from {} on",
                                                 to_rfc3339(*state.window.last()), to_rfc3339(silent_from(state)))
                                   : fmt::format("never came; expected until {}", to_rfc3339(silent_from(state)));
    return out;
  }

  void encode(const KeyState& key, const rules::RuleSet&, std::string& out) const override {
    const HeartbeatState& state = of(key);
    out += "[";
    state.window.encode(out);
    out += state.due == Timestamp::max() ? ",null" : fmt::format(",{}", state.due.us);
    out += state.told ? ",1]" : ",0]";
  }
  bool decode(std::string_view text, KeyState& key, Desk&) const override {
    if (text.empty() || text[0] != '[') return false;
    text.remove_prefix(1);
    auto window = window::Heartbeat::decode(text);
    if (!window || text.empty() || text[0] != ',') return false;
    of(key).window = *window;
    text.remove_prefix(1);
    of(key).told = text.ends_with(",1]");
    if (!text.starts_with("null")) of(key).due.us = std::strtoll(std::string(text).c_str(), nullptr, 10);
    return true;
  }

 private:
  // When its silence fires; once.
  Timestamp at(const HeartbeatState& state) const { return state.told ? Timestamp::max() : silent_from(state); }
  Timestamp silent_from(const HeartbeatState& state) const {
    if (state.window.last()) return *state.window.last() + absence_.within;
    return state.due;
  }
  std::string what() const {
    std::string out;
    for (const rules::EventRef& ref : absence_.of) append_item(out, " or ", ref.text);
    return out;
  }
  bool expected(const KeyState& key) const {
    const std::vector<expr::Value> values = unpack(key.key());
    return !values.empty() && names_.contains(expr::to_text(values[0]));
  }

  rules::Absence absence_;
  std::set<std::string, std::less<>> names_;  // that are expected
  bool own_clear_ = true;
};

}  // namespace

std::unique_ptr<Operation> make_heartbeat(const rules::Rule& rule, const rules::Absence& absence) {
  return std::make_unique<HeartbeatOperation>(rule, absence);
}

}  // namespace correlator::engine
