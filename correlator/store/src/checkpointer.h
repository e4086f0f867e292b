// SPDX-License-Identifier: Apache-2.0
// Checkpoints in a thread of their own, over a connection of their own, so that a line never waits for one.
#pragma once

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "time/timestamp.h"

namespace correlator::store {

class Checkpointer {
 public:
  Checkpointer(std::string path, Duration every);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

 private:
  void run();

  std::string path_;
  Duration every_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace correlator::store
