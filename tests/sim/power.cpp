// SPDX-License-Identifier: Apache-2.0
#include "power.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "machine.h"

namespace correlator::sim {

void SyncBucket::refill(Timestamp now) {
  if (at_ != Timestamp::min()) tokens_ = std::min(kBurst, tokens_ + static_cast<double>((now - at_).us) / 1e6 * kPerSecond);
  at_ = now;
}

void SyncBucket::take(Timestamp now, std::uint64_t syncs, Duration took) {
  if (syncs == 0) return;
  refill(now);
  const double of_its_time = static_cast<double>(took.us) / 1e6 * kPerSecond / kShareOfTime;
  tokens_ = std::max(-kBurst, tokens_ - std::max(static_cast<double>(syncs), of_its_time));
}

bool SyncBucket::was_empty(Timestamp then, Timestamp now) {
  refill(now);
  return tokens_ - static_cast<double>((now - then).us) / 1e6 * kPerSecond < 2;  // one, and what the clock moves within a round
}

std::vector<std::string> Machine::recorded_ids() {
  std::vector<std::string> ids;
  current_life() = nullptr;
  store::DbOptions options;
  options.spool_bytes = world.options.spool_bytes;
  options.files = &world.files;
  auto db = store::EngineDb::open(world.state, options);
  if (!db) {
    world.wrong.push_back(fmt::format("after a power cut: {} {}", db.error().code, db.error().message));
    return ids;
  }
  const Status read = db->each_line_id(1'000'000, [&](std::string_view id) { ids.emplace_back(id); });
  if (!read) world.wrong.push_back(read.error().message);
  return ids;
}

// All processes and rsyslogd's memory go. What was answered must be on the disk, but for the last 20 ms of a storm; the peer goes
// on behind what it had an answer for.
void Machine::cut_power() {
  --cuts_left_;
  ++result.power_cuts;
  hold_database(false);
  world.disk.trouble = {};
  if (engine_) engine_->kill();
  if (dispatcher_) dispatcher_->kill();
  engine_.reset();
  dispatcher_.reset();
  world.programs.kill_all();
  world.disk.power_cut();
  const Timestamp cut = world.clock.now();
  const std::vector<std::string> ids = recorded_ids();
  const std::set<std::string> left(ids.begin(), ids.end());
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].kind != Step::Kind::line || !steps[i].means_something || !peer.answered[i]) continue;
    const bool was_gone = gone[i];
    gone[i] = !left.contains(steps[i].id);
    if (!gone[i] || was_gone) continue;
    const Duration before = cut - *peer.answered[i];
    const bool allowed = !options_.strict && before <= kUnsynced && (world.options.few_syncs || bucket_.was_empty(*peer.answered[i], cut));
    ++(allowed ? result.lost_allowed : result.lost);
    result.lost_span_us = std::max(result.lost_span_us, before.us);
    if (!allowed) world.wrong.push_back(fmt::format("line {} was answered {} us before a power cut and is gone", steps[i].id, before.us));
  }
  engine_at_ = dispatcher_at_ = cut + Duration::seconds(30);
}

}  // namespace correlator::sim
