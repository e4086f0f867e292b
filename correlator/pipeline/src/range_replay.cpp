// SPDX-License-Identifier: Apache-2.0
#include "pipeline/range_replay.h"

#include <algorithm>
#include <utility>

namespace correlator::pipeline {
namespace {

// What was decided, until it is known whether the whole log decides the same.
class KeptBack {
 public:
  KeptBack(Sink sink, Timestamp from, LineNumbers& numbers) : sink_(std::move(sink)), from_(from), numbers_(numbers) {}

  Sink sink() {
    return [this](const engine::StepOutput& out, const rules::RuleSet& rules) {
      rules_ = &rules;
      if (sure_) return give(out);
      if (before_range(out)) return sink_(out, rules);
      if (kept_.size() < kMostKeptBack) kept_.push_back(out);
    };
  }

  bool full() const { return kept_.size() >= kMostKeptBack; }
  void release() {
    sure_ = true;
    for (const engine::StepOutput& out : kept_) give(out);
    kept_.clear();
  }

 private:
  bool before_range(const engine::StepOutput& out) const {
    return std::all_of(out.events.begin(), out.events.end(), [&](const engine::Event& event) { return event.time < from_; }) &&
           std::all_of(out.decisions.begin(), out.decisions.end(), [&](const engine::Decision& decision) { return decision.time < from_; });
  }

  void give(const engine::StepOutput& out) {
    engine::StepOutput whole = out;
    numbers_.correct(whole);
    sink_(whole, *rules_);
  }

  Sink sink_;
  Timestamp from_;
  LineNumbers& numbers_;
  const rules::RuleSet* rules_ = nullptr;
  bool sure_ = false;
  std::vector<engine::StepOutput> kept_;
};

Result<RangeReplay> once(const StartSession& start, const std::vector<input::Source>& sources, const ReplayOptions& options, Sink sink) {
  auto session = start(std::move(sink));
  if (!session) return session.error();
  auto result = replay(**session, sources, options);
  if (!result) return result.error();
  return RangeReplay{std::move(result).value(), std::move(session).value()};
}

}  // namespace

Result<RangeReplay> replay_range(const StartSession& start, const std::vector<input::Source>& sources, ReplayOptions options, Sink sink) {
  if (!options.skip || !options.from) return once(start, sources, options, std::move(sink));
  LineNumbers numbers;
  KeptBack kept(sink, *options.from, numbers);
  options.numbers = &numbers;
  options.sure = [&] { kept.release(); };
  options.enough = [&] { return kept.full(); };
  auto first = once(start, sources, options, kept.sink());
  if (!first) return first;
  if (!first->result.doubt) {
    kept.release();
    return first;
  }
  // What lies behind the range still need not be read.
  const std::string doubt = *first->result.doubt;
  options.from.reset();
  options.sure = nullptr;
  options.enough = nullptr;
  options.numbers = nullptr;
  auto second = once(start, sources, options, std::move(sink));
  if (!second) return second;
  second->result.doubt = doubt;
  return second;
}

}  // namespace correlator::pipeline
