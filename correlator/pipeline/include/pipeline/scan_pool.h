// SPDX-License-Identifier: Apache-2.0
// Chunks scanned ahead of the thread that correlates them, by others and by that one while it waits. What comes out depends
// on the chunks alone: they are taken back in order.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "pipeline/chunk.h"
#include "pipeline/matcher.h"

namespace correlator::pipeline {

struct Scan {
  std::shared_ptr<const Chunk> chunk;
  std::vector<Candidate> candidates;  // confirmed; there once finish() has returned

 private:
  friend class ScanPool;
  enum class State : std::uint8_t { waiting, running, done } state = State::waiting;
};

class ScanPool {
 public:
  // `threads`: that scan, the caller's included. With one there is no other, and finish() does the work.
  // `profile`: count what patterns cost.
  ScanPool(const Matcher& matcher, unsigned threads, bool profile = false);
  ~ScanPool();
  ScanPool(const ScanPool&) = delete;
  ScanPool& operator=(const ScanPool&) = delete;

  unsigned threads() const { return static_cast<unsigned>(workers_.size()) + 1; }
  std::uint32_t times_tuned();  // how often literals were picked anew
  // Ends the threads: nothing may be begun afterwards. What all of them together did, if they were to count it.
  pattern::Costs stop();
  std::shared_ptr<const Matcher> matcher();  // with the literals picked last

  // Both for one thread, always the same. finish() scans whatever is waiting rather than stand by.
  std::shared_ptr<Scan> begin(std::shared_ptr<const Chunk> chunk);
  void finish(Scan& scan);

 private:
  void work(pattern::Costs* costs);
  void run(Scan& scan, Matcher::Scratch& scratch, std::unique_lock<std::mutex>& lock);
  void tune(const Chunk& sample, std::unique_lock<std::mutex>& lock);

  std::mutex mutex_;
  std::condition_variable work_, done_;
  std::deque<std::shared_ptr<Scan>> waiting_;
  std::shared_ptr<const Matcher> matcher_;  // the one given, or one with literals picked for the log at hand
  std::uint64_t wasted_ = 0, bearable_;     // literals found in lines that mean nothing
  bool tuning_ = false, stop_ = false;
  std::uint32_t tuned_ = 0;
  Matcher::Scratch scratch_;  // the caller's
  std::deque<pattern::Costs> costs_;  // the caller's, then one for each of the workers; empty: nothing is counted
  std::vector<std::thread> workers_;
};

}  // namespace correlator::pipeline
