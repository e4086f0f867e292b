// SPDX-License-Identifier: Apache-2.0
#include "worker.h"

#include <signal.h>

#include <system_error>
#include <utility>


namespace correlator::dispatch {

Worker::~Worker() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

bool Worker::begin(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (busy_) return false;
    busy_ = true;
    work_ = std::move(work);
  }
  try {
    if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  } catch (const std::system_error&) {
    busy_ = false;  // nobody else is there to see it
    return false;
  }
  changed_.notify_all();
  return true;
}

void Worker::wait() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !busy_; });
}

void Worker::run() {
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_SETMASK, &all, nullptr);
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ends_ || work_; });
    if (!work_) return;
    const std::function<void()> work = std::exchange(work_, nullptr);
    lock.unlock();
    work();
    lock.lock();
    busy_ = false;
    changed_.notify_all();
  }
}

}  // namespace correlator::dispatch
