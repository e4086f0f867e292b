// SPDX-License-Identifier: Apache-2.0
#include "record.h"

#include <algorithm>
#include <compare>

#include "decoder_weight.h"
#include "base/json.h"

namespace correlator::engine {
namespace {

std::strong_ordering compare(const std::vector<expr::Value>& a, const std::vector<expr::Value>& b) {
  return std::lexicographical_compare_three_way(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace

bool Records::DueFirst::operator()(const Record* a, const Record* b) const {
  if (a->deadline != b->deadline) return a->deadline < b->deadline;
  if (a->definition != b->definition) return a->definition < b->definition;
  if (const auto order = compare(a->same, b->same); order != 0) return order < 0;
  return a->id < b->id;
}

bool Records::BeginFirst::operator()(const Record* a, const Record* b) const {
  return a->begin != b->begin ? a->begin < b->begin : a->id < b->id;
}

std::string Records::table_key(std::uint32_t definition, const std::vector<expr::Value>& same) {
  return std::to_string(definition) + ":" + exact_bytes(same);
}

std::string Records::partial_key(const std::vector<expr::Value>& same, std::uint64_t known) {
  std::string key;
  for (std::size_t i = 0; i < same.size(); ++i) {
    if (i >= 64 || (known >> i & 1) != 0) key += exact_bytes({&same[i], 1});
  }
  return key;
}

void Records::set_rules(const rules::RuleSet* before, const rules::RuleSet& now) {
  names_.emplace(now);
  definitions_.clear();
  for (const rules::EventDef& event : now.events) definitions_.try_emplace(event.id, event.index);
  std::vector<Owned> kept;
  for (Record* record : in_order_of_begin()) {
    const rules::EventDef& old = before->events[record->definition];
    const auto found = definitions_.find(old.id);
    const rules::EventDef* fresh = found == definitions_.end() ? nullptr : &now.events[found->second];
    if (fresh == nullptr || !fresh->record ||
        names_of(fresh->record->same, now) != names_of(old.record->same, *before)) {
      erase(*record);
      continue;
    }
    Owned owned = detach(*record);
    owned->definition = fresh->index;
    owned->deadline = owned->begin + fresh->record->within;
    owned->first = std::make_shared<const Fields>(renumbered(*owned->first, *before, *names_));
    owned->fields = renumbered(owned->fields, *before, *names_);
    kept.push_back(std::move(owned));
  }
  rules_ = &now;
  events_.clear();
  events_.resize(now.events.size());
  for (Owned& record : kept) insert(std::move(record));
}

Record* Records::find(std::uint32_t definition, const std::vector<expr::Value>& same) {
  const auto found = records_.find(table_key(definition, same));
  return found == records_.end() ? nullptr : found->second.get();
}

Record* Records::find_latest(std::uint32_t definition, const std::vector<expr::Value>& same,
                             std::uint64_t known, bool& several) {
  OfEvent& event = events_[definition];
  const auto [at, fresh] = event.partial.try_emplace(known);
  if (fresh) {
    for (Record* record : event.all) at->second[partial_key(record->same, known)].insert(record);
  }
  const auto found = at->second.find(partial_key(same, known));
  if (found == at->second.end()) return nullptr;
  several = found->second.size() > 1;
  return *found->second.rbegin();
}

Record& Records::open(std::uint32_t definition, std::vector<expr::Value> same, Timestamp begin) {
  Owned fresh = std::make_unique<Record>();
  Record& record = *fresh;
  record.id = ++last_id_;
  record.definition = definition;
  record.same = std::move(same);
  record.begin = begin;
  record.deadline = begin + rules_->events[definition].record->within;
  insert(std::move(fresh));
  return record;
}

void Records::insert(Owned owned) {
  Record* record = owned.get();
  OfEvent& event = events_[record->definition];
  event.all.insert(record);
  for (auto& [known, partial] : event.partial) partial[partial_key(record->same, known)].insert(record);
  due_.insert(record);
  by_id_.emplace(record->id, record);
  record->place = &records_.emplace(table_key(record->definition, record->same), std::move(owned)).first->first;
}

Records::Owned Records::detach(Record& record) {
  OfEvent& event = events_[record.definition];
  event.all.erase(&record);
  for (auto& [known, partial] : event.partial) {
    const auto found = partial.find(partial_key(record.same, known));
    found->second.erase(&record);
    if (found->second.empty()) partial.erase(found);
  }
  due_.erase(&record);
  by_id_.erase(record.id);
  const auto found = records_.find(*record.place);
  Owned owned = std::move(found->second);
  records_.erase(found);
  return owned;
}

void Records::erase(Record& record) {
  for (const LineRef& line : record.lines) evidence_.release(line.seq);
  if (record.written) erased_.emplace_back(record.id, rules_->events[record.definition].id);
  detach(record);
}

void Records::mark(Record& record) {
  if (!record.dirty) dirty_.push_back(record.id);
  record.dirty = true;
}

std::size_t Records::size(std::uint32_t definition) const {
  return events_[definition].all.size();
}

Record* Records::oldest(std::uint32_t definition) {
  const ByBegin& all = events_[definition].all;
  return all.empty() ? nullptr : *all.begin();
}

std::vector<Record*> Records::in_order_of_begin() const {
  std::vector<Record*> all;
  for (const auto& [id, record] : by_id_) all.push_back(record);
  std::sort(all.begin(), all.end(), [](const Record* a, const Record* b) {
    if (a->begin != b->begin) return a->begin < b->begin;
    if (a->definition != b->definition) return a->definition < b->definition;
    return compare(a->same, b->same) < 0;
  });
  return all;
}

Json Records::body_of(const Record& record) const {
  Json lines = Json::array();
  for (std::size_t i = 0; i < record.lines.size(); ++i) {
    lines.push_back(Json::array({record.lines[i].seq, record.lines[i].time.us, record.line_numbers[i]}));
  }
  return {{"same", values_json(record.same)},
          {"begin", record.begin.us},
          {"first", named_fields(*record.first, *rules_)},
          {"fields", named_fields(record.fields, *rules_)},
          {"lines", std::move(lines)},
          {"once", record.once},
          {"offered", record.offered},
          {"file", expr::to_json(record.file)},
          {"trust", static_cast<std::uint64_t>(record.trust)},
          {"late", record.late},
          {"delivered", record.delivered}};
}

void Records::take_changes(std::vector<StateRow>& out) {
  for (auto& [id, owner] : erased_) out.push_back({StateKind::record, id, std::move(owner), {}, {}, true});
  erased_.clear();
  for (const std::uint64_t id : dirty_) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || !found->second->dirty) continue;
    Record& record = *found->second;
    const rules::EventDef& def = rules_->events[record.definition];
    record.dirty = false;
    record.written = true;
    out.push_back({StateKind::record, id, def.id, key_text(def.record->same, record.same, *rules_),
                   to_line(body_of(record)), false});
  }
  dirty_.clear();
}

bool Records::restore(const StateRow& row, const Json& body) {
  const auto definition = definitions_.find(row.owner);
  if (definition == definitions_.end()) return false;
  const rules::EventDef& def = rules_->events[definition->second];
  Owned record = std::make_unique<Record>();
  record->id = row.id;
  record->definition = definition->second;
  record->written = true;
  std::uint64_t trust = 0;
  const Json* same = array_at(body, "same");
  const Json* lines = array_at(body, "lines");
  const Json* once = array_at(body, "once");
  if (!def.record || same == nullptr || lines == nullptr || once == nullptr || !body.contains("first") ||
      !body.contains("fields"))
    return false;
  if (!read(body, "begin", record->begin.us) || !read(body, "offered", record->offered) ||
      !read(body, "file", record->file) || !read(body, "trust", trust) || trust > 2 ||
      !read(body, "late", record->late) || !read(body, "delivered", record->delivered))
    return false;
  std::optional<std::vector<expr::Value>> values = values_from(*same);
  std::optional<Fields> first = fields_by_name(body["first"], *names_);
  std::optional<Fields> fields = fields_by_name(body["fields"], *names_);
  if (!values || values->size() != def.record->same.size() || !first || !fields) return false;
  record->first = std::make_shared<const Fields>(std::move(*first));
  record->same = std::move(*values);
  record->fields = std::move(*fields);
  record->trust = static_cast<Trust>(trust);
  record->deadline = record->begin + def.record->within;
  for (const Json& line : *lines) {
    if (!line.is_array() || line.size() != 3 || !line[0].is_number_unsigned() ||
        !line[1].is_number_integer() || !line[2].is_number_unsigned())
      return false;
    record->lines.push_back({line[0].get<std::uint64_t>(), Timestamp{line[1].get<std::int64_t>()}});
    record->line_numbers.push_back(line[2].get<std::uint64_t>());
  }
  for (const Json& pattern : *once) {
    if (!pattern.is_number_unsigned()) return false;
    record->once.push_back(pattern.get<std::uint32_t>());
  }
  if (find(record->definition, record->same) != nullptr || by_id_.contains(row.id)) return false;
  for (const LineRef& line : record->lines) evidence_.keep(line.seq);
  last_id_ = std::max(last_id_, row.id);
  insert(std::move(record));
  return true;
}

}  // namespace correlator::engine
