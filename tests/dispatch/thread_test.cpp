// SPDX-License-Identifier: Apache-2.0
// A dispatcher in a thread of its own: who waits for outcomes is woken, and may look into it between two rounds.
#include <poll.h>

#include <thread>

#include "bench.h"
#include "dispatch/dispatch_thread.h"

namespace correlator::dispatch::test {
namespace {

int rings(const DispatchThread& thread, int milliseconds) {
  pollfd fd{thread.fd(), POLLIN, 0};
  return ::poll(&fd, 1, milliseconds);
}

}  // namespace

TEST_CASE("an outcome wakes who polls, until it is taken") {
  Bench b("[action.act]\nrun = \"act\"\n", "exit 3\n");
  DispatchThread thread(std::move(*b.dispatcher));
  CHECK(rings(thread, 0) == 0);
  thread.submit({b.decision("d1")});
  REQUIRE(rings(thread, 90'000) == 1);
  CHECK(rings(thread, 0) == 1);
  const auto outcomes = thread.take_outcomes();
  REQUIRE(outcomes.size() == 1);
  CHECK(outcomes[0].decision == "d1");
  CHECK(rings(thread, 0) == 0);
  CHECK(thread.take_outcomes().empty());
}

TEST_CASE("a visitor looks into the dispatcher in its thread, also while a script runs") {
  Bench b("[action.act]\nrun = \"act\"\n", "while [ ! -e \"$DIR/go\" ]; do sleep 0.01; done\n");
  DispatchThread thread(std::move(*b.dispatcher));
  thread.submit({b.decision("d1")});
  std::size_t running = 0;
  std::thread::id where;
  for (int i = 0; i < 9000 && running == 0; ++i) {
    REQUIRE(thread.visit(
        [&](Dispatcher& dispatcher) {
          running = dispatcher.running();
          where = std::this_thread::get_id();
        },
        Duration::seconds(90)));
  }
  CHECK(running == 1);
  CHECK(where != std::this_thread::get_id());
  b.dir.write("go", "");
  CHECK(thread.drain(Duration::seconds(90)));
}

TEST_CASE("new rules are those of what is handed over behind them") {
  Bench b("[action.act]\nrun = \"act\"\n", "exit 0\n");
  DispatchThread thread(std::move(*b.dispatcher));
  thread.set_rules(rules::load({{"a.toml", "format = 1\n[[rule]]\nid = \"r\"\nmatch = 'x'\nthen = [\"act\"]\n[action.act]\nrun = \"act\"\nmode = \"shadow\"\n"}}).rules);
  thread.submit({b.decision("d1")});
  REQUIRE(thread.drain(Duration::seconds(90)));
  std::optional<JobState> state;
  REQUIRE(thread.visit([&](Dispatcher& dispatcher) { state = dispatcher.ledger().find("d1")->value().state; }, Duration::seconds(90)));
  CHECK(state == JobState::shadow);
}

}  // namespace correlator::dispatch::test
