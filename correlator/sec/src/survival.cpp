// SPDX-License-Identifier: Apache-2.0
#include "survival.h"

#include <algorithm>

namespace correlator::sec {
namespace {

using engine::Effect;

constexpr std::chrono::nanoseconds kLongest = std::chrono::milliseconds(200);  // that what was decided waits
constexpr std::chrono::nanoseconds kPlaces = std::chrono::seconds(1);          // that places and state alone do

}  // namespace

Status Survival::open(const std::string& directory) {
  auto opened = KeptState::open(directory);
  if (!opened) return opened.error();
  kept_.emplace(std::move(*opened));
  return {};
}

bool Survival::takes(Effect& effect) {
  const bool inside = effect.kind == Effect::Kind::say || effect.kind == Effect::Kind::signal || effect.kind == Effect::Kind::add_input || effect.kind == Effect::Kind::drop_input;
  if (!on() || inside) return false;
  decided_.push_back(std::move(effect));
  return true;
}

// Not at each line: what was decided waits for a moment without lines, or a while that grows where writing takes long.
bool Survival::is_time(bool idle) const {
  if (!on() || (!stirred_ && decided_.empty())) return false;
  const std::chrono::nanoseconds waited = std::chrono::steady_clock::now() - settled_;
  if (decided_.empty()) return waited > std::max(kPlaces, 20 * took_);
  return idle || waited > std::max(kLongest, 10 * took_);
}

Status Survival::settle(const engine::Procedure& engine, std::vector<store::Cursor> places, engine::Effects& todo) {
  todo.clear();
  if (!on() || (!stirred_ && decided_.empty())) return {};
  const auto begin = std::chrono::steady_clock::now();
  Status written = kept_->commit(engine, std::move(places), decided_);
  settled_ = std::chrono::steady_clock::now();
  took_ = settled_ - begin;
  stirred_ = !written.ok();
  todo = std::move(decided_);
  decided_.clear();
  return written;
}

}  // namespace correlator::sec
