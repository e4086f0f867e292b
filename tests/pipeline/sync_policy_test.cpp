// SPDX-License-Identifier: Apache-2.0
#include "catch.h"
#include "pipeline/sync_policy.h"

using namespace correlator;
using pipeline::SyncPolicy;

namespace {

constexpr Timestamp kStart{1'000'000'000};
Timestamp at(std::int64_t us) { return kStart + Duration{us}; }

// Commits one at `now` as the policy wants it; true if it was synced.
bool commit(SyncPolicy& policy, Timestamp now, bool decision = false) {
  const bool sync = policy.wanted(now, decision);
  policy.committed(now, sync);
  return sync;
}

}  // namespace

TEST_CASE("a quiet stream syncs every commit") {
  SyncPolicy policy;
  for (int i = 0; i < 1000; ++i) {
    CHECK(commit(policy, at(i * 5'000)));  // 200 a second
    CHECK(!policy.batching());
    CHECK(!policy.storm());
  }
}

TEST_CASE("a storm is synced at least each 20 ms, and hardly more often") {
  SyncPolicy policy;
  int synced = 0;
  std::int64_t last = 0;
  for (std::int64_t us = 0; us < 2'000'000; us += 50) {  // 20,000 a second
    if (!commit(policy, at(us))) continue;
    CHECK(us - last <= 20'050);
    last = us;
    ++synced;
  }
  CHECK(synced >= 100);
  CHECK(synced <= 50 + 101);  // the bucket, then by the deadline alone
  CHECK(policy.storm());
  // It is over when lines come more slowly than they can be synced.
  std::int64_t us = 2'000'000;
  for (; !commit(policy, at(us)) || policy.batching() || policy.storm(); us += 6'000) CHECK(us < 3'000'000);
  for (int i = 0; i < 100; ++i) CHECK(commit(policy, at(us += 6'000)));
}

TEST_CASE("what is unsynced has a deadline 20 ms after the first of it, also when nothing follows") {
  SyncPolicy policy({.strict = false, .per_second = 0, .burst = 0, .at_least = Duration::milliseconds(20)});
  CHECK(!policy.deadline());
  CHECK(!commit(policy, at(0)));
  CHECK(!commit(policy, at(19'999)));
  CHECK(policy.deadline() == at(20'000));
  CHECK(commit(policy, at(20'000)));
  CHECK(!policy.deadline());
}

TEST_CASE("a decision is always synced, and strict syncs everything") {
  SyncPolicy empty({.strict = false, .per_second = 0, .burst = 0, .at_least = Duration::seconds(1)});
  CHECK(!commit(empty, at(0)));
  CHECK(commit(empty, at(1), true));
  CHECK(!empty.batching());
  SyncPolicy strict({.strict = true, .per_second = 0, .burst = 0, .at_least = Duration::seconds(1)});
  for (int i = 0; i < 100; ++i) CHECK(commit(strict, at(i)));
}

TEST_CASE("a wall clock that is set back neither blocks nor floods") {
  SyncPolicy policy({.strict = false, .per_second = 0, .burst = 0, .at_least = Duration::milliseconds(20)});
  CHECK(!commit(policy, at(0)));
  CHECK(commit(policy, at(-3'600'000'000)));  // whatever was unsynced is synced
}

TEST_CASE("a disk that needs 5 ms for a sync gets a quarter of the time, not all of it") {
  SyncPolicy policy;
  constexpr std::int64_t kSync = 5'000, kWrite = 50, kEnd = 10'000'000;
  std::int64_t now = 0, syncing = 0;
  while (now < kEnd) {  // the next line is there when the last one is answered
    const bool synced = policy.wanted(at(now), false);
    policy.committed(at(now), synced, Duration{synced ? kSync : kWrite});
    if (synced) syncing += kSync;
    now += synced ? kSync : kWrite;
  }
  // Of ten seconds, and what the bucket held at the beginning. The deadline of 20 ms alone would make it a fifth.
  CHECK(syncing >= 1'900'000);
  CHECK(syncing <= 2'900'000);
}
