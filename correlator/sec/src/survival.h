// SPDX-License-Identifier: Apache-2.0
// What waits to be written down with --state, and when it is time for that.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "sec/kept_state.h"

namespace correlator::sec {

class Survival {
 public:
  Status open(const std::string& directory);
  bool on() const { return kept_.has_value(); }
  const KeptState& kept() const { return *kept_; }
  void forget_last_run() { kept_->forget_last_run(); }

  // State or places are not any more as they were written down.
  void stir(bool yes = true) { stirred_ = stirred_ || yes; }
  // True if the effect waits until it is written down; nothing that reaches the outside goes before.
  bool takes(engine::Effect& effect);
  bool is_time(bool idle) const;
  // All of it is written down. What was decided is in `todo` then, in any case; what was carried out of it done() notes.
  Status settle(const engine::Procedure& engine, std::vector<store::Cursor> places, engine::Effects& todo);
  Status done() { return kept_->done(); }

 private:
  std::optional<KeptState> kept_;
  engine::Effects decided_;
  bool stirred_ = false;
  std::chrono::steady_clock::time_point settled_{};
  std::chrono::nanoseconds took_{};
};

}  // namespace correlator::sec
