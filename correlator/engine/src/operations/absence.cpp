// SPDX-License-Identifier: Apache-2.0
// Absence, answer form: something began and what has to follow did not come.
#include <fmt/format.h>

#include <algorithm>

#include "operations/operation.h"
#include "window/absence.h"
#include "base/json.h"

namespace correlator::engine {
namespace {

// What an open wait will be told with when it runs out.
struct Waiting {
  Timestamp since;
  Scene scene;
  Evidence evidence;
};

struct AbsenceState final : OpState {
  window::AbsenceWait window;
  std::vector<Waiting> waiting;        // as many as window.waits(), in the same order
  Timestamp fired = Timestamp::min();  // `after` of the open case
  Fields question;                     // and what it said
};

AbsenceState& of(const KeyState& key) {
  return static_cast<AbsenceState&>(*key.op);
}

class AbsenceOperation final : public Operation {
 public:
  AbsenceOperation(const rules::Rule& rule, const rules::Absence& absence) : absence_(absence) {
    parts_.push_back(&*absence_.after);
    asks_.push_back(false);
    for (const rules::EventRef& ref : absence_.of) {
      parts_.push_back(&ref);
      asks_.push_back(asks_for_earlier(ref));
      any_asks_ = any_asks_ || asks_.back();
    }
    own_clear_ = rule.clear.kind == rules::Clear::Kind::never;
    cooldown_ = rule.cooldown;
  }

  bool judges_where() const override { return any_asks_; }
  OpStateMaker state() const override { return OpStateMaker::of<AbsenceState>(); }

  Seen observe(KeyState& key, const Occurrence& x, Desk& desk) override {
    AbsenceState& state = of(key);
    state.window.forget_answers_until(desk.clock() - desk.options().disorder - absence_.within -
                                      desk.options().late);
    Seen seen;
    for (std::size_t part = 1; part < parts_.size(); ++part) {
      if ((x.parts >> part & 1) == 0) continue;
      if (asks_[part] ? answer_those(key, part, x, desk)
                      : matches(part, x, {}) && answer_all(key, x.event.time, desk)) {
        seen.ends_case = own_clear_ && key.open != nullptr;
      }
    }
    if ((x.parts & 1) != 0 && matches(0, x, {})) wait(state, x, key, desk);
    return seen;
  }

  void on_timer(KeyState& key, Timestamp due, Desk& desk) override {
    AbsenceState& state = of(key);
    const auto since = state.window.first_wait();
    if (!since || *since + absence_.within > due) return rearm(key, desk);
    state.window.pop_wait();
    const Waiting over = std::move(state.waiting.front());
    state.waiting.erase(state.waiting.begin());
    rearm(key, desk);
    if (key.open == nullptr) {
      Hit hit{over.since + absence_.within,       over.since, over.since, 0, {}, over.evidence,
              std::make_shared<Scene>(over.scene)};
      hit.why = fmt::format("no {} within {} after {} at {}{{key}}", answers(), to_string(absence_.within),
                            absence_.after->text, to_rfc3339(over.since));
      hit.scene->bound = {over.scene.fields};
      state.fired = over.since;
      state.question = over.scene.fields;
      desk.fire(key, std::move(hit));
      // An answer that was too late can have come before the timer.
      const auto answers_kept = state.window.answers();
      const auto late = std::lower_bound(answers_kept.begin(), answers_kept.end(), over.since);
      if (own_clear_ && key.open != nullptr && late != answers_kept.end())
        desk.close(key, *late, Closing::answered, "it is over: the answer came late");
    }
    over.evidence.release(desk.evidence());
  }

  bool has_timers() const override { return true; }
  std::optional<Timestamp> deadline(const KeyState& key, const Desk&) const override {
    const auto since = of(key).window.first_wait();
    if (!since) return std::nullopt;
    return *since + absence_.within;
  }

  std::optional<Hit> closed(KeyState& key, Closing how, Timestamp at, Desk& desk) override {
    if (how == Closing::start_over) {
      dispose(key, desk.evidence());
      of(key).window.clear();
    } else {
      forget_until(of(key), at, desk);
    }
    of(key).fired = Timestamp::min();
    of(key).question = {};
    return std::nullopt;
  }

  std::optional<Duration> horizon(const Options& options) const override {
    return std::max(absence_.within + options.disorder, cooldown_) + options.late;
  }
  bool idle(const KeyState& key) const override { return of(key).window.empty(); }

  Standing standing(const KeyState& key) const override {
    const auto waits = of(key).window.waits();
    Standing out{waits.size(), 0, "nothing is waited for"};
    if (!waits.empty()) {
      out.text =
          fmt::format("waiting for {} until {}", answers(), to_rfc3339(waits.front() + absence_.within));
    }
    return out;
  }

  void encode(const KeyState& key, const rules::RuleSet& rules, std::string& out) const override {
    const AbsenceState& state = of(key);
    out += "{\"times\":";
    state.window.encode(out);
    Json waiting = Json::array();
    for (const Waiting& item : state.waiting) {
      waiting.push_back({{"since", item.since.us},
                         {"scene", scene_json(item.scene, rules)},
                         {"lines", item.evidence.to_json()}});
    }
    if (!waiting.empty()) out += ",\"waiting\":" + to_line(waiting);
    if (state.fired != Timestamp::min()) {
      out += fmt::format(",\"fired\":{},\"question\":", state.fired.us) +
             to_line(fields_json(state.question, rules));
    }
    out += "}";
  }

  bool decode(std::string_view text, KeyState& key, Desk& desk) const override {
    const auto json = parse_json(text);
    if (!json || !json->is_object() || !json->contains("times")) return false;
    AbsenceState& state = of(key);
    const std::string times = to_line(json->at("times"));
    std::string_view rest = times;
    auto window = window::AbsenceWait::decode(rest);
    if (!window) return false;
    state.window = std::move(*window);
    if (json->contains("fired")) state.fired.us = json->at("fired").get<std::int64_t>();
    if (json->contains("question")) state.question = fields_from(json->at("question"), desk.rules());
    if (json->contains("waiting")) {
      for (const Json& item : json->at("waiting")) {
        if (!item.is_object() || !item.contains("since") || !item.contains("scene") ||
            !item.contains("lines"))
          return false;
        auto lines = Evidence::from_json(item.at("lines"));
        if (!lines) return false;
        lines->keep(desk.evidence());
        state.waiting.push_back({{item.at("since").get<std::int64_t>()},
                                 scene_from(item.at("scene"), desk.rules()),
                                 std::move(*lines)});
      }
    }
    return state.waiting.size() == state.window.waits().size();
  }

  void dispose(KeyState& key, EvidenceStore& store) const override {
    for (const Waiting& item : of(key).waiting) item.evidence.release(store);
    of(key).waiting.clear();
  }

 private:
  std::string answers() const {
    std::string out;
    for (const rules::EventRef& ref : absence_.of) append_item(out, " or ", ref.text);
    return out;
  }

  void rearm(KeyState& key, Desk& desk) const {
    if (const auto at = deadline(key, desk)) desk.arm(key, *at);
  }

  // Whether the condition of an answer looks at the event that asked.
  static bool asks_for_earlier(const rules::EventRef& ref) {
    if (!ref.where) return false;
    const auto& slots = ref.where->slots();
    return std::any_of(slots.begin(), slots.end(),
                       [](std::uint32_t slot) { return rules::space_of(slot) == rules::Space::bound; });
  }

  // Only where answers look at the question; else the engine has judged `where` already.
  bool matches(std::size_t part, const Occurrence& x, std::span<const Fields> question) const {
    if (!any_asks_ || !parts_[part]->where) return true;
    EventBindings names = x.names;
    names.bound(question);
    return holds(*parts_[part]->where, names);
  }

  // An answer for every wait of its time, the ones to come included. Whether it ends the open case.
  bool answer_all(KeyState& key, Timestamp a, Desk& desk) const {
    AbsenceState& state = of(key);
    state.window.answer(a, absence_.within);
    std::erase_if(state.waiting, [&](const Waiting& item) {
      if (!(item.since <= a && a < item.since + absence_.within)) return false;
      item.evidence.release(desk.evidence());
      return true;
    });
    return a >= state.fired;
  }

  // An answer to the questions it fits: it has to come after them, because it is compared with what they
  // said.
  bool answer_those(KeyState& key, std::size_t part, const Occurrence& x, Desk& desk) const {
    AbsenceState& state = of(key);
    const Timestamp a = x.event.time;
    const std::size_t before = state.waiting.size();
    std::erase_if(state.waiting, [&](const Waiting& item) {
      if (!(item.since <= a && a < item.since + absence_.within)) return false;
      if (!matches(part, x, std::span(&item.scene.fields, 1))) return false;
      item.evidence.release(desk.evidence());
      return true;
    });
    if (state.waiting.size() != before) {
      window::AbsenceWait rest;
      for (const Waiting& item : state.waiting) rest.after(item.since, absence_.within);
      for (const Timestamp time : state.window.answers()) rest.answer(time, absence_.within);
      state.window = std::move(rest);
    }
    return key.open != nullptr && a >= state.fired && matches(part, x, std::span(&state.question, 1));
  }

  // The case was open until `at`: what ran out by then is not told, also if its timer did not fire yet.
  void forget_until(AbsenceState& state, Timestamp at, Desk& desk) const {
    while (!state.waiting.empty() && state.waiting.front().since + absence_.within <= at) {
      state.window.pop_wait();
      state.waiting.front().evidence.release(desk.evidence());
      state.waiting.erase(state.waiting.begin());
    }
  }

  void wait(AbsenceState& state, const Occurrence& x, KeyState& key, Desk& desk) const {
    const Timestamp t = x.event.time;
    switch (state.window.after(t, absence_.within)) {
      case window::AbsenceWait::Outcome::answered:
        return;
      case window::AbsenceWait::Outcome::full:
        ++desk.counters().evicted;
        return;
      case window::AbsenceWait::Outcome::waiting:
        break;
    }
    Waiting item{t, scene_of(x), {}};
    item.evidence.add(x.event);
    item.evidence.keep(desk.evidence());
    const auto at = std::upper_bound(state.waiting.begin(), state.waiting.end(), t,
                                     [](Timestamp time, const Waiting& other) { return time < other.since; });
    state.waiting.insert(at, std::move(item));
    rearm(key, desk);
  }

  rules::Absence absence_;
  Duration cooldown_{};
  bool own_clear_ = true;
  std::vector<bool> asks_;  // by part
  bool any_asks_ = false;
};

}  // namespace

std::unique_ptr<Operation> make_absence(const rules::Rule& rule, const rules::Absence& absence) {
  return std::make_unique<AbsenceOperation>(rule, absence);
}

}  // namespace correlator::engine
