// SPDX-License-Identifier: Apache-2.0
// A dispatcher with one action `act`, whose script is a text, over a ledger of its own.
#pragma once

#include <fstream>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/text.h"
#include "catch.h"
#include "dispatch/dispatcher.h"
#include "rules/loader.h"
#include "store/engine_db.h"
#include "temp_dir.h"

namespace correlator::dispatch::test {

using correlator::testing::TempDir;
using store::JobState;

// Real processes, and a clock that moves only when the test says so: nothing here waits for wall time to pass.
struct Bench {
  TempDir dir;
  SimulatedClock clock{*parse_rfc3339("2026-01-01T00:00:00Z")};
  std::shared_ptr<const rules::RuleSet> rules;
  std::optional<Dispatcher> dispatcher;
  std::vector<engine::OutcomeRecord> outcomes;

  explicit Bench(const std::string& action, const std::string& script) {
    dir.write("act", "#!/bin/sh\n" + script, true);
    rules = rules::load({{"a.toml", "format = 1\n[[rule]]\nid = \"r\"\nmatch = 'x (?P<who>\\w+)'\nkey = [\"who\"]\nthen = [\"act\"]\n" + action}}).rules;
    REQUIRE(rules != nullptr);
    open();
  }

  void open(DispatchOptions options = {}) {
    options.actions_dir = dir.path();
    options.kill_switch = dir.path() / "stop-actions";
    options.environment = {{"DIR", dir.path().string()}};
    auto ledger = store::LedgerDb::open(dir.path());
    REQUIRE(ledger.ok());
    auto opened = Dispatcher::open(std::move(*ledger), rules, clock, options);
    REQUIRE(opened.ok());
    dispatcher.emplace(std::move(*opened));
  }

  engine::Decision decision(std::string id, std::vector<std::string> argv = {}) {
    engine::Decision d;
    d.id = std::move(id);
    d.rule = "r";
    d.action = "act";
    d.argv = std::move(argv);
    d.time = clock.now();
    d.trust = engine::Trust::vouched;
    return d;
  }

  void poll(Duration wait = Duration::seconds(20)) {
    auto ended = dispatcher->poll(wait);
    REQUIRE(ended.ok());
    outcomes.insert(outcomes.end(), ended->begin(), ended->end());
  }
  void until_idle() {
    for (int i = 0; i < 20000 && !dispatcher->idle(); ++i) poll();
  }
  store::Job job(const std::string& id) { return dispatcher->ledger().find(id)->value(); }
  store::Attempt attempt(const std::string& id) {
    store::Attempt last;
    REQUIRE(dispatcher->ledger().each_attempt(id, [&](const store::Attempt& a) {
      last = a;
      return true;
    }).ok());
    return last;
  }
};

// A decision as the engine's database has it, of the rule of a Bench whose action takes `who`.
inline store::StoredDecision stored(Bench& b, std::uint64_t n, std::string id) {
  return {n, std::move(id), "r", "act", "decided", 1, b.clock.now(), R"({"trust":"vouched","key":{"who":"w"}})", R"([["w"]])"};
}

// Gone, or only waiting for its parent to ask how it ended (init does, where there is one).
inline bool dead(std::uint64_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  std::string number, name, state;
  in >> number >> name >> state;
  return !in || state == "Z";
}

}  // namespace correlator::dispatch::test
