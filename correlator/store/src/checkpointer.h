// SPDX-License-Identifier: Apache-2.0
// Checkpoints in a thread of their own, over a connection of their own, so that a line never waits for one. The log is begun anew when
// it has grown, but keeps its file: a write over blocks that a file has is synced sooner than one that makes it longer.
#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "sqlite.h"
#include "time/timestamp.h"

namespace correlator::store {

class Checkpointer {
 public:
  // `writer`: the connection whose commits make the log longer. It must outlive this.
  Checkpointer(Connection& writer, Duration every);
  ~Checkpointer();
  Checkpointer(const Checkpointer&) = delete;
  Checkpointer& operator=(const Checkpointer&) = delete;

 private:
  void run();

  Connection& writer_;
  std::atomic<int> pages_{0};  // of the log, after the writer's last commit
  Duration every_;
  int enough_pages_;
  std::mutex mutex_;
  std::condition_variable wake_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace correlator::store
