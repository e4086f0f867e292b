// SPDX-License-Identifier: Apache-2.0
#include "reference.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "engine/json.h"
#include "peer.h"
#include "pipeline/live.h"

namespace correlator::sim {

std::vector<std::string> windows_of(const engine::Engine& engine) {
  std::vector<std::string> out;
  engine.windows([&](const engine::WindowView& window) {
    out.push_back(fmt::format("{} {} {} {}{}", window.rule, engine::to_text(window.key), window.stands, window.have, window.open_case ? " open" : ""));
  });
  std::sort(out.begin(), out.end());
  return out;
}

Outcome undisturbed(const std::vector<Step>& steps, std::size_t reload_at, const std::vector<bool>& skip) {
  Outcome out;
  SimulatedClock clock{kBegin};
  auto session = std::move(pipeline::Session::start(first_rules(), std::nullopt, {}, [&](const engine::StepOutput& step, const rules::RuleSet&) {
    for (const engine::Decision& decision : step.decisions) out.decisions.push_back(to_line(engine::to_json(decision)));
  })).value();
  std::vector<Step> kept;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (i == reload_at) kept.push_back({Step::Kind::reload, steps[i].due, {}, {}, false, false, {}});
    if (steps[i].kind != Step::Kind::reload && (skip.empty() || !skip[i])) kept.push_back(steps[i]);
  }
  if (reload_at == steps.size()) kept.push_back({Step::Kind::reload, kBegin, {}, {}, false, false, {}});
  Peer peer(kept, clock, Random(0));
  std::vector<std::unique_ptr<input::LiveSource>> sources;
  sources.push_back(peer.connect());
  pipeline::LiveOptions options;
  options.remembered_ids = 2000;
  pipeline::Live live(*session, std::move(sources), clock, options);
  const auto round = [&] { return live.round(Duration{}).ok(); };
  for (int idle = 0; peer.next() < kept.size() && idle < 1000; ++idle) {
    const std::size_t before = peer.next();
    const Step& step = kept[before];
    clock.set(std::max(clock.now(), step.due));
    if (step.kind == Step::Kind::line) {
      peer.turn();
      round();
      round();
      peer.turn(false);
    } else {
      if (step.kind == Step::Kind::reload && !session->reload(second_rules())) break;
      if (step.kind == Step::Kind::command) static_cast<void>(pipeline::carry_out(*session, step.command));
      peer.pass();
    }
    if (peer.next() != before) idle = 0;
  }
  out.windows = windows_of(session->engine());
  return out;
}

}  // namespace correlator::sim
