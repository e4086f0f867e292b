// SPDX-License-Identifier: Apache-2.0
// From lines to events: counters, records of several lines, same-error groups.
#include <algorithm>

#include "oracle.h"

namespace correlator::oracle {

void Oracle::line(const Input& input) {
  const bool late = input.event.time <= *clock_ - kLate;
  using Form = Input::Form;
  Event event = input.event;
  event.lines = {number_};
  if (input.form == Form::whole) {
    event.weight *= input.times;
    decode_whole(event, late, event.channel.empty() && event.v == spec_.stale_v);
  } else if (input.form == Form::counter) {
    event.weight = rise(event, late);
    event.v = 0;
    decode_whole(event, late, false);
  } else {
    for (std::uint64_t i = 0; i < std::min<std::uint64_t>(input.times, spec_.record.max_lines); ++i) offer(input, late);
    if (input.form == Form::start && spec_.record.also) {
      event.cls = 'c';
      event.dimm = "q";
      event.parts.clear();
      event.weight = input.times;
      event.channel.clear();
      decode_whole(event, late, false);
    }
  }
}

void Oracle::decode_whole(Event event, bool late, bool stale) {
  if (event.weight > 0) deliver(std::move(event), late, stale);
}

// What a counter rose by.
std::uint64_t Oracle::rise(const Event& event, bool late) {
  if (late) return 1;
  const std::string key = event.host + "/" + event.dimm;
  const auto [at, first] = counters_.try_emplace(key, event.v);
  const std::uint64_t before = at->second;
  at->second = event.v;
  if (first) return event.v > 0 ? 1 : 0;
  return event.v < before ? event.v : event.v - before;
}

void Oracle::offer(const Input& input, bool late) {
  using Form = Input::Form;
  const RecordSpec& spec = spec_.record;
  const std::string& host = input.event.host;
  const bool knows_id = input.form != Form::loose || !spec.by_id;
  const std::string id = spec.by_id && input.form != Form::loose ? input.id : "";
  const auto with = [&](bool any_id) {  // the latest begun of those whose values agree
    OpenRecord* out = nullptr;
    for (auto& [number, record] : records_) {
      if (record.host != host || (!any_id && record.id != id)) continue;
      if (out == nullptr || record.begin >= out->begin) out = &record;
    }
    return out;
  };
  OpenRecord* record = with(!knows_id);
  const Time t = input.event.time;
  if (record != nullptr) {
    const bool in_span = t - record->begin < spec.within && record->begin - t < spec.within;
    const bool stands = (input.form == Form::start && record->has_start) || (input.form == Form::place && record->has_place);
    if (!in_span || stands) {
      complete(record->number);
      record = nullptr;
    }
  }
  if (spec.ordered) {
    const bool next = input.form == Form::start                              ? true
                      : input.form == Form::place                            ? record != nullptr && record->has_start
                      : input.form == Form::part || input.form == Form::loose ? record != nullptr
                                                                             : record != nullptr && record->has_start && record->has_place;
    if (!next) return;
  }
  if (record == nullptr) {
    if (OpenRecord* other = with(false)) complete(other->number);
    record = &records_[++records_ever_];
    record->number = records_ever_;
    record->host = host;
    record->id = id;
    record->begin = t;
    record->text = input.event.text;
    record->late = late;
  }
  if (input.form == Form::start) {
    record->has_start = true;
    record->v = input.event.v;
  }
  if (input.form == Form::place) {
    record->has_place = true;
    record->dimm = input.event.dimm;
  }
  if (input.form == Form::part || input.form == Form::loose) {
    record->parts.insert(record->parts.end(), input.event.parts.begin(), input.event.parts.end());
  }
  if (record->lines.empty() || record->lines.back() != number_) record->lines.push_back(number_);
  ++record->offered;
  if (!record->delivered) {
    const bool ready = spec.ready && record->has_start && record->has_place;
    const bool early = spec.early && !record->parts.empty();
    if (ready || early) record->delivered = try_deliver(*record);
  }
  record->ended = input.form == Form::last;
  if (record->ended || record->offered >= spec.max_lines) complete(record->number);
}

// Whether it became an event, or is known to be none.
bool Oracle::try_deliver(OpenRecord& record) {
  const RecordSpec& spec = spec_.record;
  if ((spec.needs_start && !record.has_start) || (spec.needs_place && !record.has_place)) return false;
  Event event;
  event.time = record.begin;
  event.cls = spec.cls;
  event.host = record.host;
  event.text = record.text;
  event.dimm = record.has_place ? record.dimm : "q";
  event.v = record.has_start ? record.v : 0;
  event.parts = record.parts;
  event.weight = spec.weigh_by_v && record.has_start ? record.v : 1;
  event.channel = spec.channel;
  event.lines = record.lines;
  if (event.weight > 0) deliver(std::move(event), record.late, false);
  return true;
}

void Oracle::complete(std::uint64_t number) {
  OpenRecord record = records_.at(number);
  records_.erase(number);
  if (!record.delivered && (record.ended || !spec_.record.ordered)) try_deliver(record);
}

// Through the same-error groups to the rules.
void Oracle::deliver(Event event, bool late, bool stale) {
  if (late || stale) return say(said_event(event, late ? Fate::late : Fate::stale));
  for (std::size_t i = 0; i < spec_.groups.size(); ++i) {
    if (!merge(spec_.groups[i], i, event)) return say(said_event(event, Fate::folded));
  }
  queue_.push_back(std::move(event));
  drain();  // what it causes comes before the next event of the same line
}

// Returns whether the event goes on, with the weight that is left.
bool Oracle::merge(const SameError& spec, std::size_t index, Event& event) {
  if (event.channel.empty() || spec.classes.find(event.cls) == std::string::npos) return true;
  const std::string key = spec.by_dimm ? event.host + "/" + event.dimm : event.host;
  auto& groups = groups_[index];
  auto at = groups.find(key);
  if (at != groups.end()) {
    const Group& group = at->second;
    const bool records = spec_.record.used && !spec_.record.channel.empty();
    const bool over = *clock_ >= group.last + spec.within + (records ? spec_.record.within : 0) + kDisorder;
    const bool meets = event.time - group.last < spec.within && group.first - event.time < spec.within;
    if (over || !meets) {
      groups.erase(at);
      at = groups.end();
    }
  }
  if (at == groups.end()) at = groups.emplace(key, Group{event.time, event.time, {}, 0}).first;
  Group& group = at->second;
  group.first = std::min(group.first, event.time);
  group.last = std::max(group.last, event.time);
  group.sums[event.channel] += event.weight;
  const std::uint64_t best = group.sums.begin()->second;  // x before y before z
  if (best <= group.counted) return false;
  event.weight = best - group.counted;
  group.counted = best;
  return true;
}

}  // namespace correlator::oracle
