// SPDX-License-Identifier: Apache-2.0
// One timeline through a session of its own.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "pipeline/session.h"
#include "rules/timeline.h"

namespace correlator::pipeline {

class TimelineRun {
 public:
  TimelineRun(const std::shared_ptr<const Matcher>& matcher, const rules::TestSpec& test);

  // False, with a diagnostic, if the session could not be made.
  Status start();
  void step(const rules::TimelineStep& step);
  void line(Timestamp time, std::optional<Timestamp> arrival, const std::string& frame);
  void mark(Timestamp time) { session_->mark(time); }
  void end() { session_->end(); }

  const std::vector<engine::Decision>& decisions() const { return decisions_; }
  const std::vector<engine::Event>& events() const { return events_; }
  // The line of a timeline as a frame: with provenance if an input was named.
  static std::string frame_of(const rules::TimelineStep& step);

 private:
  void give_lookups();
  void restart();
  void outcome(const std::string& action, bool success);

  std::shared_ptr<const Matcher> matcher_;
  const rules::TestSpec& test_;
  std::unique_ptr<Session> session_;
  std::vector<engine::Event> events_;
  std::vector<engine::Decision> decisions_;
  std::map<std::pair<engine::StateKind, std::uint64_t>, engine::StateRow> rows_;  // the state as a store would hold it
  std::uint64_t lines_ = 0;
  Timestamp now_;
};

}  // namespace correlator::pipeline
