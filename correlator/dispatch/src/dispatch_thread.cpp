// SPDX-License-Identifier: Apache-2.0
#include "dispatch/dispatch_thread.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace correlator::dispatch {

struct DispatchThread::Impl {
  Dispatcher dispatcher;
  mutable std::mutex mutex;
  std::condition_variable idle_changed;
  std::vector<engine::Decision> submitted;
  std::vector<engine::OutcomeRecord> outcomes;
  std::optional<Diagnostic> failure;
  bool stop = false, idle = true;
  std::thread thread;

  explicit Impl(Dispatcher given) : dispatcher(std::move(given)) {}

  void fail(const Diagnostic& diagnostic) {
    const std::lock_guard lock(mutex);
    failure = diagnostic;
    idle = true;
    idle_changed.notify_all();
  }

  // One round: enters what was handed over, looks after what runs. False when the thread is to end.
  bool round() {
    std::vector<engine::Decision> decisions;
    {
      const std::lock_guard lock(mutex);
      if (stop) return false;
      decisions.swap(submitted);
    }
    for (const engine::Decision& decision : decisions) {
      if (auto status = dispatcher.submit(decision); !status) {
        fail(status.error());
        return false;
      }
    }
    auto ended = dispatcher.poll(Duration::seconds(1));
    if (!ended) {
      fail(ended.error());
      return false;
    }
    const std::lock_guard lock(mutex);
    outcomes.insert(outcomes.end(), ended->begin(), ended->end());
    idle = dispatcher.idle() && submitted.empty();
    if (idle) idle_changed.notify_all();
    return true;
  }
};

DispatchThread::DispatchThread(Dispatcher dispatcher) : impl_(std::make_unique<Impl>(std::move(dispatcher))) {
  impl_->idle = false;  // until the first round has looked at what there is
  impl_->thread = std::thread([impl = impl_.get()] {
    while (impl->round()) {
    }
  });
}

DispatchThread::~DispatchThread() {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->stop = true;
  }
  impl_->dispatcher.wake();
  impl_->thread.join();
}

void DispatchThread::submit(std::vector<engine::Decision> decisions) {
  if (decisions.empty()) return;
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->submitted.insert(impl_->submitted.end(), std::make_move_iterator(decisions.begin()),
                            std::make_move_iterator(decisions.end()));
    impl_->idle = false;
  }
  impl_->dispatcher.wake();
}

std::vector<engine::OutcomeRecord> DispatchThread::take_outcomes() {
  const std::lock_guard lock(impl_->mutex);
  return std::exchange(impl_->outcomes, {});
}

bool DispatchThread::drain(Duration at_most) {
  std::unique_lock lock(impl_->mutex);
  return impl_->idle_changed.wait_for(lock, std::chrono::microseconds(at_most.us),
                                      [&] { return impl_->idle || impl_->failure; });
}

std::optional<Diagnostic> DispatchThread::failure() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->failure;
}

}  // namespace correlator::dispatch
