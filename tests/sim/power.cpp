// SPDX-License-Identifier: Apache-2.0
#include "power.h"

#include <fmt/format.h>

#include <set>

#include "machine.h"

namespace correlator::sim {

bool in_a_storm(const std::vector<Timestamp>& recorded) {
  if (recorded.empty()) return false;
  std::size_t count = 0;
  for (auto at = recorded.rbegin(); at != recorded.rend(); ++at) {
    ++count;
    const double seconds = static_cast<double>((recorded.back() - *at).us) / 1e6;
    if (static_cast<double>(count) >= 50 + 200 * seconds) return true;
  }
  return false;
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
  if (!engine_ || !dispatcher_) return;
  --cuts_left_;
  ++result.power_cuts;
  hold_database(false);
  world.disk.trouble = {};
  engine_->kill();
  dispatcher_->kill();
  engine_.reset();
  dispatcher_.reset();
  world.programs.kill_all();
  world.disk.power_cut();
  const Timestamp cut = world.clock.now();
  const std::vector<std::string> ids = recorded_ids();
  const std::set<std::string> left(ids.begin(), ids.end());
  std::vector<Timestamp> answered;
  for (std::size_t i = 0; i < steps.size(); ++i) {
    if (steps[i].kind != Step::Kind::line || !steps[i].means_something || !peer.answered[i]) continue;
    answered.push_back(*peer.answered[i]);
    const bool was_gone = gone[i];
    gone[i] = !left.contains(steps[i].id);
    if (!gone[i] || was_gone) continue;
    const Duration before = cut - *peer.answered[i];
    const bool allowed = !options_.strict && before <= kUnsynced && in_a_storm(answered);
    ++(allowed ? result.lost_allowed : result.lost);
    result.lost_span_us = std::max(result.lost_span_us, before.us);
    if (!allowed) world.wrong.push_back(fmt::format("line {} was answered {} us before a power cut and is gone", steps[i].id, before.us));
  }
  engine_at_ = dispatcher_at_ = cut + Duration::seconds(30);
}

}  // namespace correlator::sim
