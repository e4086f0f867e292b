// SPDX-License-Identifier: Apache-2.0
#include "decoder.h"

#include <algorithm>
#include <utility>

#include "base/json.h"
#include "decoder_capture.h"
#include "decoder_state.h"

namespace correlator::engine {

Decoder::State::State(Options options_, EvidenceStore& evidence_, Counters& counters_,
                      const Questions& questions_)
    : options(options_),
      evidence(evidence_),
      counters(counters_),
      questions(questions_),
      increases(counters_, last_counter_id),
      forged(last_counter_id),
      records(evidence_),
      groups(options_, evidence_, counters_) {}

Decoder::Decoder(Options options, EvidenceStore& evidence, Counters& counters, const Questions& questions)
    : state_(std::make_unique<State>(options, evidence, counters, questions)) {}
Decoder::~Decoder() = default;
Decoder::Decoder(Decoder&&) noexcept = default;
Decoder& Decoder::operator=(Decoder&&) noexcept = default;

void Decoder::set_rules(std::shared_ptr<const rules::RuleSet> rules) {
  State& s = *state_;
  s.records.set_rules(s.rules.get(), *rules);
  s.groups.set_rules(s.rules.get(), *rules);
  s.rules = std::move(rules);  // the old one is needed until here
  s.sources = sources_of(*s.rules);
  s.builder.emplace(*s.rules, s.questions, s.increases);
  s.record_facts.clear();
  for (const rules::EventDef& def : s.rules->events) s.record_facts.push_back(facts_of(def));
  for (const std::string& event : s.increases.events()) {
    const bool stays =
        std::any_of(s.rules->events.begin(), s.rules->events.end(),
                    [&](const rules::EventDef& def) { return def.id == event && def.increase_of; });
    if (!stays) s.increases.forget_event(event);
  }
}

void Decoder::decode(const LineRecord& record, std::uint64_t seq, Timestamp clock, std::vector<Event>& out) {
  State& s = *state_;
  s.groups.drop_due(clock);
  const syslog::Message& message = *record.message;
  s.origin = syslog::origin_of(message, s.sources);
  s.find_candidates(record);
  const bool forged = (s.origin == syslog::Origin::forged_kernel && !record.matches.empty()) ||
                      (s.impostor && s.candidates.empty());
  if (s.candidates.empty() && !forged) return;

  Line line{record, seq, 1, false, Trust::none, builtin_fields(record), nullptr};
  line.times = std::uint64_t{std::max(1U, record.times)} * std::max(1U, message.repeated);  // 32 bit each
  line.late = record.time <= clock - s.options.late;
  line.trust = trust_of(message, s.sources);
  if (line.late) ++s.counters.late;
  s.evidence.add(evidence_of(record, seq));
  if (forged) return s.decode_forged(std::move(line), out);

  // A line that a record takes is part of something larger: events of one line do not see it.
  const bool taken = std::any_of(s.candidates.begin(), s.candidates.end(), [&](const Candidate& candidate) {
    const rules::LinePattern& pattern = s.rules->events[candidate.definition].lines[candidate.pattern];
    return pattern.role != rules::Role::whole && !pattern.also;
  });
  for (const Candidate& candidate : s.candidates) {
    const rules::EventDef& def = s.rules->events[candidate.definition];
    if (def.lines[candidate.pattern].role != rules::Role::whole && def.record) {
      s.decode_record(line, candidate, clock, out);
    } else if (!taken) {
      s.decode_whole(line, candidate, s.fields_for(line, candidate), clock, out);
    }
  }
}

void Decoder::decode_made(std::string_view text, std::string_view host, Timestamp time, Trust trust, const std::vector<LineRef>& lines,
                          Timestamp clock, std::vector<Event>& out) {
  State& s = *state_;
  std::vector<PatternMatch> matches;
  for (std::uint32_t i = 0; i < s.rules->patterns.size(); ++i) {
    const rules::PatternText& pattern = s.rules->patterns[i];
    if (pattern.event >= s.rules->events.size() || !pattern.compiled) continue;
    const rules::EventDef& def = s.rules->events[pattern.event];
    PatternMatch match{i, {}};
    if (!def.record && def.from.kind == rules::From::Kind::any && pattern.compiled->match(text, match.groups)) matches.push_back(std::move(match));
  }
  if (matches.empty()) return;
  syslog::Message message;
  message.raw = message.text = text;
  message.host = host;
  LineRecord record;
  record.message = &message;
  record.matches = matches;
  record.time = time;
  s.groups.drop_due(clock);
  s.origin = syslog::Origin::program;
  s.find_candidates(record);
  Line line{record, 0, 1, time <= clock - s.options.late, trust, builtin_fields(record), nullptr};
  const std::size_t before = out.size();
  for (const Candidate& candidate : s.candidates) s.decode_whole(line, candidate, s.fields_for(line, candidate), clock, out);
  for (std::size_t i = before; i < out.size(); ++i) {
    out[i].lines = lines;
    out[i].line_numbers.clear();
  }
}

// Of each event the first pattern that matched, in the order of events.
void Decoder::State::find_candidates(const LineRecord& line) {
  candidates.clear();
  impostor = false;
  if (origin == syslog::Origin::forged_kernel) return;
  for (const PatternMatch& match : line.matches) {
    if (match.pattern >= rules->patterns.size()) continue;
    const rules::PatternText& text = rules->patterns[match.pattern];
    if (text.event < rules->events.size()) candidates.push_back({text.event, text.line, &match});
  }
  std::sort(candidates.begin(), candidates.end(), [](const Candidate& a, const Candidate& b) {
    return a.definition != b.definition ? a.definition < b.definition : a.pattern < b.pattern;
  });
  const auto end =
      std::unique(candidates.begin(), candidates.end(),
                  [](const Candidate& a, const Candidate& b) { return a.definition == b.definition; });
  candidates.erase(end, candidates.end());
  std::erase_if(candidates,
                [&](const Candidate& c) { return !comes_from(rules->events[c.definition].from, line); });
}

const pattern::Regex* Decoder::State::program_pattern(const rules::From& from) const {
  if (from.pattern >= rules->program_patterns.size()) return nullptr;
  const auto& whole = rules->program_patterns[from.pattern].whole;
  return whole ? &*whole : nullptr;
}

bool Decoder::State::comes_from(const rules::From& from, const LineRecord& line) {
  const syslog::Message& message = *line.message;
  switch (from.kind) {
    case rules::From::Kind::any:
      return true;
    case rules::From::Kind::kernel:
      return syslog::from_kernel(origin);
    case rules::From::Kind::input:
      return (message.input.empty() ? line.stream : message.input) == from.name;
    case rules::From::Kind::program: {
      const pattern::Regex* whole = program_pattern(from);
      const bool named = !from.name.empty() ? message.program == from.name : whole != nullptr && whole->matches(message.program);
      const bool speaks = !from.trusted || syslog::may_speak(message, sources);
      impostor = impostor || (named && !speaks);
      return named && speaks;
    }
  }
  return false;
}

// Sets what the pattern and the pattern of the programme name captured.
void Decoder::State::take_captured(const Candidate& candidate, const syslog::Message& message,
                                   Fields& fields) {
  const rules::EventDef& def = rules->events[candidate.definition];
  if (const pattern::Regex* whole = program_pattern(def.from); whole != nullptr && !def.from.captures.empty()) {
    whole->match(message.program, program_groups);
    take_captures(def.from.captures, program_groups, fields);
  }
  take_captures(def.lines[candidate.pattern].captures, candidate.match->groups, fields);
}

namespace {

Event event_of(const Line& line, Fields fields) {
  Event event;
  event.time = line.record.time;
  event.late = line.late;
  event.trust = line.trust;
  event.lines = {{line.seq, line.record.time}};
  event.line_numbers = {line.record.line_number};
  event.file = line.record.stream;
  event.line_number = line.record.line_number;
  event.fields = std::move(fields);
  return event;
}

}  // namespace

Fields Decoder::State::fields_for(Line& line, const Candidate& candidate) const {
  return &candidate == &candidates.back() ? std::move(line.fields) : line.fields.roomy();
}

void Decoder::State::decode_forged(Line line, std::vector<Event>& out) {
  ++counters.forged;
  Event event = event_of(line, std::move(line.fields));
  if (forged.allows(line.record.message->host, line.record.time) && builder->forged(event)) {
    out.push_back(std::move(event));
  }
}

void Decoder::State::decode_whole(const Line& line, const Candidate& candidate, Fields fields, Timestamp clock,
                                  std::vector<Event>& out) {
  const rules::EventDef& def = rules->events[candidate.definition];
  Event event = event_of(line, std::move(fields));
  take_captured(candidate, *line.record.message, event.fields);
  builder->add_lets(def, event.fields);
  switch (builder->build(def, line.times, event)) {
    case EventBuilder::Outcome::event:
      return deliver(std::move(event), clock, out);
    case EventBuilder::Outcome::incomplete:
      ++counters.incomplete;
      return;
    case EventBuilder::Outcome::unknown:
      out.push_back(std::move(event));
      return;
    case EventBuilder::Outcome::nothing:
      return;
  }
}

void Decoder::State::deliver(Event event, Timestamp clock, std::vector<Event>& out) {
  if (!event.late && !event.stale && !event.implausible) {
    groups.pass(event, clock);
    EventBuilder::set_weight(event, event.weight);
  }
  out.push_back(std::move(event));
}

std::optional<Timestamp> Decoder::next_deadline() const {
  const Record* first = state_->records.first_due();
  return first == nullptr ? std::nullopt : std::optional(first->deadline);
}

void Decoder::complete_next(Timestamp clock, std::vector<Event>& out) {
  if (Record* first = state_->records.first_due()) state_->complete(*first, clock, out);
}

void Decoder::end(Timestamp clock, std::vector<Event>& out) {
  for (Record* record : state_->records.in_order_of_begin()) state_->complete(*record, clock, out);
}

std::uint64_t Decoder::open_records() const {
  return state_->records.size();
}

void Decoder::take_changes(std::vector<StateRow>& out) {
  state_->records.take_changes(out);
  state_->groups.take_changes(out);
  state_->increases.take_changes(out);
  state_->forged.take_changes(out);
}

Status Decoder::restore(const StateRow& row) {
  State& s = *state_;
  const std::optional<Json> body = parse_json(row.body);
  if (!body || !body->is_object() || !s.rules) return bad_row(row);
  bool fits = false;
  switch (row.kind) {
    case StateKind::record:
      fits = s.records.restore(row, *body);
      break;
    case StateKind::group:
      fits = s.groups.restore(row, *body);
      break;
    case StateKind::counter:
      s.last_counter_id = std::max(s.last_counter_id, row.id);
      fits = body->contains("forged") ? s.forged.restore(row, *body) : s.increases.restore(row, *body);
      break;
    default:
      break;
  }
  if (!fits) return bad_row(row);
  return {};
}

}  // namespace correlator::engine
