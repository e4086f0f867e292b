// SPDX-License-Identifier: Apache-2.0
// Sequence: several events of one key within a span, in order or not.
#include <fmt/format.h>

#include <algorithm>

#include "operations/operation.h"
#include "base/json.h"

namespace correlator::engine {
namespace {

constexpr std::size_t kMaxChains = 16;

struct Chain {
  Timestamp begin, last;
  std::uint32_t done = 0;     // bit per step
  std::vector<Fields> steps;  // by step; empty where it is missing
  Evidence evidence;
};

struct SequenceState final : OpState {
  std::vector<Chain> chains;  // in the order in which they began to exist
};

SequenceState& of(const KeyState& key) {
  return static_cast<SequenceState&>(*key.op);
}

class SequenceOperation final : public Operation {
 public:
  SequenceOperation(const rules::Rule& rule, const rules::Sequence& sequence)
      : steps_(sequence.steps),
        within_(sequence.within),
        ordered_(sequence.ordered),
        cooldown_(rule.cooldown) {
    latched_ = rule.clear.kind != rules::Clear::Kind::never;
    for (const rules::EventRef& step : steps_) parts_.push_back(&step);
    all_ = (1U << steps_.size()) - 1;
  }

  bool judges_where() const override { return true; }
  bool latches() const override { return latched_; }
  OpStateMaker state() const override { return OpStateMaker::of<SequenceState>(); }

  Seen observe(KeyState& key, const Occurrence& x, Desk& desk) override {
    if (key.open != nullptr) return {};
    auto& chains = of(key).chains;
    forget_old(chains, desk);
    bool advanced = false;
    for (Chain& chain : chains) {
      const auto step = next_step(chain, x);
      if (!step) continue;
      take(chain, *step, x, desk);
      advanced = true;
    }
    // A complete chain fires before another is begun that would push it out.
    if (auto seen = complete(chains, x); seen.hit) return seen;
    if (ordered_ ? matches(0, x, {}) : !advanced) begin(chains, x, desk);
    return complete(chains, x);
  }

  void fired(KeyState& key, Desk& desk) override { end_all(key, desk.evidence()); }
  std::optional<Hit> closed(KeyState& key, Closing, Timestamp, Desk& desk) override {
    end_all(key, desk.evidence());
    return std::nullopt;
  }

  std::optional<Duration> horizon(const Options& options) const override {
    return std::max(within_, cooldown_) + options.late;
  }
  bool idle(const KeyState& key) const override { return of(key).chains.empty(); }

  Standing standing(const KeyState& key) const override {
    Standing out{0, steps_.size(), {}};
    for (const Chain& chain : of(key).chains) {
      out.have =
          std::max<std::uint64_t>(out.have, static_cast<std::uint64_t>(__builtin_popcount(chain.done)));
    }
    out.text = fmt::format("step {} of {} in {}", out.have, out.need, to_string(within_));
    return out;
  }

  void encode(const KeyState& key, const rules::RuleSet& rules, std::string& out) const override {
    Json json = Json::array();
    for (const Chain& chain : of(key).chains) {
      Json steps = Json::array();
      for (const Fields& fields : chain.steps) steps.push_back(fields_json(fields, rules));
      json.push_back({{"begin", chain.begin.us},
                      {"last", chain.last.us},
                      {"done", chain.done},
                      {"steps", std::move(steps)},
                      {"lines", chain.evidence.to_json()}});
    }
    out += to_line(json);
  }

  bool decode(std::string_view text, KeyState& key, Desk& desk) const override {
    const auto json = parse_json(text);
    if (!json || !json->is_array()) return false;
    for (const Json& item : *json) {
      if (!item.is_object() || !item.contains("begin") || !item.contains("last") || !item.contains("done") ||
          !item.contains("steps") || !item.contains("lines")) {
        return false;
      }
      auto lines = Evidence::from_json(item.at("lines"));
      if (!lines || !item.at("steps").is_array() || item.at("steps").size() != steps_.size()) return false;
      Chain chain{{item.at("begin").get<std::int64_t>()},
                  {item.at("last").get<std::int64_t>()},
                  item.at("done").get<std::uint32_t>(),
                  {},
                  std::move(*lines)};
      for (const Json& fields : item.at("steps")) chain.steps.push_back(fields_from(fields, desk.rules()));
      chain.evidence.keep(desk.evidence());
      of(key).chains.push_back(std::move(chain));
    }
    return true;
  }

  void dispose(KeyState& key, EvidenceStore& store) const override { end_all(key, store); }

 private:
  void end_all(KeyState& key, EvidenceStore& store) const {
    for (const Chain& chain : of(key).chains) chain.evidence.release(store);
    of(key).chains.clear();
  }

  void forget_old(std::vector<Chain>& chains, Desk& desk) const {
    const Timestamp old = desk.clock() - within_ - desk.options().late;
    std::erase_if(chains, [&](const Chain& chain) {
      if (chain.begin > old) return false;
      chain.evidence.release(desk.evidence());
      return true;
    });
  }

  bool matches(std::size_t step, const Occurrence& x, std::span<const Fields> earlier) const {
    if ((x.parts >> step & 1) == 0) return false;
    if (!steps_[step].where) return true;
    EventBindings names = x.names;
    names.bound(earlier);
    return holds(*steps_[step].where, names);
  }

  std::optional<std::size_t> next_step(const Chain& chain, const Occurrence& x) const {
    const Timestamp t = x.event.time;
    if (ordered_) {
      const auto step = static_cast<std::size_t>(__builtin_popcount(chain.done));
      if (t < chain.last || !(t - chain.begin < within_) || !matches(step, x, chain.steps))
        return std::nullopt;
      return step;
    }
    const Duration apart = t < chain.begin ? chain.begin - t : t - chain.begin;
    if (!(apart < within_)) return std::nullopt;
    for (std::size_t step = 0; step < steps_.size(); ++step) {
      if ((chain.done >> step & 1) == 0 && matches(step, x, chain.steps)) return step;
    }
    return std::nullopt;
  }

  void take(Chain& chain, std::size_t step, const Occurrence& x, Desk& desk) const {
    chain.done |= 1U << step;
    chain.last = std::max(chain.last, x.event.time);
    chain.steps[step] = scene_of(x).fields;
    Evidence more = chain.evidence;
    more.add(x.event);
    more.keep(desk.evidence());
    chain.evidence.release(desk.evidence());
    chain.evidence = std::move(more);
  }

  void begin(std::vector<Chain>& chains, const Occurrence& x, Desk& desk) const {
    Chain chain{x.event.time, x.event.time, 0, std::vector<Fields>(steps_.size()), {}};
    std::size_t step = 0;
    if (!ordered_) {
      while (step < steps_.size() && !matches(step, x, chain.steps)) ++step;
      if (step == steps_.size()) return;
    }
    take(chain, step, x, desk);
    chains.push_back(std::move(chain));
    if (chains.size() <= kMaxChains) return;
    const auto oldest = std::min_element(chains.begin(), chains.end(),
                                         [](const Chain& a, const Chain& b) { return a.begin < b.begin; });
    oldest->evidence.release(desk.evidence());
    chains.erase(oldest);
    ++desk.counters().evicted;
  }

  // Of several the one that came to be first.
  Seen complete(const std::vector<Chain>& chains, const Occurrence& x) const {
    for (const Chain& chain : chains) {
      if (chain.done == all_) return {hit(chain, x.event.time), false};
    }
    return {};
  }

  Hit hit(const Chain& chain, Timestamp time) const {
    Hit out{time, chain.begin, chain.last, steps_.size(), {}, chain.evidence, std::make_shared<Scene>()};
    std::string names;
    for (const rules::EventRef& step : steps_) append_item(names, ", ", step.text);
    out.why = fmt::format("{} within {}{{key}}: {}, {} after the first at {}", names, to_string(within_),
                          ordered_ ? "in order" : "in any order", to_string(chain.last - chain.begin),
                          to_rfc3339(chain.begin));
    out.scene->bound = chain.steps;
    return out;
  }

  std::vector<rules::EventRef> steps_;
  Duration within_;
  bool ordered_;
  Duration cooldown_;
  bool latched_ = false;
  std::uint32_t all_ = 0;
};

}  // namespace

std::unique_ptr<Operation> make_sequence(const rules::Rule& rule, const rules::Sequence& sequence) {
  return std::make_unique<SequenceOperation>(rule, sequence);
}

}  // namespace correlator::engine
