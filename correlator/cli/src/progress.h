// SPDX-License-Identifier: Apache-2.0
// The progress line of a long replay: on stderr, only on a terminal, gone when the work is done.
#pragma once

#include <chrono>
#include <cstdint>

#include "pipeline/replay.h"

namespace correlator::cli {

class ProgressBar {
 public:
  explicit ProgressBar(bool wanted);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(const pipeline::Progress& progress);
  // Takes the line off the screen, so that other output can be printed.
  void clear();
  bool wanted() const { return wanted_; }

 private:
  bool wanted_;
  bool shown_ = false;
  std::chrono::steady_clock::time_point begin_;
};

}  // namespace correlator::cli
