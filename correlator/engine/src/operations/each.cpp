// SPDX-License-Identifier: Apache-2.0
// No operation: every event decides.
#include <fmt/format.h>

#include "operations/operation.h"

namespace correlator::engine {
namespace {

class EachOperation final : public Operation {
 public:
  explicit EachOperation(const rules::Rule& rule) : latched_(rule.clear.kind != rules::Clear::Kind::never) {
    for (const rules::EventRef& ref : rule.on) parts_.push_back(&ref);
    cooldown_ = rule.cooldown;
  }

  bool keeps_keys() const override { return false; }
  bool latches() const override { return latched_; }

  Seen observe(KeyState&, const Occurrence& x, Desk& desk) override {
    Hit hit{x.event.time, x.event.time, x.event.time, x.event.weight, {}, Evidence{}, nullptr};
    hit.evidence->add(x.event);
    hit.why = fmt::format("{}{{key}} at {}", class_name(x.event, desk.rules()), to_rfc3339(x.event.time));
    return {std::move(hit), false};
  }
  std::optional<Hit> closed(KeyState&, Closing, Timestamp, Desk&) override { return std::nullopt; }
  std::optional<Duration> horizon(const Options& options) const override { return cooldown_ + options.late; }
  bool idle(const KeyState&) const override { return true; }
  Standing standing(const KeyState&) const override { return {0, 1, "every event decides"}; }
  void encode(const KeyState&, const rules::RuleSet&, std::string& out) const override { out += "null"; }
  bool decode(std::string_view, KeyState&, Desk&) const override { return true; }

 private:
  bool latched_;
  Duration cooldown_{};
};

}  // namespace

std::unique_ptr<Operation> make_each(const rules::Rule& rule) {
  return std::make_unique<EachOperation>(rule);
}

}  // namespace correlator::engine
