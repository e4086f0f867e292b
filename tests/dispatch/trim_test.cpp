// SPDX-License-Identifier: Apache-2.0
// The ledger stays small by itself, and nothing that is still to be known goes.
#include <map>

#include "bench.h"

using namespace correlator;
using namespace correlator::dispatch;
using namespace correlator::dispatch::test;

namespace {

std::map<JobState, int> states(Bench& b) {
  std::map<JobState, int> out;
  REQUIRE(b.dispatcher->ledger().each_job([&](const store::Job& job) {
    ++out[job.state];
    return true;
  }).ok());
  return out;
}

const char* const kAction = "[action.act]\nrun = \"act\"\nargs = [\"${who}\"]\nmax_age = \"1h\"\n";

}  // namespace

TEST_CASE("a ledger that nobody looks after stays small, and begins nothing anew") {
  Bench b(kAction, "echo run >>$DIR/runs\n");
  b.open({.shadow = true, .kept_jobs = 20});
  for (std::uint64_t n = 1; n <= 500; ++n) {
    REQUIRE(b.dispatcher->submit({stored(b, n, "d" + std::to_string(n))}, "source", nullptr).ok());
    b.poll({});
  }
  CHECK(states(b)[JobState::shadow] >= 20);
  CHECK(states(b)[JobState::shadow] <= 23);  // and those since the last time
  CHECK(b.dispatcher->ledger().find("d500")->has_value());
  CHECK_FALSE(b.dispatcher->ledger().find("d400")->has_value());
  CHECK(b.dispatcher->ledger().position("source")->n == 500);
}

TEST_CASE("what is trimmed are ended jobs of the engine's decisions, the oldest first, those that ran apart from others") {
  Bench b(kAction, "exit 0\n");
  store::LedgerDb& ledger = b.dispatcher->ledger();
  const auto job = [&](std::uint64_t n, JobState state) {
    store::Job one;
    one.decision = "d" + std::to_string(n);
    one.rule = "r";
    one.action = n % 2 == 0 ? "act" : "other";
    one.budget = "b";
    one.received = one.decided = b.clock.now();
    one.state = state;
    one.taken = n;
    return one;
  };
  const std::vector<JobState> all = {JobState::waiting, JobState::running, JobState::done,    JobState::failed, JobState::timed_out,
                                     JobState::unknown, JobState::skipped, JobState::refused, JobState::shadow};
  std::uint64_t n = 0;
  for (int round = 0; round < 4; ++round) {
    for (const JobState state : all) {
      for (int action = 0; action < 2; ++action) {
        const store::Job one = job(++n, state);
        REQUIRE(ledger.enter({one}, "source", {n, one.decision}));
        REQUIRE(ledger.begin(one, {one.decision, 1, b.clock.now(), {}, 0, -1, 0, false, {}}).ok());
      }
    }
  }
  store::Job by_hand = job(++n, JobState::done);
  by_hand.taken = 0;
  REQUIRE(ledger.add(by_hand));
  REQUIRE(ledger.trim(5).ok());
  // Of two actions: five of those that ran, five of those that did not.
  CHECK(states(b) == std::map<JobState, int>{{JobState::waiting, 8}, {JobState::running, 8}, {JobState::unknown, 8},
                                             {JobState::done, 1 + 2 * 1}, {JobState::failed, 2 * 2}, {JobState::timed_out, 2 * 2},
                                             {JobState::skipped, 2 * 1}, {JobState::refused, 2 * 2}, {JobState::shadow, 2 * 2}});
  // Attempts go with their jobs, and those that stay count against the budget.
  CHECK(*ledger.starts("b", Timestamp::min()) == 8 + 8 + 8 + 10 + 10);
  CHECK(ledger.find(by_hand.decision)->has_value());
}
