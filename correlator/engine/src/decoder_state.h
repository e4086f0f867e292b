// SPDX-License-Identifier: Apache-2.0
// What a Decoder is made of.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "decoder.h"
#include "decoder_build.h"
#include "decoder_weight.h"
#include "engine/provenance.h"
#include "pattern/regex.h"
#include "record.h"
#include "same_error.h"

namespace correlator::engine {

// A line on its way through the decoder.
struct Line {
  const LineRecord& record;
  std::uint64_t seq = 0;
  std::uint64_t times = 1;  // how often it was repeated
  bool late = false;
  Trust trust = Trust::none;
  Fields fields;  // the built-in ones
};

// An event whose pattern the line matched and whose `from` it fulfils.
struct Candidate {
  std::uint32_t definition = 0;
  std::uint32_t pattern = 0;  // index into EventDef::lines: the first that matched
  const PatternMatch* match = nullptr;
};

struct Decoder::State {
  State(Options options_, EvidenceStore& evidence_, Counters& counters_, const Questions& questions_);

  Options options;
  EvidenceStore& evidence;
  Counters& counters;
  const Questions& questions;
  std::shared_ptr<const rules::RuleSet> rules;
  syslog::Sources sources;  // of `rules`
  std::optional<EventBuilder> builder;
  std::vector<std::optional<pattern::Regex>> programs;  // RuleSet::program_patterns, for the whole name

  std::uint64_t last_counter_id = 0;
  Increases increases;
  ForgedLimit forged;
  Records records;
  SameErrors groups;

  syslog::Origin origin = syslog::Origin::program;  // of the line at hand
  bool impostor = false;                            // the line at hand speaks for a program that its writer is not
  std::vector<Candidate> candidates;                // of the line at hand
  std::vector<std::string_view> program_groups;     // scratch

  // decoder.cpp
  void find_candidates(const LineRecord& line);
  bool comes_from(const rules::From& from, const LineRecord& line);
  void take_captured(const Candidate& candidate, const syslog::Message& message, Fields& fields);
  void decode_forged(const Line& line, std::vector<Event>& out);
  void decode_whole(const Line& line, const Candidate& candidate, Timestamp clock, std::vector<Event>& out);
  // Through same-error groups, where it takes part, and out.
  void deliver(Event event, Timestamp clock, std::vector<Event>& out);

  // decoder_record.cpp
  void decode_record(const Line& line, const Candidate& candidate, Timestamp clock, std::vector<Event>& out);
  // Whether an ordered record has a place for the line.
  bool comes_next(const Record* record, const Candidate& candidate) const;
  void offer(const Line& line, const Candidate& candidate, const Fields& captures, Timestamp clock,
             std::vector<Event>& out);
  Record* record_for(const Line& line, const Candidate& candidate, const Fields& captures,
                     std::vector<expr::Value>& same);
  void join(Record& record, const Line& line, const Candidate& candidate, const Fields& captures);
  void deliver_early(Record& record, Timestamp clock, std::vector<Event>& out);
  // Whether it became an event, or is known to be none.
  bool try_deliver(Record& record, Event event, bool last_chance, Timestamp clock, std::vector<Event>& out);
  void complete(Record& record, Timestamp clock, std::vector<Event>& out, bool by_last = false);
};

}  // namespace correlator::engine
