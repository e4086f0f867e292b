// SPDX-License-Identifier: Apache-2.0
// What a line does to the open records of an event.
#include <algorithm>

#include "decoder_capture.h"
#include "decoder_state.h"

namespace correlator::engine {
namespace {

bool captures_field(std::span<const rules::Capture> captures, rules::FieldId field) {
  return std::any_of(captures.begin(), captures.end(),
                     [&](const rules::Capture& c) { return c.field == field; });
}

// A capture of a role-many line: one more element.
void append(Fields& fields, rules::FieldId field, const expr::Value& value) {
  expr::Value::List list;
  if (const expr::Value* have = fields.find(field)) {
    if (have->list() != nullptr) {
      list = *have->list();
    } else {
      list.push_back(*have);
    }
  }
  const auto add = [&](const expr::Value& element) {
    if (list.size() < kMaxElements) list.push_back(element);
  };
  if (value.list() != nullptr) {
    std::for_each(value.list()->begin(), value.list()->end(), add);
  } else {
    add(value);
  }
  fields.set(field, std::move(list));
}

bool has_all(const std::vector<rules::FieldId>& wanted, const Fields& fields) {
  return std::all_of(wanted.begin(), wanted.end(),
                     [&](rules::FieldId f) { return fields.find(f) != nullptr; });
}

std::size_t lines_of_role(const rules::EventDef& def, rules::Role role) {
  return static_cast<std::size_t>(std::count_if(def.lines.begin(), def.lines.end(), [role](const auto& line) { return line.role == role; }));
}

Event draft(const Record& record) {
  Event event;
  event.time = record.begin;
  event.late = record.late;
  event.trust = record.trust;
  event.lines = record.lines;
  event.line_numbers = record.line_numbers;
  event.file = record.file;
  event.line_number = record.line_numbers.empty() ? 0 : record.line_numbers.front();
  event.fields = record.first->roomy();
  for (const auto& [field, value] : record.fields.all()) event.fields.set(field, value);
  return event;
}

}  // namespace

RecordFacts facts_of(const rules::EventDef& def) {
  RecordFacts out;
  if (!def.record) return out;
  const auto not_let = [&](const std::vector<rules::FieldId>& fields) {
    std::vector<rules::FieldId> left = fields;
    std::erase_if(left, [&](rules::FieldId f) {
      return std::any_of(def.lets.begin(), def.lets.end(), [f](const rules::Let& let) { return let.field == f; });
    });
    return left;
  };
  out.needs = not_let(def.record->needs);
  out.ready = not_let(def.record->ready);
  return out;
}

void Decoder::State::decode_record(Line& line, const Candidate& candidate, Timestamp clock,
                                   std::vector<Event>& out) {
  const rules::RecordSpec& spec = *rules->events[candidate.definition].record;
  Fields captures;
  take_captured(candidate, *line.record.message, captures);
  // A repeat counts as that many lines, not as that many times the weight.
  const std::uint64_t times = std::min<std::uint64_t>(line.times, std::max(1U, spec.max_lines));
  for (std::uint64_t i = 0; i < times; ++i) offer(line, candidate, captures, clock, out);
}

// The open record that the line belongs to by its `same` values, which go to `same`. `exact`: the line has all of them.
Record* Decoder::State::record_for(const Line& line, const Candidate& candidate, const Fields& captures,
                                   std::vector<expr::Value>& same, bool& exact) {
  const rules::EventDef& def = rules->events[candidate.definition];
  const rules::LinePattern& pattern = def.lines[candidate.pattern];
  std::uint64_t known = 0;
  exact = true;
  same.reserve(def.record->same.size());
  for (std::size_t i = 0; i < def.record->same.size(); ++i) {
    const rules::FieldId field = def.record->same[i];
    const bool capturing =
        captures_field(pattern.captures, field) || captures_field(def.from.captures, field);
    same.push_back(capturing ? captures.get(field) : line.fields.get(field));
    if (capturing || !same.back().is_none()) {
      known |= i < 64 ? std::uint64_t{1} << i : 0;
    } else {
      exact = false;
    }
  }
  if (exact) return records.find(candidate.definition, same);
  bool several = false;
  Record* record = records.find_latest(candidate.definition, same, known, several);
  if (several) ++counters.ambiguous;
  return record;
}

// Whether an ordered record has a place for the line, now that it has what it has.
bool Decoder::State::comes_next(const Record* record, const Candidate& candidate) const {
  const rules::EventDef& def = rules->events[candidate.definition];
  const std::size_t wanted = lines_of_role(def, rules::Role::once);
  const std::size_t have = record == nullptr ? 0 : record->once.size();
  switch (def.lines[candidate.pattern].role) {
    case rules::Role::once: return candidate.pattern == have || candidate.pattern == 0;  // the first begins another record
    case rules::Role::many: return record != nullptr;
    case rules::Role::last: return record != nullptr && have == wanted;
    case rules::Role::whole: break;
  }
  return true;
}

void Decoder::State::offer(Line& line, const Candidate& candidate, const Fields& captures, Timestamp clock,
                           std::vector<Event>& out) {
  const rules::EventDef& def = rules->events[candidate.definition];
  const rules::LinePattern& pattern = def.lines[candidate.pattern];
  const Timestamp t = line.record.time;
  std::vector<expr::Value> same;
  bool exact = false;
  Record* record = record_for(line, candidate, captures, same, exact);
  if (record != nullptr) {
    const bool in_span = t - record->begin < def.record->within && record->begin - t < def.record->within;
    const bool stands_once =
        pattern.role == rules::Role::once &&
        std::find(record->once.begin(), record->once.end(), candidate.pattern) != record->once.end();
    if (!in_span || stands_once) {
      complete(*record, clock, out);
      record = nullptr;
    }
  }
  if (def.record->ordered && !comes_next(record, candidate)) return;
  if (record == nullptr) record = &open_record(line, candidate, std::move(same), exact, clock, out);
  join(*record, line, candidate, captures);
  if (!record->delivered) deliver_early(*record, clock, out);
  const bool ends = pattern.role == rules::Role::last;
  const bool nothing_to_come = def.record->ordered && record->once.size() == def.lines.size();
  if (ends || nothing_to_come || record->offered >= def.record->max_lines) complete(*record, clock, out, ends);
}

Record& Decoder::State::open_record(Line& line, const Candidate& candidate, std::vector<expr::Value> same, bool exact,
                                    Timestamp clock, std::vector<Event>& out) {
  // A line without some of the values may have completed another record than the one with its own values.
  if (Record* other = exact ? nullptr : records.find(candidate.definition, same)) complete(*other, clock, out);
  if (records.size(candidate.definition) >= Records::kMaxPerEvent) {
    ++counters.evicted;
    complete(*records.oldest(candidate.definition), clock, out);
  }
  Record& record = records.open(candidate.definition, std::move(same), line.record.time);
  if (line.first == nullptr) line.first = std::make_shared<const Fields>(line.fields);
  record.first = line.first;
  record.trust = line.trust;
  record.late = line.late;
  record.file = line.record.stream;
  return record;
}

void Decoder::State::join(Record& record, const Line& line, const Candidate& candidate,
                          const Fields& captures) {
  const rules::EventDef& def = rules->events[candidate.definition];
  const rules::LinePattern& pattern = def.lines[candidate.pattern];
  const std::vector<rules::FieldId>& same = def.record->same;
  for (const auto& [field, value] : captures.all()) {
    // What keeps records apart is one value in all lines of one, never a list.
    const bool apart = std::find(same.begin(), same.end(), field) != same.end();
    if (!apart && pattern.role == rules::Role::many && captures_field(pattern.captures, field)) {
      append(record.fields, field, value);
    } else if (record.fields.find(field) == nullptr) {
      record.fields.set(field, value);
    }
  }
  if (pattern.role == rules::Role::once) record.once.push_back(candidate.pattern);
  if (record.lines.empty() || record.lines.back().seq != line.seq) {
    record.lines.push_back({line.seq, line.record.time});
    record.line_numbers.push_back(line.record.line_number);
    evidence.keep(line.seq);
  }
  record.trust = std::min(record.trust, line.trust);
  ++record.offered;
  records.mark(record);
}

bool Decoder::State::may_have(const Record& record, const std::vector<rules::FieldId>& fields) const {
  return std::all_of(fields.begin(), fields.end(),
                     [&](rules::FieldId f) { return record.fields.find(f) != nullptr || record.first->find(f) != nullptr; });
}

// `ready` and `early`: the event need not wait for the end of the record.
void Decoder::State::deliver_early(Record& record, Timestamp clock, std::vector<Event>& out) {
  const rules::EventDef& def = rules->events[record.definition];
  const RecordFacts& facts = record_facts[record.definition];
  if (def.record->ready.empty() && !def.record->early) return;
  if (!may_have(record, facts.needs) || (!def.record->early && !may_have(record, facts.ready))) return;
  Event event = draft(record);
  builder->add_lets(def, event.fields);
  const bool ready = !def.record->ready.empty() && has_all(def.record->ready, event.fields);
  if (!ready && !(def.record->early && builder->holds(*def.record->early, event.fields))) return;
  record.delivered = try_deliver(record, std::move(event), false, clock, out);
}

bool Decoder::State::try_deliver(Record& record, Event event, bool last_chance, Timestamp clock,
                                 std::vector<Event>& out) {
  const rules::EventDef& def = rules->events[record.definition];
  if (!has_all(def.record->needs, event.fields)) return false;
  switch (builder->build(def, 1, event)) {
    case EventBuilder::Outcome::incomplete:
      if (last_chance) ++counters.incomplete;
      return false;
    case EventBuilder::Outcome::nothing:
      return true;
    case EventBuilder::Outcome::unknown:
      if (!last_chance) return false;  // a later line may say more
      out.push_back(std::move(event));
      return true;
    case EventBuilder::Outcome::event:
      deliver(std::move(event), clock, out);
      return true;
  }
  return false;
}

void Decoder::State::complete(Record& record, Timestamp clock, std::vector<Event>& out, bool by_last) {
  const rules::EventDef& def = rules->events[record.definition];
  const bool whole = !def.record->ordered || (record.once.size() == lines_of_role(def, rules::Role::once) &&
                                              (by_last || lines_of_role(def, rules::Role::last) == 0));
  if (!record.delivered && whole && may_have(record, record_facts[record.definition].needs)) {
    Event event = draft(record);
    builder->add_lets(def, event.fields);
    try_deliver(record, std::move(event), true, clock, out);
  }
  records.erase(record);
}

}  // namespace correlator::engine
