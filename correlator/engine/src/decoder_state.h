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
  std::shared_ptr<const Fields> first;  // the same for the records that the line opens, made for the first of them
};

// An event whose pattern the line matched and whose `from` it fulfils.
struct Candidate {
  std::uint32_t definition = 0;
  std::uint32_t pattern = 0;  // index into EventDef::lines: the first that matched
  const PatternMatch* match = nullptr;
};

// What can be said of an event's records without making an event of one.
struct RecordFacts {
  // Of RecordSpec::needs and ready, those that no `let` gives: captured or built in, or there is no event yet.
  std::vector<rules::FieldId> needs, ready;
};
RecordFacts facts_of(const rules::EventDef& def);

struct Decoder::State {
  State(Options options_, EvidenceStore& evidence_, Counters& counters_, const Questions& questions_);

  Options options;
  EvidenceStore& evidence;
  Counters& counters;
  const Questions& questions;
  std::shared_ptr<const rules::RuleSet> rules;
  syslog::Sources sources;  // of `rules`
  std::optional<EventBuilder> builder;
  std::vector<RecordFacts> record_facts;  // by event

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
  const pattern::Regex* program_pattern(const rules::From& from) const;  // nullptr: it names no pattern
  bool comes_from(const rules::From& from, const LineRecord& line);
  void take_captured(const Candidate& candidate, const syslog::Message& message, Fields& fields);
  // The built-in fields for the event of a candidate; the last one takes those of the line.
  Fields fields_for(Line& line, const Candidate& candidate) const;
  void decode_forged(Line line, std::vector<Event>& out);
  void decode_whole(const Line& line, const Candidate& candidate, Fields fields, Timestamp clock, std::vector<Event>& out);
  // Through same-error groups, where it takes part, and out.
  void deliver(Event event, Timestamp clock, std::vector<Event>& out);

  // decoder_record.cpp
  void decode_record(Line& line, const Candidate& candidate, Timestamp clock, std::vector<Event>& out);
  // Whether an ordered record has a place for the line.
  bool comes_next(const Record* record, const Candidate& candidate) const;
  void offer(Line& line, const Candidate& candidate, const Fields& captures, Timestamp clock, std::vector<Event>& out);
  Record* record_for(const Line& line, const Candidate& candidate, const Fields& captures,
                     std::vector<expr::Value>& same, bool& exact);
  Record& open_record(Line& line, const Candidate& candidate, std::vector<expr::Value> same, bool exact, Timestamp clock,
                      std::vector<Event>& out);
  void join(Record& record, const Line& line, const Candidate& candidate, const Fields& captures);
  // False: one of these, which no `let` gives (RecordFacts), is missing.
  bool may_have(const Record& record, const std::vector<rules::FieldId>& fields) const;
  void deliver_early(Record& record, Timestamp clock, std::vector<Event>& out);
  // Whether it became an event, or is known to be none.
  bool try_deliver(Record& record, Event event, bool last_chance, Timestamp clock, std::vector<Event>& out);
  void complete(Record& record, Timestamp clock, std::vector<Event>& out, bool by_last = false);
};

}  // namespace correlator::engine
