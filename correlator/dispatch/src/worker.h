// SPDX-License-Identifier: Apache-2.0
// A thread that is there already: to make one costs an errand of half a millisecond as much again as waking one.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace correlator::dispatch {

class Worker {
 public:
  Worker() = default;
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  // Begins `work` beside the caller, who must wait() for it. False: it is still at other work, or there is no thread to be had. No
  // signal is delivered to it.
  bool begin(std::function<void()> work);
  void wait();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_;
  bool busy_ = false, ends_ = false;
  std::thread thread_;
};

}  // namespace correlator::dispatch
