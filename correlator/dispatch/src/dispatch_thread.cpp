// SPDX-License-Identifier: Apache-2.0
#include "dispatch/dispatch_thread.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace correlator::dispatch {

struct DispatchThread::Impl {
  Dispatcher dispatcher;
  mutable std::mutex mutex;
  std::condition_variable idle_changed, visited;
  std::vector<engine::Decision> submitted;
  std::vector<engine::OutcomeRecord> outcomes;
  std::shared_ptr<const rules::RuleSet> new_rules;
  const std::function<void(Dispatcher&)>* visitor = nullptr;
  std::optional<Diagnostic> failure;
  bool stop = false, idle = true;
  const int news_fd = ::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  std::thread thread;

  explicit Impl(Dispatcher given) : dispatcher(std::move(given)) {}
  ~Impl() {
    if (news_fd >= 0) ::close(news_fd);
  }
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;

  void fail(const Diagnostic& diagnostic) {
    const std::lock_guard lock(mutex);
    failure = diagnostic;
    idle = true;
    idle_changed.notify_all();
    visited.notify_all();
  }

  void ring() const {
    const std::uint64_t one = 1;
    if (::write(news_fd, &one, sizeof one) < 0) return;  // it rings already
  }

  // One round: enters what was handed over, looks after what runs. False when the thread is to end.
  bool round() {
    std::vector<engine::Decision> decisions;
    {
      const std::lock_guard lock(mutex);
      if (stop) return false;
      decisions.swap(submitted);
      if (new_rules != nullptr) dispatcher.set_rules(std::exchange(new_rules, nullptr));
      if (visitor != nullptr) {
        (*std::exchange(visitor, nullptr))(dispatcher);
        visited.notify_all();
      }
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
    if (!ended->empty()) ring();
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
  std::uint64_t rung = 0;
  [[maybe_unused]] const ssize_t n = ::read(impl_->news_fd, &rung, sizeof rung);
  return std::exchange(impl_->outcomes, {});
}

int DispatchThread::fd() const { return impl_->news_fd; }

void DispatchThread::set_rules(std::shared_ptr<const rules::RuleSet> rules) {
  {
    const std::lock_guard lock(impl_->mutex);
    impl_->new_rules = std::move(rules);
  }
  impl_->dispatcher.wake();
}

bool DispatchThread::visit(const std::function<void(Dispatcher&)>& work, Duration at_most) {
  std::unique_lock lock(impl_->mutex);
  if (impl_->failure) return false;
  impl_->visitor = &work;
  impl_->dispatcher.wake();
  impl_->visited.wait_for(lock, std::chrono::microseconds(at_most.us), [&] { return impl_->visitor == nullptr || impl_->failure; });
  return std::exchange(impl_->visitor, nullptr) == nullptr;
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
