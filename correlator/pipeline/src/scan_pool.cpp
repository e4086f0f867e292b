// SPDX-License-Identifier: Apache-2.0
#include "pipeline/scan_pool.h"

#include <algorithm>
#include <utility>

namespace correlator::pipeline {
namespace {

// Picking the literals of a pattern anew costs about as much as so many that are found in vain.
constexpr std::uint64_t kFoundInVain = 1500;
constexpr std::uint64_t kNextTime = 4;
// A candidate that the pattern itself dismisses has been parsed before: it costs as much as so many literals.
constexpr std::uint64_t kDismissed = 5;
constexpr std::size_t kSmallestSample = std::size_t{64} << 10;

void count_into(Matcher::Scratch& scratch, pattern::Costs* costs) {
  scratch.costs = costs;
  scratch.scan.count_into(costs);
}

}  // namespace

ScanPool::ScanPool(const Matcher& matcher, unsigned threads, bool profile)
    : matcher_(std::make_shared<const Matcher>(matcher)), bearable_(kFoundInVain * matcher.patterns().size()) {
  const std::size_t patterns = matcher.patterns().size();
  const auto costs = [&]() { return profile ? &costs_.emplace_back(patterns) : nullptr; };
  count_into(scratch_, costs());
  for (unsigned i = 1; i < threads; ++i) workers_.emplace_back([this, of = costs()] { work(of); });
}

ScanPool::~ScanPool() { stop(); }

pattern::Costs ScanPool::stop() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  work_.notify_all();
  for (std::thread& worker : workers_) {
    if (worker.joinable()) worker.join();
  }
  pattern::Costs all;
  for (const pattern::Costs& costs : costs_) all.add(costs);
  return all;
}

std::shared_ptr<const Matcher> ScanPool::matcher() {
  const std::lock_guard lock(mutex_);
  return matcher_;
}

std::shared_ptr<Scan> ScanPool::begin(std::shared_ptr<const Chunk> chunk) {
  auto scan = std::make_shared<Scan>();
  scan->chunk = std::move(chunk);
  {
    const std::lock_guard lock(mutex_);
    waiting_.push_back(scan);
  }
  if (!workers_.empty()) work_.notify_one();
  return scan;
}

void ScanPool::finish(Scan& scan) {
  std::unique_lock lock(mutex_);
  while (scan.state != Scan::State::done) {
    if (waiting_.empty()) {
      done_.wait(lock);
      continue;
    }
    // The one that is wanted if nobody has begun it, else the oldest.
    auto next = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& other) { return other.get() == &scan; });
    if (next == waiting_.end()) next = waiting_.begin();
    const std::shared_ptr<Scan> taken = std::move(*next);
    waiting_.erase(next);
    run(*taken, scratch_, lock);
  }
}

void ScanPool::work(pattern::Costs* costs) {
  Matcher::Scratch scratch;
  count_into(scratch, costs);
  std::unique_lock lock(mutex_);
  for (;;) {
    work_.wait(lock, [this] { return stop_ || !waiting_.empty(); });
    if (stop_) return;
    const std::shared_ptr<Scan> taken = std::move(waiting_.front());
    waiting_.pop_front();
    run(*taken, scratch, lock);
  }
}

void ScanPool::run(Scan& scan, Matcher::Scratch& scratch, std::unique_lock<std::mutex>& lock) {
  scan.state = Scan::State::running;
  const std::shared_ptr<const Matcher> matcher = matcher_;
  lock.unlock();
  const Chunk& chunk = *scan.chunk;
  matcher->candidates(chunk.bytes, chunk.state, chunk.traits, scratch, scan.candidates);
  const std::size_t before = scan.candidates.size();
  matcher->confirm(scratch, scan.candidates);
  const std::uint64_t wasted = scratch.scan.take_found_in_vain() + kDismissed * (before - scan.candidates.size());
  lock.lock();
  scan.state = Scan::State::done;
  done_.notify_one();
  wasted_ += wasted;
  if (wasted_ > bearable_ && !tuning_ && chunk.bytes.size() >= kSmallestSample) tune(chunk, lock);
}

// Literals are only what tells lines that need not be looked at: which ones they are changes no match.
void ScanPool::tune(const Chunk& sample, std::unique_lock<std::mutex>& lock) {
  tuning_ = true;
  const std::shared_ptr<const Matcher> before = matcher_;
  lock.unlock();
  auto tuned = std::make_shared<const Matcher>(before->tuned_to(sample.bytes));
  lock.lock();
  matcher_ = std::move(tuned);
  wasted_ = 0;
  bearable_ *= kNextTime;
  tuning_ = false;
  ++tuned_;
}

std::uint32_t ScanPool::times_tuned() {
  const std::lock_guard lock(mutex_);
  return tuned_;
}

}  // namespace correlator::pipeline
