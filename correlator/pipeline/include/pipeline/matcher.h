// SPDX-License-Identifier: Apache-2.0
// Which frames of a block may mean something, and what a message matches: the rule set's patterns behind the prefilter.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/intake.h"
#include "pattern/pattern_set.h"
#include "rules/model.h"
#include "syslog/frame.h"
#include "syslog/message.h"
#include "syslog/parser.h"

namespace correlator::pipeline {

// A frame that may match, with the patterns worth trying, in order. Frames point into the block.
struct Candidate {
  syslog::Frame frame;
  std::vector<std::uint32_t> patterns;
  std::vector<engine::PatternMatch> matches;  // once confirmed, unless the text is not in the frame as it stands
};

class Matcher {
 public:
  // Beside the rule set's own patterns two lines mean something by themselves: they have the indexes behind them.
  //   "last message repeated N times" and "-- MARK --".
  static Result<Matcher> build(std::shared_ptr<const rules::RuleSet> rules, pattern::PatternSet::Options options = {});

  // The same patterns with their literals picked by how often they occur in a stretch of the log at hand.
  Matcher tuned_to(std::string_view sample) const;

  const std::shared_ptr<const rules::RuleSet>& rules() const { return rules_; }
  std::uint32_t repeat_pattern() const { return static_cast<std::uint32_t>(rules_->patterns.size()); }
  std::uint32_t mark_pattern() const { return repeat_pattern() + 1; }
  const pattern::PatternSet& patterns() const { return *set_; }

  struct Scratch {
    pattern::PatternSet::Scratch scan;
    std::vector<pattern::Hit> hits;
    std::vector<std::uint32_t> ids;
    syslog::Parser parser;
    std::string plain;  // a frame without its escapes
    std::string decoded;  // such frames of a block, one a line
    pattern::Costs* costs = nullptr;  // of confirm(); those of scans are asked for by scan.count_into()
    struct Hidden {
      syslog::Frame frame;
      std::vector<std::uint32_t> ids;
      std::size_t decoded_end = 0;  // in `decoded`; 0: not there
    };
    std::vector<Hidden> hidden;
  };

  // The frames of a block of whole frames (a Chunk's) that may match, in order: a superset of those that do. `traits`: of the
  // block or of one that it is the beginning of.
  void candidates(std::string_view block, syslog::FrameState state, const syslog::BlockTraits& traits, Scratch& scratch,
                  std::vector<Candidate>& out) const;
  // Leaves of them what matches, and the lines that mean something by themselves; finds the groups.
  void confirm(Scratch& scratch, std::vector<Candidate>& candidates) const;
  // The same for one frame that was already parsed. Replaces nothing: `out` must be empty.
  void candidate_patterns(const syslog::Message& message, Scratch& scratch, std::vector<std::uint32_t>& out) const;

  // One frame by itself, as it comes live: false if it can match nothing, mostly without parsing it. Else `message` is filled
  // by `parser` and `out`, which must be empty, has the candidate patterns.
  bool frame(std::string_view bytes, syslog::Parser& parser, Scratch& scratch, syslog::Message& message,
             std::vector<std::uint32_t>& out) const;

  // Of the rule set's patterns among `tried`, those that match the message, with their groups.
  void match(const syslog::Message& message, std::span<const std::uint32_t> tried,
             std::vector<engine::PatternMatch>& out, pattern::Costs* costs = nullptr) const;

 private:
  Matcher(std::shared_ptr<const rules::RuleSet> rules, std::shared_ptr<const pattern::PatternSet> set);
  void hidden(std::string_view block, syslog::FrameState state, const syslog::BlockTraits& traits, Scratch& scratch,
              std::vector<Candidate>& out) const;
  void look_behind_escapes(Scratch::Hidden& hidden, Scratch& scratch) const;
  // Of each event the first pattern that matches counts: what the ones behind it would say is never asked for.
  bool goes_without_saying(std::uint32_t pattern, const std::vector<engine::PatternMatch>& matches) const;
  bool confirmed(const syslog::Message& message, std::uint32_t pattern, Candidate& candidate, pattern::Costs* costs) const;

  std::shared_ptr<const rules::RuleSet> rules_;
  std::shared_ptr<const pattern::PatternSet> set_;
  std::vector<bool> raw_;  // by pattern
};

}  // namespace correlator::pipeline
